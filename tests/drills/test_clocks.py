"""Nobody works for ten hours while terms end: then every step fires once, in order, late, and never early."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db.models import F

from audit.models import Event
from cases.clock import database_now
from cases.models import Dispatch, Notice, Step
from cases.services import ladder
from tests.drills.world import Workers, assert_verified, wait_for
from tests.factories import SYSTEM, ContactFactory, ProviderFactory, SightingFactory, many

HOUR = timedelta(hours=1)
#: The night in which summer time ends, so that the outage has an hour more by the clock on the wall.
LEFT_AT = datetime(2026, 10, 24, 20, tzinfo=UTC)


def fleet(count: int, *, groups: int, left_at: datetime) -> list[Notice]:
    """Notices whose steps fall due every quarter of an hour before and after `left_at`, seen online throughout."""
    made: list[Notice] = []
    for number in range(groups):
        provider = ProviderFactory(code=f"hoster-{number:03d}")
        contact = ContactFactory(provider=provider, approved=True, approved_at=left_at - 99 * HOUR)
        some = many(
            count // groups,
            notified=True,
            provider=provider,
            contact=contact,
            notified_at=left_at - 26 * HOUR + number * HOUR / 4,
        )
        made += some
        for notice in some:
            SightingFactory(notice=notice, seen_at=left_at + 8 * HOUR)
    Notice.objects.update(last_seen_online_at=left_at + 8 * HOUR)
    return made


def sweep(now: datetime) -> None:
    """The two sweeps of the clock."""
    ladder.run_out_due(by=SYSTEM, now=now)
    ladder.take_steps_due(by=SYSTEM, now=now)
    ladder.pass_on_due(by=SYSTEM, now=now)


def assert_once_in_order(back_at: datetime) -> None:
    """What fell due fired once; what was late says so; nothing fired early, and nothing is left."""
    taken = list(Step.objects.filter(taken_at__isnull=False).order_by("taken_at", "due_at", "pk"))
    assert [step for step in taken if step.taken_at and step.taken_at < step.due_at] == []
    assert {step.late for step in taken if step.taken_at == back_at} == {True}
    by_notice: dict[int, list[Step]] = {}
    for step in taken:
        by_notice.setdefault(step.notice_id, []).append(step)
    for steps in by_notice.values():
        assert [step.due_at for step in steps] == sorted(step.due_at for step in steps)
        assert len({step.code for step in steps}) == len(steps)
    assert not Step.objects.due(now=back_at).exists()
    assert not Notice.objects.run_out(now=back_at).exists()
    escalations = Counter(Event.objects.filter(became="escalated").values_list("subject_id", flat=True))
    assert set(escalations.values()) == {1}
    assert not Notice.objects.exclude(escalated_at=None).exclude(escalated_at=F("due_at")).exists()
    reminded = Step.objects.filter(code__startswith="reminder-", outcome="reminded").count()
    lines = [line for each in Dispatch.objects.filter(kind="reminder") for line in each.lines.all()]
    assert len(lines) == len({(line.notice_id, line.step) for line in lines}) == reminded > 0


def ten_hours_without_workers(count: int, *, groups: int, hands: int) -> None:
    """The drill, with the clock given. `hands`: so many workers come back at the same moment."""
    fleet(count, groups=groups, left_at=LEFT_AT)
    for minutes in range(-60, 1, 15):
        sweep(LEFT_AT + timedelta(minutes=minutes))
    before = set(Step.objects.filter(taken_at__isnull=False).values_list("pk", "taken_at"))

    back_at = LEFT_AT + 10 * HOUR
    if hands == 1:
        sweep(back_at)
    else:
        faults: list[BaseException] = []

        def work() -> None:
            try:
                sweep(back_at)
            except BaseException as fault:  # noqa: BLE001 - told to the drill
                faults.append(fault)
            finally:
                from django.db import connections

                connections.close_all()

        workers = [threading.Thread(target=work) for _ in range(hands)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(120)
        assert faults == []
    sweep(back_at)

    assert before <= set(Step.objects.filter(taken_at__isnull=False).values_list("pk", "taken_at"))
    assert_once_in_order(back_at)


@pytest.mark.django_db
def test_after_ten_hours_without_workers_every_step_fires_once_in_due_order_and_late() -> None:
    ten_hours_without_workers(24, groups=12, hands=1)


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_after_ten_hours_four_workers_that_come_back_at_once_share_the_steps_of_4000_notices() -> None:
    ten_hours_without_workers(4_000, groups=40, hands=4)


@pytest.mark.drill
def test_real_workers_that_were_stopped_for_ten_hours_make_it_all_up_within_120_seconds(
    workers: Workers,
) -> None:
    now = database_now()
    fleet(400, groups=40, left_at=now - 10 * HOUR)
    Notice.objects.update(last_seen_online_at=now - HOUR)
    for notice in Notice.objects.all():
        SightingFactory(notice=notice, seen_at=now - HOUR)

    workers.start("sweeps", "sweeps2", "beat")
    took = wait_for(
        lambda: not Step.objects.due(now=now).exists() and not Notice.objects.run_out(now=now).exists(),
        within_s=120,
        say=workers.words,
    )
    workers.stop()

    late = Step.objects.filter(taken_at__isnull=False, due_at__lt=now - timedelta(minutes=2))
    assert set(late.values_list("late", flat=True)) == {True}
    assert not Step.objects.filter(taken_at__lt=F("due_at")).exists()
    escalations = Counter(Event.objects.filter(became="escalated").values_list("subject_id", flat=True))
    assert set(escalations.values()) == {1}
    assert took <= 120
    call_command("sweep", "audit")
    assert_verified()
