"""The work desk: one notice after another, in an order that nobody has to choose."""

from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import Case, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.names import Names
from audit.counting import COUNTED
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin import claims
from cases.admin.forms import AssessForm, HoldForm, PressForm
from cases.admin.pressing import press
from cases.admin.reporters import reports_of
from cases.models import Notice
from cases.models.notice import NoticeQuerySet
from cases.services.assess import assess, hold
from cases.services.looking import skip

#: So many are offered to the claims; more colleagues at once there are not.
AHEAD: Final = 50
#: What a person skipped comes back to them on another day, or when nothing else is left.
_SKIPPED: Final = "skipped"
_MOST_SKIPPED: Final = 500


def urls(desk: Desk) -> list[URLPattern]:
    """The desk and its three ways on."""
    return [
        desk.at("work/", next_one, name="work", cell="notice.assess"),
        desk.at("work/<int:pk>/assess/", judge, name="work_assess", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/hold/", put_on_hold, name="work_hold", cell="notice.hold", methods=POST),
        desk.at("work/<int:pk>/skip/", leave, name="work_skip", cell="notice.assess", methods=POST),
    ]


def in_order(notices: NoticeQuerySet) -> NoticeQuerySet:
    """Urgent first, and what the police had first; then by age."""
    first = Case(When(Q(urgent=True) | ~Q(hold=""), then=Value(0)), default=Value(1))
    return notices.order_by(first, "received_at", "pk")


def why_next(notice: Notice) -> str:
    """The reason of its place in the order, in words."""
    if notice.urgent:
        return _("Urgent goes first.")
    if notice.hold:
        return _("Its hold has ended: it goes first.")
    if notice.previous_id:
        return _("It is the oldest that waits. It came back after an earlier removal.")
    return _("It is the oldest that waits.")


def next_one(request: HttpRequest) -> HttpResponse:
    """The next notice for this person, or the good news that there is none."""
    now = timezone.now()
    waiting = Notice.objects.to_assess(now=now)
    skipped = _skipped(request, now)
    ids = list(in_order(waiting.exclude(pk__in=skipped)).values_list("pk", flat=True)[:AHEAD])
    # When all that is left was skipped, the oldest of it comes again.
    ids = ids or list(in_order(waiting).values_list("pk", flat=True)[:AHEAD])
    chosen = claims.first_free(ids, request.user.pk or 0) or (ids[0] if ids else None)
    return _show(request, chosen, now=now)


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
    request.session[_SKIPPED] = {"on": _day(now), "ids": [*_skipped(request, now), pk][-_MOST_SKIPPED:]}
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
    request: HttpRequest, pk: int | None, *, now: datetime, tried: PressForm | None = None
) -> HttpResponse:
    rows = Notice.objects.select_related("content", "provider", "attribution", "previous")
    notice = rows.filter(pk=pk).first() if pk else None
    context: dict[str, Any] = {"title": _("Work"), "notice": notice, "waiting": _count(now)}
    if notice is not None:
        context |= {
            "why": why_next(notice),
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


def _skipped(request: HttpRequest, now: datetime) -> list[int]:
    kept = request.session.get(_SKIPPED) or {}
    return list(kept.get("ids", [])) if kept.get("on") == _day(now) else []


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
