"""Lines of reports that were put aside: a person says whether the address counts."""

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.counting import Bounded, Uncounted
from audit.desk import POST, Desk
from audit.record import Actor
from cases.admin.pressing import press
from cases.admin.quarantine_page import reason_of, said, show, tabs, waiting
from cases.services.looking import read_line
from cases.services.quarantine import REFUSED, decide_all, decide_quarantined

PER_PAGE: Final = 50


def urls(desk: Desk) -> list[URLPattern]:
    """The desk and its buttons: for what is ticked, and for one line."""
    see, cell = "quarantine.view", "quarantine.decide"
    return [
        desk.at("quarantine/", quarantine, name="quarantine", cell=see),
        desk.at("quarantine/decide/", decide, name="quarantine_decide", cell=cell, methods=POST),
        desk.at("quarantine/<uuid:pk>/accept/", accept, name="quarantine_accept", cell=cell, methods=POST),
        desk.at("quarantine/<uuid:pk>/reject/", reject, name="quarantine_reject", cell=cell, methods=POST),
        desk.at("quarantine/<uuid:pk>/reveal/", reveal, name="quarantine_reveal", cell=see, methods=POST),
    ]


def counter() -> Uncounted:
    """The lines that wait, for the start page."""
    name = gettext_lazy("lines in quarantine")
    return Uncounted(name, waiting(), "report__received_at", reverse("admin:quarantine"), "warn")


class _Ticked(forms.TypedMultipleChoiceField):
    """Ids of lines; whether there are such lines the service says."""

    def valid_value(self, value: object) -> bool:
        return True


class DecideForm(forms.Form):
    """What is ticked, and what becomes of it. No more than a page can be ticked."""

    line = _Ticked(coerce=UUID)
    verdict = forms.ChoiceField(choices=[("accept", ""), ("reject", "")])


def quarantine(request: HttpRequest) -> HttpResponse:
    """The lines that wait, those of the oldest report first; of one reason only, if asked."""
    reason = reason_of(request.GET.get("reason"))
    lines = waiting().filter(reason=reason) if reason else waiting()
    lines = lines.select_related("report__source", "content")
    lines = lines.order_by("report__received_at", "report", "number")
    found = Bounded(lines, PER_PAGE).get_page(request.GET.get("page"))
    return show(request, list(found), {"page": found, "tabs": tabs(reason), "reason": reason})


def reveal(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One line with its whole text, in the answer to this very request."""
    line = press(
        request,
        lambda: read_line(
            line_id=pk, reason=request.POST.get("why", ""), by=Actor.of(request.user), now=timezone.now()
        ),
        _("That you looked is written down."),
    )
    if line is None:
        return _back(request)
    return show(request, [line], {"revealed": line.raw_text, "reason": reason_of(request.POST.get("reason"))})


def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    """It counts as an address: it gets its notice."""
    return _decide(request, pk, accept=True, done=_("Accepted: it is with the notices to judge."))


def reject(request: HttpRequest, pk: UUID) -> HttpResponse:
    """It stays aside for good."""
    return _decide(request, pk, accept=False, done=_("Rejected: nothing is done with it."))


def decide(request: HttpRequest) -> HttpResponse:
    """Accept or reject all that is ticked, and say what came of them."""
    form = DecideForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Tick the lines to decide on, and choose what becomes of them."))
        return _back(request)
    counts = decide_all(
        line_ids=form.cleaned_data["line"][:PER_PAGE],
        accept=form.cleaned_data["verdict"] == "accept",
        by=Actor.of(request.user),
        now=timezone.now(),
    )
    refused = counts.pop(REFUSED, 0)
    if counts:
        messages.success(request, said(counts))
    if refused:
        words = ngettext(
            "%(count)d line was decided by somebody else meanwhile, or can only be rejected.",
            "%(count)d lines were decided by somebody else meanwhile, or can only be rejected.",
            refused,
        )
        messages.warning(request, words % {"count": refused})
    return _back(request)


def _decide(request: HttpRequest, pk: UUID, *, accept: bool, done: str) -> HttpResponse:
    press(
        request,
        lambda: decide_quarantined(line_id=pk, accept=accept, by=Actor.of(request.user), now=timezone.now()),
        done,
    )
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the lines that are left, of the same reason if there are any."""
    reason = reason_of(request.POST.get("reason"))
    query = f"?{urlencode({'reason': reason})}" if waiting().filter(reason=reason).exists() else ""
    return redirect(reverse("admin:quarantine") + query)
