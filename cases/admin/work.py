"""The work desk: one notice after another, in an order that nobody has to choose."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.names import Names
from audit.counting import COUNTED
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin import claims, turn
from cases.admin.forms import AssessForm, HoldForm, PressForm
from cases.admin.pressing import press
from cases.admin.reporters import reports_of
from cases.models import Notice
from cases.services.assess import assess, hold
from cases.services.looking import Why, skip
from cases.services.reveal import reveal


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, the look at the address, and the three ways on."""
    return [
        desk.at("work/", next_one, name="work", cell="notice.assess"),
        desk.at("work/<int:pk>/reveal/", look, name="work_reveal", cell="notice.reveal", methods=POST),
        desk.at("work/<int:pk>/assess/", judge, name="work_assess", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/hold/", put_on_hold, name="work_hold", cell="notice.hold", methods=POST),
        desk.at("work/<int:pk>/skip/", leave, name="work_skip", cell="notice.assess", methods=POST),
    ]


def next_one(request: HttpRequest) -> HttpResponse:
    """The next notice for this person, or the good news that there is none."""
    now = timezone.now()
    return _show(request, turn.next_for(request, now), now=now)


def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the full address of the notice at hand, in the answer to this very request."""
    now = timezone.now()
    url = press(
        request,
        lambda: reveal(notice_id=pk, by=Actor.of(request.user), now=now, reason=Why.JUDGE),
        _("That you looked is written down."),
    )
    return _show(request, pk, now=now, revealed=url or "")


def judge(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the judgement, and on to the next."""
    return _do(request, pk, AssessForm, assess, _("Judged."))


def put_on_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Police first: it comes back here, on top, when the hold ends."""
    return _do(request, pk, HoldForm, hold, _("On hold."))


def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave it for a colleague, without a reason: today it does not come back to this person."""
    now = timezone.now()
    press(
        request,
        lambda: skip(notice_id=pk, by=Actor.of(request.user), now=now),
        _("Left for somebody else."),
    )
    turn.remember_skip(request, pk, now)
    claims.release(pk, request.user.pk or 0)
    return redirect("admin:work")


def _do(request: HttpRequest, pk: int, form_class: type[PressForm], call: Any, done: str) -> HttpResponse:
    now, form = timezone.now(), form_class(request.POST, auto_id=f"{form_class.__name__.lower()}_%s")
    if not form.is_valid():
        return _show(request, pk, now=now, tried=form)
    if press(
        request,
        lambda: call(notice_id=pk, by=Actor.of(request.user), now=now, **form.arguments(now=now)),
        done,
    ):
        claims.release(pk, request.user.pk or 0)
    return redirect("admin:work")


def _show(
    request: HttpRequest,
    pk: int | None,
    *,
    now: datetime,
    tried: PressForm | None = None,
    revealed: str = "",
) -> HttpResponse:
    rows = Notice.objects.select_related("content", "provider", "attribution", "previous")
    notice = rows.filter(pk=pk).first() if pk else None
    context: dict[str, Any] = {"title": _("Work"), "notice": notice, "waiting": _count(now)}
    if notice is not None:
        context |= {
            "why": turn.why_next(notice),
            "revealed": revealed,
            "may_reveal": request.user.has_perm("notice.reveal"),
            "reports": reports_of(notice, most=20),
            "looking": claims.others(notice.pk, request.user.pk, Names()),
            "assess": tried if isinstance(tried, AssessForm) else _blank(AssessForm, notice),
            "hold": tried
            if isinstance(tried, HoldForm)
            else _blank(HoldForm, notice, kind="police_first")
            if request.user.has_perm("notice.hold")
            else None,
            "hold_is_open": isinstance(tried, HoldForm),
        }
    return page(request, "staff/work.html", context, status=422 if tried else 200)


def _blank(form_class: type[PressForm], notice: Notice, **initial: str) -> PressForm:
    return form_class(
        initial={"version": notice.version, **initial}, auto_id=f"{form_class.__name__.lower()}_%s"
    )


def _count(now: datetime) -> int:
    """How many wait; counted no further than COUNTED."""
    return Notice.objects.to_assess(now=now)[:COUNTED].count()
