"""How long somebody looks in a day: what counts, when a break is due, and when it is enough."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from audit.models import Event
from audit.record import Actor
from cases.models import AtWork
from cases.services import wellbeing
from cases.services.refused import Invalid, WrongState
from cases.services.wellbeing import Today
from tests.factories import NOON, UserFactory

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def user() -> User:
    return UserFactory(analyst=True, name="Noor")


def work(user: User, *, begin: datetime = NOON, minutes: int, every: int = 1) -> Today:
    """Signs of activity for so many minutes; the last one's answer."""
    today = wellbeing.sign(user_id=user.pk, now=begin)
    for minute in range(every, minutes + 1, every):
        today = wellbeing.sign(user_id=user.pk, now=begin + minute * MINUTE)
    return today


def test_the_time_between_two_signs_counts_and_a_break_does_not(user: User) -> None:
    assert work(user, minutes=9, every=9).worked == 9 * MINUTE
    # Ten minutes are a break.
    assert wellbeing.sign(user_id=user.pk, now=NOON + 19 * MINUTE).worked == 9 * MINUTE
    assert wellbeing.sign(user_id=user.pk, now=NOON + 20 * MINUTE).worked == 10 * MINUTE


def test_two_pages_of_one_person_do_not_count_twice(user: User) -> None:
    for second in range(0, 600, 7):
        wellbeing.sign(user_id=user.pk, now=NOON + timedelta(seconds=second))
    today = wellbeing.sign(user_id=user.pk, now=NOON + 5 * MINUTE)  # a clock that is behind

    assert today.worked == timedelta(seconds=595)


def test_notices_are_counted_for_the_day(user: User) -> None:
    wellbeing.sign(user_id=user.pk, now=NOON, items=1)
    assert wellbeing.sign(user_id=user.pk, now=NOON + MINUTE, items=1).items == 2
    assert wellbeing.sign(user_id=user.pk, now=NOON + 24 * HOUR).items == 0


def test_a_break_is_hinted_at_after_45_minutes_and_not_again_at_once(user: User) -> None:
    assert not work(user, minutes=44).hint
    assert wellbeing.sign(user_id=user.pk, now=NOON + 45 * MINUTE).hint

    wellbeing.read_hint(user_id=user.pk, now=NOON + 45 * MINUTE)
    assert not work(user, begin=NOON + 46 * MINUTE, minutes=40).hint
    assert work(user, begin=NOON + 87 * MINUTE, minutes=3).hint

    # After a break it begins anew.
    assert not work(user, begin=NOON + 100 * MINUTE, minutes=44).hint


def test_after_four_hours_it_is_enough_until_the_next_day_in_amsterdam(user: User) -> None:
    evening = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
    assert not work(user, begin=evening, minutes=239).stopped
    assert wellbeing.sign(user_id=user.pk, now=evening + 240 * MINUTE).stopped

    # 23:00 UTC is midnight in Amsterdam.
    assert wellbeing.sign(user_id=user.pk, now=evening + 269 * MINUTE).stopped
    tomorrow = wellbeing.sign(user_id=user.pk, now=evening + 270 * MINUTE)
    assert (tomorrow.stopped, tomorrow.worked) == (False, timedelta(0))


def test_a_colleague_may_let_somebody_go_on_for_today_with_a_reason(user: User, lead: User) -> None:
    work(user, minutes=240)
    assert [each.user for each in wellbeing.stopped(now=NOON + 4 * HOUR)] == [user]

    wellbeing.lift(user_id=user.pk, because="ongoing", by=Actor.of(lead), now=NOON + 4 * HOUR)

    assert not wellbeing.sign(user_id=user.pk, now=NOON + 4 * HOUR + MINUTE).stopped
    assert wellbeing.stopped(now=NOON + 4 * HOUR) == []
    event = Event.objects.get(act="lift_stop")
    assert (event.actor, event.subject, event.subject_id) == (f"user:{lead.pk}", "user", user.pk)
    assert event.data == {"because": "ongoing"}
    assert work(user, begin=NOON + 24 * HOUR, minutes=240).stopped  # only for that day


def test_nobody_lets_themselves_go_on_or_somebody_whom_nothing_stops(user: User, lead: User) -> None:
    work(lead, minutes=240)
    work(user, minutes=10)

    with pytest.raises(Invalid, match="Somebody else"):
        wellbeing.lift(user_id=lead.pk, because="asked", by=Actor.of(lead), now=NOON + 4 * HOUR)
    with pytest.raises(WrongState):
        wellbeing.lift(user_id=user.pk, because="asked", by=Actor.of(lead), now=NOON + 4 * HOUR)
    with pytest.raises(Invalid, match="Say why"):
        wellbeing.lift(user_id=user.pk, because="", by=Actor.of(lead), now=NOON + 4 * HOUR)
    assert not Event.objects.filter(act="lift_stop").exists()


def test_only_today_is_kept(user: User) -> None:
    work(user, minutes=60)
    work(user, begin=NOON + 48 * HOUR, minutes=5)

    assert AtWork.objects.get().worked == 5 * MINUTE


@pytest.fixture
def lead() -> User:
    return UserFactory(lead=True, name="Jip")
