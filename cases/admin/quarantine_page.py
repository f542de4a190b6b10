"""What the quarantine desk shows: lines as written and as meant, and what came of deciding on them."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.counting import COUNTED
from audit.desk import page
from cases.models import ReportLine
from cases.services.looking import Why
from cases.services.quarantine import meanings

#: Scheme, then everything up to the path: the part that decides whose machine is meant.
_AUTHORITY: Final = re.compile(
    r"\s*(?:([a-z][a-z0-9+.-]*):)?([/\\]*)([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL
)
_SHOWN: Final = 200
_TAIL: Final = 6
#: The reasons in a word or two, for the links above the list; the whole sentence stands with each line.
SHORT: Final[dict[str, str | Promise]] = {
    "no_scheme": gettext_lazy("no http://"),
    "userinfo": gettext_lazy("text before an @"),
    "backslash": gettext_lazy("backslash"),
    "odd_slashes": gettext_lazy("other slashes"),
    "encoded_host": gettext_lazy("%-codes in the host"),
    "idn_ambiguous": gettext_lazy("international name"),
    "mixed_scripts": gettext_lazy("mixed alphabets"),
    "non_public_address": gettext_lazy("private IP address"),
    "single_label": gettext_lazy("one-part name"),
    "local_name": gettext_lazy("local name"),
    "unknown_suffix": gettext_lazy("unknown domain"),
    "public_suffix": gettext_lazy("suffix only"),
    "onion": gettext_lazy("Tor"),
}


def waiting() -> QuerySet[ReportLine]:
    """What nobody has decided on yet."""
    return ReportLine.objects.filter(outcome=ReportLine.Outcome.QUARANTINED, decided_at__isnull=True)


def as_written(raw: str) -> str:
    """A line as it came in, defanged and masked: `hxxp://a[.]test\\@b[.]test/…ab.jpg`.

    What stands before the path is shown in its own spelling, because that is what is doubted.
    """
    found = _AUTHORITY.match(raw)
    if found is None:  # the pattern matches any text
        return "…"
    scheme, slashes, authority, rest = found.groups()
    rest = rest.rstrip()
    tail = rest[-_TAIL:] if len(rest) > _TAIL else rest[len(rest) - len(rest) // 2 :]
    head = f"{scheme.lower().replace('tt', 'xx')}:{slashes}" if scheme else slashes
    return f"{head}{authority[:_SHOWN].replace('.', '[.]')}" + (f"/…{tail}" if len(rest) > 1 else "")


def show(request: HttpRequest, lines: Sequence[ReportLine], context: dict[str, Any]) -> HttpResponse:
    """The page with these lines, each with what it would become."""
    meant = meanings(lines)
    context |= {
        "title": _("Quarantine"),
        "rows": [
            {"line": line, "written": as_written(line.raw_text), "meant": meant[line.pk]} for line in lines
        ],
        "whys": Why.choices,
        "may_decide": request.user.has_perm("quarantine.decide"),
    }
    return page(request, "staff/quarantine.html", context)


def reason_of(code: str | None) -> str:
    """The reason that was asked for, or "" for all."""
    return code if code in SHORT else ""


def tabs(chosen: str) -> list[dict[str, Any]]:
    """The reasons for which lines wait, with how many; of more than COUNTED lines only the first are counted."""
    counted = Counter(waiting().order_by()[:COUNTED].values_list("reason", flat=True))
    if len(counted) < 2 and not chosen:
        return []
    here = reverse("admin:quarantine")
    found = [{"name": _("all"), "href": here, "current": not chosen, "count": counted.total()}]
    for code, count in counted.most_common():
        href = f"{here}?{urlencode({'reason': code})}"
        found.append({"name": SHORT[code], "href": href, "current": code == chosen, "count": count})
    return found


def said(counts: Counter[str]) -> str:
    """What became of the lines that were decided on, in one sentence."""
    if rejected := counts[ReportLine.Outcome.QUARANTINED]:
        words = ngettext("%(count)d line rejected.", "%(count)d lines rejected.", rejected)
        return words % {"count": rejected}
    words = ngettext(
        "%(count)d line accepted: %(each)s.", "%(count)d lines accepted: %(each)s.", counts.total()
    )
    labels = dict(ReportLine.Outcome.choices)
    each = ", ".join(f"{count} {labels[outcome]}" for outcome, count in counts.items())
    return words % {"count": counts.total(), "each": each}
