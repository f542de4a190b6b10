"""The public report form. GET stores nothing; POST answers with the number and the code, which no URL holds."""

from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.client import address_of
from accounts.throttle import TooOften, let_in
from audit.record import Actor
from cases.models import ReportLine
from cases.services.reporter import Taken, report_publicly, was_taken
from cases.views.forms import ReportForm, grouped, new_token

_BY: Final = Actor.system("public_form")


@sensitive_post_parameters()  # no page about a fault repeats an address
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Show the form, or take in what was filled in and show its receipt."""
    if request.method != "POST":
        return _show(request, ReportForm(initial={"token": new_token()}))
    if "language" in request.POST:
        return _in_another_language(request)
    form = ReportForm.sent(request.POST)
    if request.FILES:
        form.add_error(
            None, translation.gettext("A file came along. Files are not taken in and were not kept.")
        )
    if not form.is_valid():
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    sent: dict[str, Any] = {
        "token": form.cleaned_data["token"],
        "lines": form.lines,
        "person": form.person,
    }
    now = timezone.now()
    try:
        if not was_taken(**sent):
            let_in("report", address_of(request), now=now)
    except TooOften as refusal:
        return too_often(request, "public/report.html", form, refusal)
    return _receipt(request, report_publicly(**sent, by=_BY, now=now))


def too_often(request: HttpRequest, template: str, form: Any, refusal: TooOften) -> HttpResponse:
    """429: the page with all that was filled in, when to come back, and the other ways."""
    context = {"form": form, "too_often": refusal, "kept_days": _kept_days()}
    response = render(request, template, context, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(refusal.retry_after_s)
    return response


def _in_another_language(request: HttpRequest) -> HttpResponse:
    """The same form with what is in it, in the other language; nothing is looked at or stored."""
    language = request.POST["language"]
    known = language in dict(settings.LANGUAGES)
    if known:
        translation.activate(language)
    filled = {name: request.POST[name] for name in ReportForm.base_fields if name in request.POST}
    response = _show(request, ReportForm(initial=filled))
    if known:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )
    return response


def _receipt(request: HttpRequest, taken: Taken) -> HttpResponse:
    """Whether an address was known is not said: nobody may try out what is known here."""
    words = ReportLine.Outcome
    lines = [
        {
            "number": line.number,
            "is_in": line.outcome in {words.NEW, words.DUPLICATE, words.REAPPEARED},
            "waits": line.outcome == words.QUARANTINED,
            "reason": line.reason_text,
        }
        for line in taken.report.lines.order_by("number", "pk")
    ]
    context = {
        "reference": taken.report.reference,
        "code": grouped(taken.code),
        "received_at": taken.report.received_at,
        "lines": lines,
    }
    return render(request, "public/report_taken.html", context)


def _show(request: HttpRequest, form: ReportForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {"form": form, "kept_days": _kept_days()}
    return render(request, "public/report.html", context, status=status)


def _kept_days() -> int:
    return int(settings.HOST.reporter_kept.days)
