"""The law of the clock: 24 hours on the wall clock, in UTC, never recomputed."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import deadlines
from cases.models import DeadlineRule, Notice, Step
from cases.services import ladder
from cases.services.moving import moving
from cases.services.refused import Invalid
from cases.services.rules import rule_at, set_term
from tests.factories import FIRST_RULE, NOON, SYSTEM, NoticeFactory

DAY = timedelta(hours=24)
TICK = timedelta(microseconds=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


# -- pure -----------------------------------------------------------------------------------------------


@given(st.integers(0, 10**15).map(lambda ticks: NOON + timedelta(microseconds=ticks)))
def test_the_term_is_24_hours_to_the_microsecond(notified_at: datetime) -> None:
    assert deadlines.due_at(notified_at, DAY) - notified_at == DAY


@pytest.mark.parametrize(
    ("notified_at", "local_due"),
    [
        # Summer time ends on 25 October 2026: that night has 25 hours, the clock of the wall shows one less.
        (datetime(2026, 10, 24, 12, tzinfo=UTC), "2026-10-25 13:00 CET"),
        # It begins on 28 March 2027: 23 hours, and the wall shows one more.
        (datetime(2027, 3, 27, 12, tzinfo=UTC), "2027-03-28 14:00 CEST"),
        (datetime(2026, 12, 25, 23, 59, tzinfo=UTC), "2026-12-27 00:59 CET"),
    ],
    ids=["winter time begins", "summer time begins", "Christmas, in a weekend"],
)
def test_neither_daylight_saving_nor_a_holiday_shifts_it(notified_at: datetime, local_due: str) -> None:
    due = deadlines.due_at(notified_at, DAY)

    assert due == notified_at + DAY
    assert due.astimezone(AMSTERDAM).strftime("%Y-%m-%d %H:%M %Z") == local_due


@pytest.mark.parametrize(
    "instant",
    [NOON.replace(tzinfo=None), datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=1)))],
    ids=["naive", "in another zone"],
)
def test_a_clock_that_does_not_run_in_utc_is_refused(instant: datetime) -> None:
    with pytest.raises(ValueError, match="UTC"):
        deadlines.due_at(instant, DAY)


def test_the_ladder_for_a_term_of_24_hours() -> None:
    hours = {
        code: (deadlines.step_due_at(code, NOON, DAY) - NOON) / timedelta(hours=1)
        for code in ("hint", "reminder-1", "call", "reminder-2", "dossier", "reminder-3", "reminder-17")
    }

    assert hours == {
        "hint": 20,
        "reminder-1": 24,
        "call": 48,
        "reminder-2": 48,
        "dossier": 72,
        "reminder-3": 72,
        "reminder-17": 17 * 24,
    }


def test_every_rung_that_follows_another_comes_later_and_reminders_never_end() -> None:
    codes = ["hint", "reminder-1"]
    seen: set[str] = set()
    while codes and len(seen) < 20:
        code = codes.pop(0)
        seen.add(code)
        for rung in deadlines.following(code):
            assert rung.terms > deadlines.rung(code).terms
            codes.append(rung.code)

    assert {"call", "dossier", "reminder-2", "reminder-9"} <= seen
    assert set(deadlines.LADDER) <= seen


def test_there_is_no_rung_that_nobody_described() -> None:
    with pytest.raises(KeyError):
        deadlines.rung("telegram")


# -- rules ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_addendums_24_hours_are_the_first_rule() -> None:
    rule = rule_at(NOON)

    assert (rule.version, rule.term, rule.valid_from) == (1, DAY, FIRST_RULE["valid_from"])


@pytest.mark.django_db
def test_a_new_rule_counts_from_its_moment_on_and_leaves_running_clocks_alone() -> None:
    running = NoticeFactory(notified=True)
    rule = set_term(term=timedelta(hours=12), valid_from=NOON + DAY, by=SYSTEM, now=NOON)

    assert rule.version == 2
    assert rule_at(NOON + DAY - TICK).version == 1
    assert rule_at(NOON + DAY).version == 2
    with moving(running.pk, "mark", by=SYSTEM, now=NOON + 2 * DAY) as notice:
        notice.urgent = True
    again = Notice.objects.get(pk=running.pk)
    assert (again.due_at, again.rule.version if again.rule else None) == (NOON + DAY, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("term", "valid_from"),
    [(timedelta(0), NOON), (timedelta(hours=-1), NOON), (DAY, NOON - timedelta(minutes=2))],
    ids=["no term", "a negative term", "in the past"],
)
def test_a_rule_that_makes_no_sense_is_refused(term: timedelta, valid_from: datetime) -> None:
    with pytest.raises(Invalid):
        set_term(term=term, valid_from=valid_from, by=SYSTEM, now=NOON)
    assert DeadlineRule.objects.count() == 1


@pytest.mark.django_db
def test_two_rules_cannot_begin_at_one_moment() -> None:
    set_term(term=DAY, valid_from=NOON, by=SYSTEM, now=NOON)

    with pytest.raises(Invalid):
        set_term(term=timedelta(hours=12), valid_from=NOON, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_a_rule_is_never_changed() -> None:
    with pytest.raises(Exception, match="Cannot update or delete"):
        DeadlineRule.objects.update(term=timedelta(hours=1))


# -- overdue --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_unanswered_notice_escalates_after_24_hours_and_not_before() -> None:
    notice = NoticeFactory(notified=True)

    assert ladder.run_out_due(by=SYSTEM, now=NOON + DAY - TICK) == 0
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.NOTIFIED

    assert ladder.run_out_due(by=SYSTEM, now=NOON + DAY) == 1
    escalated = Notice.objects.get(pk=notice.pk)
    assert (escalated.state, escalated.escalated_at) == (Notice.State.ESCALATED, NOON + DAY)
    assert Step.objects.get(notice=notice, code="reminder-1").due_at == NOON + DAY
    assert ladder.run_out_due(by=SYSTEM, now=NOON + DAY) == 0


@pytest.mark.django_db
def test_overdue_is_true_whether_or_not_a_worker_has_recorded_it() -> None:
    notice = NoticeFactory(notified=True)
    NoticeFactory(removed=True)
    NoticeFactory(withdrawn=True)

    assert not Notice.objects.overdue(now=NOON + DAY - TICK).exists()
    assert list(Notice.objects.overdue(now=NOON + DAY)) == [notice]
    ladder.run_out_due(by=SYSTEM, now=NOON + DAY)
    assert list(Notice.objects.overdue(now=NOON + DAY)) == [notice]


@pytest.mark.django_db
def test_an_acknowledgement_a_claim_or_a_dispute_stops_no_clock() -> None:
    notice = NoticeFactory(notified=True, acknowledged_at=NOON, claimed_removed_at=NOON, disputed_at=NOON)

    ladder.run_out_due(by=SYSTEM, now=NOON + DAY)

    assert Notice.objects.get(pk=notice.pk).state == Notice.State.ESCALATED


@pytest.mark.django_db
def test_the_moment_of_escalation_is_the_due_moment_however_late_it_is_recorded() -> None:
    notice = NoticeFactory(notified=True)

    ladder.run_out_due(by=SYSTEM, now=NOON + DAY + timedelta(hours=10))

    assert Notice.objects.get(pk=notice.pk).escalated_at == NOON + DAY
