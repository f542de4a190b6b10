"""Lines of reports that were put aside: a person says whether the address counts."""

import re
from typing import Any, Final
from uuid import UUID

from django.db.models import Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.counting import Bounded, Counter
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.forms import RevealForm
from cases.admin.pressing import press
from cases.models import ReportLine
from cases.services.looking import read_line
from cases.services.quarantine import decide_quarantined

PER_PAGE: Final = 50
#: Scheme, then everything up to the path: the part that decides whose machine is meant.
_AUTHORITY: Final = re.compile(
    r"\s*(?:([a-z][a-z0-9+.-]*):)?([/\\]*)([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL
)
_SHOWN: Final = 200
_TAIL: Final = 6


def urls(desk: Desk) -> list[URLPattern]:
    """The desk and its three buttons."""
    see, cell = "quarantine.view", "quarantine.decide"
    return [
        desk.at("quarantine/", quarantine, name="quarantine", cell=see),
        desk.at("quarantine/<uuid:pk>/accept/", accept, name="quarantine_accept", cell=cell, methods=POST),
        desk.at("quarantine/<uuid:pk>/reject/", reject, name="quarantine_reject", cell=cell, methods=POST),
        desk.at("quarantine/<uuid:pk>/reveal/", reveal, name="quarantine_reveal", cell=see, methods=POST),
    ]


def waiting() -> QuerySet[ReportLine]:
    """What nobody has decided on yet."""
    return ReportLine.objects.filter(outcome=ReportLine.Outcome.QUARANTINED, decided_at__isnull=True)


def counters() -> list[Counter]:
    """How many lines wait, for the start page."""
    oldest = waiting().aggregate(oldest=Min("report__received_at"))["oldest"]
    name = gettext_lazy("lines in quarantine")
    return [Counter(name, waiting().count(), oldest, reverse("admin:quarantine"), "warn")]


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


def quarantine(request: HttpRequest) -> HttpResponse:
    """The lines that wait, those of the oldest report first."""
    lines = (
        waiting()
        .select_related("report__source", "content")
        .order_by("report__received_at", "report", "number")
    )
    found = Bounded(lines, PER_PAGE).get_page(request.GET.get("page"))
    return _show(request, list(found), {"page": found})


def reveal(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One line with its whole text, in the answer to this very request."""
    form = RevealForm(request.POST)
    line = press(
        request,
        lambda: read_line(
            line_id=pk, reason=form.data.get("reason", ""), by=Actor.of(request.user), now=timezone.now()
        ),
        _("That you looked is written down."),
    )
    if line is None:
        return redirect("admin:quarantine")
    return _show(request, [line], {"revealed": line.raw_text})


def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    """It counts as an address: it gets its notice."""
    return _decide(request, pk, accept=True, done=_("Accepted: it is with the notices to judge."))


def reject(request: HttpRequest, pk: UUID) -> HttpResponse:
    """It stays aside for good."""
    return _decide(request, pk, accept=False, done=_("Rejected: nothing is done with it."))


def _decide(request: HttpRequest, pk: UUID, *, accept: bool, done: str) -> HttpResponse:
    press(
        request,
        lambda: decide_quarantined(line_id=pk, accept=accept, by=Actor.of(request.user), now=timezone.now()),
        done,
    )
    return redirect("admin:quarantine")


def _show(request: HttpRequest, lines: list[ReportLine], context: dict[str, Any]) -> HttpResponse:
    context |= {
        "title": _("Quarantine"),
        "rows": [{"line": line, "written": as_written(line.raw_text)} for line in lines],
        "reveal": RevealForm(auto_id=False),
        "may_decide": request.user.has_perm("quarantine.decide"),
    }
    return page(request, "staff/quarantine.html", context)
