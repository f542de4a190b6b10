"""Who reported an address, and what they wrote: folded away, and without addresses in it."""

import re
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import Notice, ReportLine
from cases.services.corroboration import corroboration

#: Anything that begins like an address, defanged or not; up to the next space.
_ADDRESS: Final = re.compile(r"(?:h..ps?\s?:|www\.|//)\S+|\S+\[?\(?(?:\.|dot)\)?\]?\w+/\S*", re.IGNORECASE)
_MASK: Final = "[…]"


def without_addresses(text: str) -> str:
    """`text` with every address left out: what a reporter wrote is shown, an address only by a reveal."""
    return _ADDRESS.sub(_MASK, text)


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
