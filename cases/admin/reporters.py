"""Who reported an address, and what they wrote: folded away, and without addresses in it."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import Notice, ReportLine
from cases.services.corroboration import corroboration
from cases.url import without_addresses


def reports_of(notice: Notice, *, most: int = 50) -> list[dict[str, Any]]:
    """The lines that named the address, oldest first: {"line", "note"}.

    A notice that goes on where a dismissal was undone (services/undo.py) has the lines of that one as well.
    """
    before = notice.previous
    undone = before is not None and before.received_at == notice.received_at
    of = [notice.pk, before.pk] if before is not None and undone else [notice.pk]
    lines = ReportLine.objects.filter(notice__in=of).select_related("report__source")
    lines = lines.order_by("report__received_at", "report", "number")
    return [{"line": line, "note": without_addresses(line.note)} for line in lines[:most]]


def named_by(notice: Notice) -> str:
    """How many reports named it and from how many sources, in words; "" when it was one or none."""
    counted = corroboration([notice.pk])[notice.pk]
    if counted.reports < 2:
        return ""
    sources = ngettext("%(count)d source", "%(count)d sources", counted.sources) % {"count": counted.sources}
    return _("In %(reports)d reports from %(sources)s.") % {"reports": counted.reports, "sources": sources}
