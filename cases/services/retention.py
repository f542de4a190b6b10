"""What has been kept long enough is erased: one rule each, run once a day (requirements 13).

A rule erases in batches, and each batch leaves its tombstones in the audit within the same transaction: what
was erased of which report, never what it was. When a run was the last is read from the audit as well, so
that a day without workers is made up for and two sweeps at once do no harm.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Q

from audit.models import Event
from audit.record import Actor, event, record, record_many
from cases.models import FollowUp, Notice, Reporter, ReportLine
from cases.services import answer_sheets, mailbox, replies

#: Rows erased in one transaction, and transactions of one rule in one slice of a sweep.
BATCH: Final = 1_000
SLICES: Final = 20
DAILY: Final = timedelta(days=1)

_RUN: Final = ("retention", 0)


@dataclass(frozen=True)
class Rule:
    """`due`: the rows that have been kept long enough. `erase`: does so with a locked batch of them."""

    code: str
    says: str
    due: Callable[[datetime], "models.QuerySet[Any]"]
    erase: Callable[[Sequence[Any], Actor, datetime], None]


def due(*, now: datetime) -> dict[str, int]:
    """code of each rule -> how many rows it would erase now. Erases nothing."""
    return {rule.code: rule.due(now).count() for rule in RULES}


def erase(*, by: Actor, now: datetime, slices: int | None = None) -> dict[str, int]:
    """Erase what is due by every rule; returns how many rows each rule erased.

    `slices`: at most so many batches of each rule, for a sweep that must not run for long; what is left then
    is found by the next. The run is recorded with its counts, and as the day's when nothing was left.
    """
    erased, finished = {}, True
    for rule in RULES:
        erased[rule.code] = count = 0
        while slices is None or count < slices:
            size = _batch(rule, by=by, now=now)
            erased[rule.code] += size
            count += 1
            if size < BATCH:
                break
        else:
            finished = False
    if finished or any(erased.values()):
        record("retain", *_RUN, by=by, at=now, data={**erased, "finished": finished})
    return erased


def erase_daily(*, by: Actor, now: datetime) -> None:
    """`erase`, unless that was done to the end within the last day."""
    last = Event.objects.filter(subject=_RUN[0], subject_id=_RUN[1]).order_by("-pk").first()
    if last is None or last.at <= now - DAILY or not (last.data or {}).get("finished"):
        erase(by=by, now=now, slices=SLICES)


def _batch(rule: Rule, *, by: Actor, now: datetime) -> int:
    """Erase one batch; rows that somebody else is just erasing are left to them."""
    with transaction.atomic():
        rows = list(rule.due(now).select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:BATCH])
        if rows:
            rule.erase(rows, by, now)
    return len(rows)


# -- The rules -----------------------------------------------------------------------------------------------


def _after_closing(rows: "models.QuerySet[Any]", now: datetime) -> "models.QuerySet[Any]":
    """Those of `rows` (by report) whose report has had nothing left to do for as long as reporters are kept."""
    before = now - settings.HOST.reporter_kept
    closed = Q(notice__closed_at__lte=before) | Q(notice__closed_at=None, notice__removed_at__lte=before)
    ended = [Notice.State.REMOVED, Notice.State.DISMISSED, Notice.State.WITHDRAWN]
    lines = ReportLine.objects.filter(report=OuterRef("report_id"))
    open_lines = lines.filter(notice__isnull=False).exclude(closed, notice__state__in=ended)
    waiting = lines.filter(outcome=ReportLine.Outcome.QUARANTINED).filter(
        Q(decided_at=None) | Q(decided_at__gt=before)
    )
    return rows.filter(~Exists(open_lines), ~Exists(waiting), report__finished_at__lte=before)


def _reporters(now: datetime) -> "models.QuerySet[Any]":
    return _after_closing(Reporter.objects.all(), now)


def _erase_reporters(rows: Sequence[Reporter], by: Actor, now: datetime) -> None:
    Reporter.objects.filter(pk__in=[row.pk for row in rows]).delete()
    _bury({row.pk: {"what": "reporter"} for row in rows}, by, now)


def _follow_ups(now: datetime) -> "models.QuerySet[Any]":
    return _after_closing(FollowUp.objects.all(), now)


def _erase_follow_ups(rows: Sequence[FollowUp], by: Actor, now: datetime) -> None:
    FollowUp.objects.filter(pk__in=[row.pk for row in rows]).delete()
    _bury({row.pk: {"what": "follow_up"} for row in rows}, by, now)


def _refused_lines(now: datetime) -> "models.QuerySet[Any]":
    """Lines without notice that still have their text; not what waits for a person."""
    before = now - settings.HOST.refused_line_kept
    with_text = ReportLine.objects.filter(
        Q(raw_sealed__isnull=False) | Q(referrer_sealed__isnull=False) | Q(note_sealed__isnull=False),
        notice__isnull=True,
    )
    return with_text.filter(
        Q(outcome=ReportLine.Outcome.REJECTED, report__finished_at__lte=before)
        | Q(outcome=ReportLine.Outcome.QUARANTINED, decided_at__lte=before)
    )


def _erase_texts(rows: Sequence[ReportLine], by: Actor, now: datetime) -> None:
    lines = ReportLine.objects.filter(pk__in=[row.pk for row in rows])
    counts = lines.order_by().values_list("report").annotate(Count("pk"))
    tombstones = {report: {"what": "refused_lines", "lines": count} for report, count in counts}
    lines.update(raw_sealed=None, referrer_sealed=None, note_sealed=None)
    _bury(tombstones, by, now)


def _bury(tombstones: dict[int, dict[str, Any]], by: Actor, now: datetime) -> None:
    record_many(_tombstones(tombstones, by, now))


def _tombstones(of: dict[int, dict[str, Any]], by: Actor, now: datetime) -> Iterable[Event]:
    return (event("erase", "report", report, by=by, at=now, data=data) for report, data in of.items())


#: In this order; a new rule is a function for what is due, one that erases it, and a line here.
RULES: Final = (
    Rule(
        "reporters",
        "how to reach reporters, a while after their report is closed",
        _reporters,
        _erase_reporters,
    ),
    Rule(
        "follow_ups",
        "codes to follow a report by, a while after it is closed",
        _follow_ups,
        _erase_follow_ups,
    ),
    Rule("refused_lines", "texts of lines that were no address", _refused_lines, _erase_texts),
    Rule(
        "mails",
        "what mails say and whom they are from, a while after the decision",
        mailbox.to_erase,
        mailbox.erase_mails,
    ),
    Rule(
        "reply_mails",
        "what mails that came back say and whom they are from, a year after they came",
        replies.to_erase,
        replies.erase,
    ),
    Rule(
        "answer_sheets",
        "receipts of many answers at once, and what was looked at and not recorded",
        answer_sheets.to_erase,
        answer_sheets.erase,
    ),
)
