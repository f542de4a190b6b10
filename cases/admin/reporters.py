"""Who reported an address, and what they wrote: folded away, and without addresses in it."""

import re
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import Notice, ReportLine
from cases.services.corroboration import corroboration

# Each takes time that grows with the text and no faster: anybody writes these texts, and long ones.
_WORD: Final = re.compile(r"\S+")
_DOT: Final = re.compile(r"\.|dot", re.IGNORECASE)
#: Anything that begins like an address, defanged or not; up to the next space.
_ADDRESS: Final = re.compile(r"(?:h..ps?\s?:|www\.|//)\S+", re.IGNORECASE)
_MASK: Final = "[…]"


def without_addresses(text: str) -> str:
    """`text` with every address left out: what a reporter wrote is shown, an address only by a reveal."""
    return _ADDRESS.sub(_MASK, _WORD.sub(_unless_host_and_path, text))


def _unless_host_and_path(word: re.Match[str]) -> str:
    """A word as it is; left out when it has a dot, in whatever disguise, and a slash behind it."""
    before, slash, _path = word[0].rpartition("/")
    return _MASK if slash and _DOT.search(before, 1) else word[0]


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
