"""Taking the rungs that are due: set-based, in order of their due moments, each once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from audit.record import Actor
from cases import deadlines
from cases.models import Dispatch, DispatchLine, Notice, Step
from cases.services.enqueue import FIRST, enqueue
from cases.services.ladder.beginning import follow

BATCH: Final = 5_000


class Due(NamedTuple):
    """A rung that is due, with what decides on it. `contact`: who got the first message, or None."""

    step: int
    notice: int
    code: str
    open: bool
    seen: bool
    contact: int | None

    @property
    def is_reminder(self) -> bool:
        """Whether it goes out to the provider."""
        return self.code.startswith(deadlines.REMINDER)


def take_steps_due(*, by: Actor, now: datetime, batch: int = BATCH) -> int:
    """Take every rung that is due, in order of its due moment; returns how many."""
    total = 0
    while True:
        with transaction.atomic():
            due = list(
                Step.objects.due(now=now).order_by("due_at", "pk").values_list("pk", "notice_id")[:batch]
            )
            if not due:
                return total
            # Notices first, in order of id, as every writer does; then their steps.
            ids = sorted({notice for _pk, notice in due})
            list(Notice.objects.filter(pk__in=ids).select_for_update().order_by("pk").values_list("pk"))
            steps = _look([pk for pk, _notice in due], now=now)
            _take(steps, by=by, now=now)
        total += len(steps)


def _look(ids: Sequence[int], *, now: datetime) -> list[Due]:
    """Those of the steps that are still due, locked, in order of their due moments."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.id, s.notice_id, s.code, n.state IN ('notified', 'escalated'),
                   coalesce(n.last_seen_online_at >= %s, false), told.contact_id
            FROM cases_step s
            JOIN cases_notice n ON n.id = s.notice_id
            LEFT JOIN LATERAL (
                SELECT l.contact_id FROM cases_dispatchline l JOIN cases_dispatch d ON d.id = l.dispatch_id
                WHERE l.notice_id = n.id AND l.step = %s AND l.dropped_because = ''
                  AND d.state IN ('accepted', 'relayed') AND s.code LIKE %s
                ORDER BY l.id DESC LIMIT 1
            ) told ON true
            WHERE s.id = ANY(%s) AND s.taken_at IS NULL AND s.waits_for = ''
            ORDER BY s.due_at, s.id
            FOR UPDATE OF s
            """,
            [now - settings.HOST.sighting_max_age, FIRST, f"{deadlines.REMINDER}%", list(ids)],
        )
        return [Due(*row) for row in cursor.fetchall()]


def _take(steps: Sequence[Due], *, by: Actor, now: datetime) -> None:
    gone = [due for due in steps if not due.open]
    waiting = [due for due in steps if due.open and due.is_reminder and not due.seen]
    live = [due for due in steps if due.open and (due.seen or not due.is_reminder)]
    remind([(due.notice, due.code, due.contact) for due in live if due.is_reminder], by=by, now=now)
    finish([(due.step, _outcome(due)) for due in live], now=now)
    _wait([due.step for due in waiting], now=now)
    Step.objects.filter(pk__in=[due.step for due in gone]).overtake(at=now)
    follow([(due.notice, due.code) for due in live], reminders=True, now=now)
    # A reminder that waits holds up the next reminder, but not the call and the dossier.
    follow([(due.notice, due.code) for due in waiting], reminders=False, now=now)
    _relieve([*live, *waiting])


def _outcome(due: Due) -> str:
    if not due.is_reminder:
        return ""
    return Step.Outcome.REMINDED if due.contact else Step.Outcome.NO_CONTACT


def remind(reminders: Sequence[tuple[int, str, int | None]], *, by: Actor, now: datetime) -> None:
    """Put reminders (notice, code, contact) in the outbox, grouped per contact and round."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for notice, code, contact in reminders:
        if contact is not None:
            groups[contact, int(code.removeprefix(deadlines.REMINDER))].append(notice)
    notices = Notice.objects.only("pk", "urgent").in_bulk({n for group in groups.values() for n in group})
    for (contact_id, count), group in sorted(groups.items()):
        enqueue(
            contact_id=contact_id,
            notices=[notices[pk] for pk in group],
            kind=Dispatch.Kind.REMINDER,
            round_=count,
            by=by,
            now=now,
        )


def told(notice_id: int) -> int | None:
    """The contact whose server took the first message about a notice: who is reminded."""
    lines = DispatchLine.objects.filter(
        notice=notice_id,
        step=FIRST,
        dropped_because="",
        dispatch__state__in=[Dispatch.State.ACCEPTED, Dispatch.State.RELAYED],
    )
    return lines.order_by("-pk").values_list("contact_id", flat=True).first()


def finish(steps: Sequence[tuple[int, str]], *, now: datetime) -> None:
    """Mark rungs (step, outcome) as taken, and ask their role to see to them where somebody must.

    A second or later reminder that went out by itself needs nobody.
    """
    if not steps:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE cases_step s SET taken_at = %(now)s, late = s.due_at < %(late_before)s, waits_for = '',
                outcome = taken.outcome,
                asked_at = CASE WHEN asks.somebody THEN %(now)s END,
                pass_at = CASE WHEN asks.somebody THEN %(pass_at)s END
            FROM unnest(%(ids)s::bigint[], %(outcomes)s::text[]) AS taken (id, outcome)
            JOIN cases_step w ON w.id = taken.id
            CROSS JOIN LATERAL (
                SELECT taken.outcome NOT IN ('reminded', 'insisted') OR w.code = %(first)s AS somebody
            ) asks
            WHERE s.id = taken.id
            """,
            {
                "ids": [pk for pk, _outcome in steps],
                "outcomes": [str(outcome) for _pk, outcome in steps],
                "now": now,
                "late_before": now - deadlines.LATE_AFTER,
                "pass_at": now + settings.HOST.step_patience,
                "first": f"{deadlines.REMINDER}1",
            },
        )


def _wait(ids: Sequence[int], *, now: datetime) -> None:
    """Nobody saw it lately: a supervisor is asked."""
    if ids:
        Step.objects.filter(pk__in=ids).update(
            waits_for=Step.WaitsFor.SIGHTING, asked_at=now, pass_at=now + settings.HOST.step_patience
        )


def _relieve(steps: Sequence[Due]) -> None:
    """Nobody needs to see any more to the rungs that these take the place of."""
    by_code: dict[str, list[int]] = defaultdict(list)
    for due in steps:
        for code in deadlines.rung(due.code).relieves:
            by_code[code].append(due.notice)
    for code, notices in by_code.items():
        Step.objects.filter(notice__in=notices, voided=0, code=code).asking().relieve()
