"""Sightings come in, and only what they prove is concluded."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from unittest.mock import Mock

import pytest
from django.db import connection

from audit.models import Event
from audit.record import Actor
from cases.models import LookTally, Notice, Sighting, Step, Vantage
from cases.services import due_checks, observe, placing
from cases.services.due_checks import Check
from cases.services.moving import moving_many
from cases.services.observe import Seen, Taken
from tests.factories import NOON, SYSTEM, NoticeFactory, SightingFactory, many

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def lease_checks(*, limit: int, now: datetime) -> list[Check]:
    return due_checks.lease_checks(limit=limit, by=SYSTEM, now=now)


def look(notice: Notice, at: datetime, outcome: str, *, now: datetime | None = None, **more: str) -> Taken:
    """One sighting, heard of when it was made unless said otherwise."""
    seen = Seen(notice.reference, at, outcome, more.pop("vantage", "checker-nl"), **more)  # type: ignore[arg-type]
    (taken,) = observe.observe(sightings=[seen], by=SYSTEM, now=now or at)
    return taken


def see_gone(notice: Notice, since: datetime) -> None:
    for minutes in (0, 5, 10):
        look(notice, since + minutes * MINUTE, "gone")


def now_of(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def followers(notice: Notice) -> list[Notice]:
    return list(Notice.objects.filter(content=notice.content).exclude(pk=notice.pk))


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["notified", "escalated"])
def test_three_looks_that_say_gone_remove_a_notice_since_the_first_of_them(state: str) -> None:
    notice = NoticeFactory(**{state: True})
    since = NOON + 30 * HOUR
    look(notice, since, "gone")
    look(notice, since + 5 * MINUTE, "gone")
    assert now_of(notice).state == state

    look(notice, since + 10 * MINUTE, "gone")

    gone = now_of(notice)
    assert (gone.state, gone.gone_since, gone.removed_at) == ("removed", since, since + 10 * MINUTE)
    assert gone.next_check_at == since + 10 * MINUTE + DAY
    assert not Step.objects.filter(notice=notice, taken_at__isnull=True).exists()


@pytest.mark.django_db
def test_all_three_looks_may_come_in_one_call_and_in_any_order() -> None:
    notice = NoticeFactory(notified=True)
    seen = [Seen(notice.reference, NOON + m * MINUTE, "gone", "checker-nl") for m in (10, 0, 5)]

    taken = observe.observe(sightings=seen, by=SYSTEM, now=NOON + 10 * MINUTE)

    assert [each.outcome for each in taken] == ["recorded"] * 3
    assert now_of(notice).gone_since == NOON


@pytest.mark.django_db
def test_unknown_is_never_gone() -> None:
    notice = NoticeFactory(notified=True)
    for minutes in range(0, 60, 5):
        look(notice, NOON + minutes * MINUTE, "unknown")

    assert now_of(notice).state == Notice.State.NOTIFIED
    assert now_of(notice).last_seen_online_at is None


@pytest.mark.django_db
def test_a_page_that_flaps_is_not_removed() -> None:
    notice = NoticeFactory(notified=True)
    for minutes, outcome in ((0, "gone"), (5, "gone"), (8, "online"), (10, "gone"), (15, "gone")):
        look(notice, NOON + minutes * MINUTE, outcome)

    flapping = now_of(notice)
    assert (flapping.state, flapping.last_seen_online_at) == ("notified", NOON + 8 * MINUTE)
    assert flapping.next_check_at == NOON + 20 * MINUTE


@pytest.mark.django_db
def test_the_same_look_again_is_known_and_counts_once() -> None:
    notice = NoticeFactory(notified=True)

    assert look(notice, NOON, "gone").outcome == "recorded"
    assert look(notice, NOON, "gone").outcome == "known"
    assert look(notice, NOON, "online").outcome == "known"
    assert look(notice, NOON, "gone", vantage="checker-de").outcome == "recorded"
    twice = [Seen(notice.reference, NOON + MINUTE, "gone", "checker-nl")] * 2
    assert [each.outcome for each in observe.observe(sightings=twice, by=SYSTEM, now=NOON + MINUTE)] == [
        "recorded",
        "known",
    ]
    assert Sighting.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seen_at", "outcome", "reason"),
    [
        (NOON + HOUR + timedelta(minutes=2, microseconds=1), "online", "future"),
        (NOON - timedelta(minutes=2, microseconds=1), "online", "before the notice was sent"),
        (NOON, "evaporated", "not one of the outcomes"),
    ],
    ids=["future", "before", "no outcome"],
)
def test_a_sighting_that_makes_no_sense_is_refused_in_words(
    seen_at: datetime, outcome: str, reason: str
) -> None:
    taken = look(NoticeFactory(notified=True), seen_at, outcome, now=NOON + HOUR)

    assert taken.outcome == "refused"
    assert reason in taken.reason
    assert not Sighting.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("skew", [-2 * MINUTE, 2 * MINUTE])
def test_a_checkers_clock_may_be_two_minutes_off(skew: timedelta) -> None:
    assert look(NoticeFactory(notified=True), NOON + skew, "online", now=NOON).outcome == "recorded"


@pytest.mark.django_db
def test_what_was_never_sent_and_what_does_not_exist_is_the_same_to_a_checker() -> None:
    unsent = NoticeFactory(routed=True)
    taken = observe.observe(
        sightings=[Seen(reference, NOON, "gone", "checker-nl") for reference in (unsent.reference, "N-0")],
        by=SYSTEM,
        now=NOON,
    )

    assert {(each.outcome, each.reason) for each in taken} == {("refused", "There is no such notice.")}


@pytest.mark.django_db
def test_one_refused_sighting_never_loses_the_others() -> None:
    notice = NoticeFactory(notified=True)
    taken = observe.observe(
        sightings=[Seen("N-0", NOON, "gone", "c"), Seen(notice.reference, NOON, "online", "c")],
        by=SYSTEM,
        now=NOON,
    )

    assert [each.outcome for each in taken] == ["refused", "recorded"]
    assert now_of(notice).last_seen_online_at == NOON


@pytest.mark.django_db
def test_a_late_message_of_an_old_look_does_not_turn_the_clock_back() -> None:
    notice = NoticeFactory(notified=True)
    look(notice, NOON + HOUR, "online")
    look(notice, NOON + 30 * MINUTE, "online", now=NOON + 2 * HOUR)

    assert now_of(notice).last_seen_online_at == NOON + HOUR


# -- what comes back ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_material_that_comes_back_gets_a_new_notice_that_points_to_the_old_one() -> None:
    notice = NoticeFactory(notified=True)
    see_gone(notice, NOON + HOUR)

    look(notice, NOON + 2 * HOUR, "online")

    (again,) = followers(notice)
    assert (again.state, again.previous, again.received_at) == ("received", notice, NOON + 2 * HOUR)
    assert again.assessed_at is None
    assert now_of(notice).state == Notice.State.REMOVED
    assert now_of(notice).gone_since == NOON + HOUR


@pytest.mark.django_db
def test_more_looks_at_the_old_notice_open_nothing_more() -> None:
    notice = NoticeFactory(notified=True)
    see_gone(notice, NOON + HOUR)
    look(notice, NOON + 2 * HOUR, "online")
    look(notice, NOON + 3 * HOUR, "online")
    look(notice, NOON + 4 * HOUR, "gone")

    assert len(followers(notice)) == 1


@pytest.mark.django_db
def test_a_look_that_says_gone_opens_nothing_even_when_the_follower_was_closed() -> None:
    notice = NoticeFactory(removed=True, last_seen_online_at=NOON + 5 * HOUR)
    NoticeFactory(dismissed=True, content=notice.content, previous=notice)

    look(notice, NOON + 6 * HOUR, "gone")

    assert len(followers(notice)) == 1


@pytest.mark.django_db
def test_the_next_return_points_to_the_last_notice_of_the_chain() -> None:
    first = NoticeFactory(removed=True)
    second = NoticeFactory(removed=True, content=first.content, previous=first, notified_at=NOON + 10 * HOUR)

    look(second, NOON + 20 * HOUR, "online")

    third = Notice.objects.exclude(pk__in=[first.pk, second.pk]).get()
    assert third.previous == second


@pytest.mark.django_db
def test_a_late_look_from_elsewhere_that_contradicts_a_removal_opens_a_notice() -> None:
    notice = NoticeFactory(notified=True)
    see_gone(notice, NOON + HOUR)

    look(notice, NOON + HOUR + 7 * MINUTE, "online", now=NOON + 2 * HOUR, vantage="checker-de")

    assert len(followers(notice)) == 1


@pytest.mark.django_db
def test_a_look_from_before_the_removal_opens_nothing() -> None:
    notice = NoticeFactory(notified=True)
    see_gone(notice, NOON + HOUR)

    look(notice, NOON + 30 * MINUTE, "online", now=NOON + 2 * HOUR)

    assert followers(notice) == []


@pytest.mark.django_db
def test_a_withdrawn_notice_concludes_nothing_more() -> None:
    notice = NoticeFactory(withdrawn=True)
    see_gone(notice, NOON + 2 * HOUR)

    assert now_of(notice).state == Notice.State.WITHDRAWN
    assert now_of(notice).next_check_at is None


# -- handing out checks ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_due_checks_are_handed_out_oldest_first_and_to_one_checker() -> None:
    later = NoticeFactory(notified=True, next_check_at=NOON)
    earlier = NoticeFactory(notified=True, next_check_at=NOON - HOUR)
    NoticeFactory(notified=True, next_check_at=NOON + timedelta(microseconds=1))

    first = lease_checks(limit=1, now=NOON)
    second = lease_checks(limit=10, now=NOON)

    assert [each.notice for each in first] == [earlier.reference]
    assert [each.notice for each in second] == [later.reference]
    assert first[0].url == earlier.content.url
    assert first[0].lease_until == NOON + timedelta(minutes=5)
    assert lease_checks(limit=10, now=NOON) == []
    assert len(lease_checks(limit=10, now=first[0].lease_until)) == 3


@pytest.mark.django_db
def test_a_look_ends_the_lease_and_sets_the_next() -> None:
    notice = NoticeFactory(notified=True)
    lease_checks(limit=1, now=NOON)
    look(notice, NOON + MINUTE, "online")

    assert now_of(notice).check_leased_until is None
    assert now_of(notice).next_check_at == NOON + HOUR + MINUTE


@pytest.mark.django_db
def test_a_checker_learns_the_digest_that_was_seen_first() -> None:
    notice = NoticeFactory(notified=True)
    SightingFactory(notice=notice, seen_at=NOON, digest="aa")
    SightingFactory(notice=notice, seen_at=NOON + MINUTE, digest="bb")

    (check,) = lease_checks(limit=1, now=NOON + HOUR)

    assert check.expect_digest == "aa"


@pytest.mark.django_db
def test_an_address_that_does_not_open_holds_no_other_check_up(caplog: pytest.LogCaptureFixture) -> None:
    broken = NoticeFactory(notified=True, next_check_at=NOON - HOUR)
    fine = NoticeFactory(notified=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_content SET url_sealed = '\\x00' WHERE id = %s", [broken.content_id])

    assert [each.notice for each in lease_checks(limit=10, now=NOON)] == [fine.reference]
    assert broken.reference in caplog.text


@pytest.mark.django_db
def test_what_a_provider_says_is_removed_is_looked_at_before_all_else_that_is_due() -> None:
    waits = NoticeFactory(notified=True, next_check_at=NOON - 9 * HOUR)
    claimed = NoticeFactory(notified=True, next_check_at=NOON, claimed_removed_at=NOON)
    late_too = NoticeFactory(notified=True, next_check_at=NOON - HOUR, claimed_removed_at=NOON - MINUTE)
    answered = NoticeFactory(notified=True, next_check_at=NOON - 2 * HOUR, claimed_removed_at=NOON - 3 * HOUR)

    first = lease_checks(limit=3, now=NOON)

    assert [each.notice for each in first] == [late_too.reference, claimed.reference, waits.reference]
    assert [each.notice for each in lease_checks(limit=3, now=NOON)] == [answered.reference]


@pytest.mark.django_db
def test_a_look_from_before_a_claim_is_kept_and_does_not_answer_it() -> None:
    notice = NoticeFactory(notified=True, next_check_at=NOON + HOUR, claimed_removed_at=NOON + HOUR)
    (check,) = lease_checks(limit=1, now=NOON + HOUR)

    # Another checker was cut off from us for a while: its look is older than the claim.
    taken = look(notice, NOON + 59 * MINUTE, "online", now=NOON + 61 * MINUTE, vantage="elsewhere")

    after = now_of(notice)
    assert taken.outcome == "recorded"
    assert after.last_seen_online_at == NOON + 59 * MINUTE
    assert (after.next_check_at, after.check_leased_until) == (NOON + HOUR, check.lease_until)

    look(notice, NOON + 61 * MINUTE, "online")

    assert now_of(notice).next_check_at == NOON + 2 * HOUR + MINUTE
    assert now_of(notice).check_leased_until is None


@pytest.mark.django_db
def test_a_lease_that_ran_out_is_handed_out_again_and_both_looks_count() -> None:
    notice = NoticeFactory(notified=True)
    (lost,) = lease_checks(limit=1, now=NOON)
    (again,) = lease_checks(limit=1, now=lost.lease_until)

    assert look(notice, NOON + MINUTE, "gone", now=NOON + 6 * MINUTE, vantage="slow").outcome == "recorded"
    assert look(notice, NOON + 7 * MINUTE, "gone", vantage="quick").outcome == "recorded"

    assert again.notice == lost.notice == notice.reference
    assert now_of(notice).next_check_at == NOON + 11 * MINUTE, "in doubt since the first look that said gone"


@pytest.mark.django_db
def test_a_late_look_never_puts_off_the_next_one() -> None:
    notice = NoticeFactory(notified=True, next_check_at=NOON + 5 * HOUR)

    look(notice, NOON + HOUR, "online", now=NOON + 4 * HOUR + 50 * MINUTE)
    assert now_of(notice).next_check_at == NOON + 5 * HOUR

    look(notice, NOON + 2 * HOUR, "gone", now=NOON + 4 * HOUR + 51 * MINUTE)
    assert now_of(notice).next_check_at == NOON + 4 * HOUR + 56 * MINUTE


@pytest.mark.django_db
def test_a_look_that_moves_no_state_makes_nobody_late_and_is_its_own_record() -> None:
    notice = NoticeFactory(notified=True)
    events = Event.objects.count()

    look(notice, NOON + MINUTE, "online")

    assert now_of(notice).version == notice.version
    assert Event.objects.count() == events


@pytest.mark.django_db
def test_a_report_that_cannot_open_the_new_notice_is_not_taken_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notice = NoticeFactory(removed=True, next_check_at=NOON + 2 * HOUR)
    with monkeypatch.context() as broken:
        broken.setattr(placing, "open_notices", Mock(side_effect=RuntimeError))
        with pytest.raises(RuntimeError):
            look(notice, NOON + 2 * HOUR, "online")
    assert not Sighting.objects.filter(notice=notice, seen_at=NOON + 2 * HOUR).exists()

    # The checker reports again.
    assert look(notice, NOON + 2 * HOUR, "online").outcome == "recorded"
    assert len(followers(notice)) == 1


@pytest.mark.django_db
def test_no_machine_says_that_a_person_looked() -> None:
    notice = NoticeFactory(notified=True)

    assert look(notice, NOON + MINUTE, "gone", vantage="person").outcome == "refused"


@pytest.mark.django_db
def test_it_is_kept_when_a_checker_was_heard_of_and_what_it_brought() -> None:
    notices = [NoticeFactory(notified=True) for _ in range(3)]
    by = Actor("key", "7")
    due_checks.lease_checks(limit=9, vantage="Delft", by=by, now=NOON)
    seen = [
        Seen(notice.reference, NOON + MINUTE, outcome, "Delft")
        for notice, outcome in zip(notices, ("online", "online", "blocked"), strict=True)
    ]
    for _again in range(2):
        observe.observe(sightings=seen, by=by, now=NOON + 2 * MINUTE)
    observe.observe(
        sightings=[Seen(notices[0].reference, NOON + 9 * MINUTE, "online", "Delft")],
        by=by,
        now=NOON + 9 * MINUTE,
    )

    heard = Vantage.objects.get(name="Delft", by="key:7")
    assert (heard.asked_at, heard.reported_at) == (NOON, NOON + 9 * MINUTE)
    tallies = LookTally.objects.values_list("since", "outcome", "looks")
    assert set(tallies) == {(NOON, "online", 3), (NOON, "blocked", 1)}


@pytest.mark.django_db(transaction=True)
def test_checkers_that_ask_at_once_share_the_work_and_wait_for_nobody() -> None:
    many(60, notified=True)
    due = set(Notice.objects.values_list("reference", flat=True))

    def ask(number: int) -> list[str]:
        try:
            return [each.notice for each in lease_checks(limit=20, now=NOON)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as checkers:
        handed_out = [notice for notices in checkers.map(ask, range(4)) for notice in notices]

    assert len(handed_out) == len(set(handed_out)) == 60
    assert set(handed_out) == due


@pytest.mark.django_db
@pytest.mark.parametrize("touch", ["urgent", "customer_reference"])
def test_an_act_that_reads_few_columns_cannot_touch_another_in_silence(touch: str) -> None:
    notice = NoticeFactory(notified=True)
    few = moving_many([notice.pk], "observe", by=SYSTEM, now=NOON, only=["state", "reference"])

    with pytest.raises(RuntimeError, match="not among those"), few as notices:
        setattr(notices[0], touch, getattr(notices[0], touch))


@pytest.mark.django_db
def test_an_act_that_reads_few_columns_cannot_change_what_another_is_derived_from() -> None:
    notice = NoticeFactory(notified=True)
    few = moving_many([notice.pk], "observe", by=SYSTEM, now=NOON, only=["state", "urgent"])

    with pytest.raises(RuntimeError, match="derived"), few as notices:
        notices[0].urgent = True
    assert not now_of(notice).urgent
