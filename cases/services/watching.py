"""How the looking goes: who looks, whether they keep up with what falls due, and where we cannot see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum

from cases.models import Content, LookTally, Vantage
from cases.queues import checks_due
from vault.keys import CannotUnseal

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
#: A checker that nobody has heard of for so long has been taken away (P); its tallies go as well.
FORGOTTEN: Final = timedelta(days=7)
#: Of so many of the latest looks it is said where and why they failed.
LATEST: Final = 2_000
_VANTAGES: Final = 50
_HOSTS: Final = 10
_REASONS: Final = 12


_BY_HOST: Final = """
    WITH latest AS MATERIALIZED (
        SELECT notice_id, outcome, recorded_at FROM cases_sighting ORDER BY id DESC LIMIT %s
    )
    SELECT min(c.id::text), count(*), count(*) FILTER (WHERE outcome = 'blocked'),
           count(*) FILTER (WHERE outcome = 'unknown')
    FROM latest JOIN cases_notice n ON n.id = latest.notice_id JOIN cases_content c ON c.id = n.content_id
    WHERE recorded_at > %s GROUP BY c.host_key
    HAVING count(*) FILTER (WHERE outcome IN ('blocked', 'unknown')) > 0
    ORDER BY count(*) FILTER (WHERE outcome IN ('blocked', 'unknown')) DESC, 2, 1 LIMIT %s
"""
_BY_REASON: Final = """
    WITH latest AS MATERIALIZED (
        SELECT outcome, http_status, note, recorded_at FROM cases_sighting ORDER BY id DESC LIMIT %s
    )
    SELECT outcome, coalesce(http_status, 0), note, count(*) FROM latest
    WHERE outcome IN ('blocked', 'unknown') AND recorded_at > %s
    GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT %s
"""


class Pace(StrEnum):
    """Whether the checkers keep up."""

    ENOUGH = "enough"
    CATCHES_UP = "catches_up"
    FALLS_BEHIND = "falls_behind"


@dataclass(frozen=True)
class Seen:
    """What one vantage brought. `day`: looks of the last 24 hours; `blocked` and `unknown` are of those."""

    name: str
    asked_at: datetime | None
    reported_at: datetime | None
    hour: int
    day: int
    blocked: int
    unknown: int

    @property
    def blocked_percent(self) -> int:
        """Of its looks, as a whole number; 0 without looks."""
        return percent(self.blocked, self.day)

    @property
    def unknown_percent(self) -> int:
        """Of its looks, as a whole number; 0 without looks."""
        return percent(self.unknown, self.day)


@dataclass(frozen=True)
class Host:
    """What the latest looks made of one host, which is masked as its addresses are."""

    masked: str
    looks: int
    blocked: int
    unknown: int

    @property
    def failed_percent(self) -> int:
        """Of the looks at it."""
        return percent(self.blocked + self.unknown, self.looks)


@dataclass(frozen=True)
class Reason:
    """Why so many of the latest looks could not tell. `note` is the checker's own phrase, `status` 0 for none."""

    outcome: str
    status: int
    note: str
    looks: int


def percent(part: int, whole: int) -> int:
    """A share as people read it: never 0 for something, never 100 for not all."""
    if not part or part == whole:
        return 100 if part else 0
    return min(max(round(100 * part / whole), 1), 99)


def pace(*, behind: bool, due: int, needed: int, done: int) -> tuple[Pace, timedelta | None]:
    """Whether `done` looks an hour do for `needed` an hour with `due` waiting; in how long they will have caught up.

    `behind`: something is late (queues.CHECK_LATE). Without that they do, however little they did.
    """
    if not behind:
        return Pace.ENOUGH, None
    spare = done - needed
    return (Pace.CATCHES_UP, due / spare * HOUR) if spare > 0 else (Pace.FALLS_BEHIND, None)


def seen_from(*, now: datetime) -> list[Seen]:
    """Each vantage that was heard of lately, by name. Two keys under one name are one vantage."""
    day = Q(since__gt=now - DAY)
    tallies = LookTally.objects.filter(day).order_by().values("vantage")
    looks: dict[str, dict[str, Any]] = {
        row["vantage"]: dict(row)
        for row in tallies.annotate(
            hour=Sum("looks", filter=Q(since__gt=now - HOUR), default=0),
            day=Sum("looks"),
            blocked=Sum("looks", filter=Q(outcome="blocked"), default=0),
            unknown=Sum("looks", filter=Q(outcome="unknown"), default=0),
        )
    }
    # Without a name are checkers that say where they look from only when they report.
    heard = Vantage.objects.exclude(name="").order_by("name").values("name")
    nothing = {"hour": 0, "day": 0, "blocked": 0, "unknown": 0}
    return [
        Seen(row["name"], row["asked"], row["reported"], **_counts(looks.get(row["name"], nothing)))
        for row in heard.annotate(asked=Max("asked_at"), reported=Max("reported_at"))[:_VANTAGES]
    ]


def last_heard() -> datetime | None:
    """When any checker last asked or reported."""
    heard = Vantage.objects.aggregate(asked=Max("asked_at"), reported=Max("reported_at"))
    return max(filter(None, heard.values()), default=None)


def with_checkers(*, now: datetime) -> tuple[int, datetime | None]:
    """How many of the looks that have been due the longest are with a checker, and when the first lease ends."""
    oldest = checks_due(now).order_by("next_check_at", "pk")[:LATEST]
    leased = Q(check_leased_until__gt=now)
    found = oldest.aggregate(count=Count("pk", filter=leased), first=Min("check_leased_until", filter=leased))
    return found["count"], found["first"]


def _counts(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in ("hour", "day", "blocked", "unknown")}


def failing(*, now: datetime) -> tuple[list[Host], list[Reason]]:
    """Where and why the latest looks of the last day failed, the worst first."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_HOST, [LATEST, now - DAY, _HOSTS])
        hosts = cursor.fetchall()
        cursor.execute(_BY_REASON, [LATEST, now - DAY, _REASONS])
        reasons = [Reason(*row) for row in cursor.fetchall()]
    names = _masked([content_id for content_id, *_ in hosts])
    return [Host(names[content_id], *counts) for content_id, *counts in hosts], reasons


def _masked(content_ids: Sequence[str]) -> dict[str, str]:
    """Content -> its host, masked."""
    found = {}
    for content in Content.objects.filter(pk__in=content_ids).only("id", "host_sealed"):
        try:
            found[str(content.pk)] = f"{content.host}/…"
        except CannotUnseal:
            found[str(content.pk)] = "…"
    return found


def forget(*, now: datetime) -> None:
    """Let go of who was not heard of for long, and of old tallies."""
    LookTally.objects.filter(since__lt=now - FORGOTTEN).delete()
    silent = Q(asked_at__isnull=True) | Q(asked_at__lt=now - FORGOTTEN)
    quiet = Q(reported_at__isnull=True) | Q(reported_at__lt=now - FORGOTTEN)
    Vantage.objects.filter(silent & quiet).delete()
