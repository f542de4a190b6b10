"""Whether the process lives, whether the house can work, and figures for Prometheus; no case is counted."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, cast

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import F, Min, Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.authentication import BearerKey
from cases.clock import database_now
from cases.intake.mailbox import server
from cases.models import Beat, Dispatch, Mailbox, Notice, Report, Step, Unread

OK: Final = "ok"
DEGRADED: Final = "degraded"
DOWN: Final = "down"

#: How long work may be left lying: from the first on health is degraded, at the second somebody is called.
ALARMS: Final = (timedelta(minutes=15), timedelta(minutes=60))
#: A sweep that has not come to its end for so long, or for three of its periods, has stopped.
BEAT_MISSED: Final = timedelta(seconds=45)
#: A mailbox that was not read to its end for so long: reports of partners, or bounces, lie there unseen.
MAILBOX_UNREAD: Final = timedelta(minutes=5)
#: seconds; a broker that hangs must not hang health.
BROKER_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True)
class Check:
    """One line of health. `age`: of the oldest thing that waits; None when nothing does, or nobody knows."""

    status: str
    age: timedelta | None = None
    alarm: timedelta | None = None

    def as_json(self) -> dict[str, Any]:
        """`alarm_min` is 0, 15 or 60."""
        said: dict[str, Any] = {"status": self.status}
        if self.age is not None:
            said["age_s"] = round(self.age.total_seconds())
        if self.alarm is not None:
            said["alarm_min"] = round(self.alarm.total_seconds() / 60)
        return said


def overall(checks: dict[str, Check]) -> str:
    """Without the database nothing works. All else is late at worst: the pages still say what is so."""
    if checks["database"].status == DOWN:
        return DOWN
    return OK if all(check.status == OK for check in checks.values()) else DEGRADED


def checks() -> dict[str, Check]:
    """Every check, by name. Without a database nobody knows how old what waits is."""
    found = {"database": Check(OK), "broker": _broker()}
    try:
        now = database_now()
        for name, oldest in OLDEST.items():
            found[name] = _waiting(oldest(now), now)
        found["last_beat"] = _last_beat(now)
        for name, place in (("mailbox", settings.HOST.mailbox), ("replies", settings.HOST.replies)):
            if place is not None:
                found[name] = _mailbox(place, now)
    except DatabaseError:
        found["database"] = Check(DOWN)
        for name in (*OLDEST, "last_beat"):
            found[name] = Check(DOWN)
    return found


def _waiting(since: datetime | None, now: datetime) -> Check:
    """Something that waits since then; ok when nothing does."""
    age = now - since if since else timedelta(0)
    alarm = max((limit for limit in ALARMS if age >= limit), default=timedelta(0))
    return Check(DEGRADED if alarm else OK, age, alarm)


def _oldest_unsent_dispatch(now: datetime) -> datetime | None:
    """Since when a message should have left. One that waits for a person's yes is not for health to tell."""
    pending = Dispatch.objects.filter(state=Dispatch.State.PENDING).exclude(
        Q(approved_by="") & ~Q(approval_reason="")
    )
    # Each failure puts the next attempt off: what counts is when the first was made.
    since = pending.annotate(since=Coalesce(Min("attempts__started_at"), F("next_attempt_at")))
    return since.filter(since__lte=now).order_by("since").values_list("since", flat=True).first()


def _oldest_due_step(now: datetime) -> datetime | None:
    """Since when a rung of the ladder, or the end of a term, should have been acted on."""
    step = Step.objects.due(now=now).aggregate(oldest=Min("due_at"))["oldest"]
    ended = Notice.objects.run_out(now=now).aggregate(oldest=Min("due_at"))["oldest"]
    return min(filter(None, (step, ended)), default=None)


def _oldest_due_check(now: datetime) -> datetime | None:
    """Since when something should have been looked at; also when a checker has it, and says nothing."""
    due = Notice.objects.filter(next_check_at__lte=now).aggregate(oldest=Min("next_check_at"))
    oldest: datetime | None = due["oldest"]
    return oldest


def _oldest_unread_report(now: datetime) -> datetime | None:
    """Since when lines that are kept wait to be read, counted from the last batch that was."""
    kept = Report.objects.filter(pk__in=Unread.objects.values("report"))
    oldest: datetime | None = kept.aggregate(oldest=Min(Coalesce("moved_at", "received_at")))["oldest"]
    return oldest


def _oldest_late_judgement(now: datetime) -> datetime | None:
    """Since when something should have been judged, by our own term."""
    within = settings.HOST.judge_within
    oldest = Notice.objects.judged_late(now=now, within=within).aggregate(oldest=Min("received_at"))["oldest"]
    return oldest + within if oldest else None


def _oldest_late_arrival(now: datetime) -> datetime | None:
    """Since when something that was judged should have been with its provider, by our own term."""
    within = settings.HOST.accept_within
    oldest = Notice.objects.arrives_late(now=now, within=within).aggregate(oldest=Min("assessed_at"))[
        "oldest"
    ]
    return oldest + within if oldest else None


def _oldest_ended_hold(now: datetime) -> datetime | None:
    """Since when a hold is over that nobody acted on."""
    oldest: datetime | None = Notice.objects.hold_ended(now=now).aggregate(oldest=Min("hold_until"))["oldest"]
    return oldest


#: Work that lies in rows -> since when its oldest should have been done.
OLDEST: Final[dict[str, Callable[[datetime], datetime | None]]] = {
    "oldest_unsent_dispatch": _oldest_unsent_dispatch,
    "oldest_due_step": _oldest_due_step,
    "oldest_due_check": _oldest_due_check,
    "oldest_unread_report": _oldest_unread_report,
    "oldest_late_judgement": _oldest_late_judgement,
    "oldest_late_arrival": _oldest_late_arrival,
    "oldest_ended_hold": _oldest_ended_hold,
}


def _broker() -> Check:
    client = redis.Redis.from_url(
        settings.HOST.redis_url,
        socket_connect_timeout=BROKER_TIMEOUT_S,
        socket_timeout=BROKER_TIMEOUT_S,
    )
    try:
        client.ping()
    except (redis.RedisError, OSError):
        return Check(DOWN)
    finally:
        client.close()
    return Check(OK)


def _last_beat(now: datetime) -> Check:
    """The sweep that has not come to its end for longest; one that never did makes the age unknown."""
    beats = dict(Beat.objects.values_list("name", "at"))
    expected = set(cast("dict[str, object]", settings.CELERY["beat_schedule"]))
    if not expected <= beats.keys():
        return Check(DEGRADED)
    age = now - min(beats[name] for name in expected)
    return Check(DEGRADED if age > max(BEAT_MISSED, 3 * settings.HOST.sweep_every) else OK, age)


def _mailbox(place: server.Place, now: datetime) -> Check:
    """Since when a mailbox was not read to its end; one that never was makes the age unknown."""
    at = Mailbox.objects.filter(name=server.name(place)).values_list("read_at", flat=True).first()
    if at is None:
        return Check(DEGRADED)
    return Check(DEGRADED if now - at > MAILBOX_UNREAD else OK, now - at)


# -- The addresses -----------------------------------------------------------------------------------


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives. Asks nobody."""
    return JsonResponse({"status": OK})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the house can work: 503 when it cannot."""
    found = checks()
    status = overall(found)
    return JsonResponse(
        {"status": status, "checks": {name: check.as_json() for name, check in found.items()}},
        status=HTTPStatus.SERVICE_UNAVAILABLE if status == DOWN else HTTPStatus.OK,
    )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The same figures for Prometheus, to this machine or to a key of the hotline."""
    if not (_is_local(request) or _has_our_key(request)):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    found = checks()
    lines = [
        "# HELP takedown_up Whether the house can work: 1, or 0 when the database is away.",
        "# TYPE takedown_up gauge",
        f"takedown_up {int(overall(found) != DOWN)}",
        "# HELP takedown_check_ok Whether a check of /readyz is ok.",
        "# TYPE takedown_check_ok gauge",
        *(f'takedown_check_ok{{check="{name}"}} {int(check.status == OK)}' for name, check in found.items()),
        "# HELP takedown_age_seconds How long the oldest due work of a kind waits, or since the last beat.",
        "# TYPE takedown_age_seconds gauge",
        *(
            f'takedown_age_seconds{{check="{name}"}} {check.age.total_seconds():.0f}'
            for name, check in found.items()
            if check.age is not None
        ),
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _is_local(request: HttpRequest) -> bool:
    """Whether the caller is this machine itself, and no proxy on it that speaks for somebody else."""
    if settings.HOST.trusted_proxies or {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"} & request.META.keys():
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_our_key(request: HttpRequest) -> bool:
    """Whether a key of the hotline is shown, with whatever scope; a provider's opens nothing here."""
    try:
        shown = BearerKey().authenticate(Request(request))
    except (AuthenticationFailed, DatabaseError):
        return False
    return shown is not None and shown[1].provider_id is None
