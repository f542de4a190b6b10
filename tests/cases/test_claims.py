"""Claims of the work desk: nobody gets what a colleague has, and nothing stays stuck."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from audit.models import Event
from audit.record import Actor
from cases.admin import turn
from cases.models import Claim, Content, Notice
from cases.priority import Priority, priority_of
from cases.services import assess, claims, receive
from cases.services.claims import ALIVE, IDLE, Kept
from tests.factories import NOON, SYSTEM, NoticeFactory, SourceFactory, UserFactory

MINUTE = timedelta(minutes=1)


def waiting(count: int) -> list[Notice]:
    """Notices that wait to be judged, the oldest first."""
    return [NoticeFactory(received_at=NOON - timedelta(minutes=count - n)) for n in range(count)]


def person(number: int) -> User:
    return UserFactory(email=f"assessor{number}@hotline.example", name=f"Assessor {number}")


def next_of(user: User) -> int | None:
    claim = turn.next_for(user.pk, NOON)
    return claim.notice_id if claim else None


def keep(claim: Claim, *, active: bool = True, after: timedelta = timedelta(0)) -> Kept:
    return claims.keep(
        notice_id=claim.notice_id, work=claim.work, user_id=claim.user_id, active=active, now=NOON + after
    )


@pytest.fixture
def claim(db: None) -> Claim:
    """Somebody's only notice, claimed at noon."""
    waiting(1)
    made = turn.next_for(person(1).pk, NOON)
    assert made is not None
    return made


@pytest.mark.django_db(transaction=True)
def test_twenty_assessors_who_ask_at_once_get_twenty_notices() -> None:
    people, rounds = [person(n) for n in range(20)], 5
    for notice in waiting(110):
        assert notice.priority == 5
    given: list[tuple[int, int]] = []
    at_once = threading.Barrier(len(people))

    def work(user_id: int) -> None:
        try:
            for _ in range(rounds):
                at_once.wait(timeout=30)
                claim = turn.next_for(user_id, NOON)
                assert claim is not None
                given.append((claim.notice_id, user_id))
                at_once.wait(timeout=30)
                # Judged: from now on it is in nobody's queue.
                Notice.objects.filter(pk=claim.notice_id).update(assessed_at=NOON, legal_class="baseline")
                claims.release(notice_id=claim.notice_id, user_id=user_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(user.pk,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(given) == len(people) * rounds
    assert max(Counter(notice for notice, _user in given).values()) == 1
    oldest = set(Notice.objects.order_by("received_at").values_list("pk", flat=True)[:100])
    assert {notice for notice, _user in given} == oldest  # and nobody jumped the queue
    assert not Claim.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_notice_and_twenty_assessors_is_one_claim() -> None:
    waiting(1)
    people, got = [person(n) for n in range(20)], []
    at_once = threading.Barrier(len(people))

    def ask(user_id: int) -> None:
        try:
            at_once.wait(timeout=30)
            got.append(turn.next_for(user_id, NOON))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(user.pk,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(got) == 20
    assert len([claim for claim in got if claim is not None]) == 1


@pytest.mark.django_db
def test_asking_again_gives_the_same_until_it_is_judged() -> None:
    first, second = waiting(2)
    user = person(1)

    assert next_of(user) == next_of(user) == first.pk

    Notice.objects.filter(pk=first.pk).update(assessed_at=NOON)
    assert next_of(user) == second.pk
    assert Claim.objects.get().notice_id == second.pk


@pytest.mark.django_db
def test_a_page_that_is_heard_of_no_more_holds_nothing_up(claim: Claim) -> None:
    colleague = person(2).pk

    assert turn.next_for(colleague, NOON + ALIVE - MINUTE) is None
    taken = turn.next_for(colleague, NOON + ALIVE)

    assert taken is not None
    assert (taken.notice_id, taken.user_id) == (claim.notice_id, colleague)
    assert keep(claim, after=ALIVE + MINUTE) == Kept.TAKEN


def test_reading_keeps_a_notice_for_as_long_as_the_page_is_open_and_somebody_is_there(claim: Claim) -> None:
    for minute in range(1, 20):
        assert keep(claim, active=False, after=minute * MINUTE) == Kept.YES
    assert keep(claim, active=False, after=IDLE) == Kept.IDLE
    assert turn.next_for(person(2).pk, NOON + IDLE) is not None


def test_a_key_in_time_prolongs_it(claim: Claim) -> None:
    for minute in range(0, 120, 4):
        assert keep(claim, after=minute * MINUTE) == Kept.YES
    assert keep(claim, active=False, after=119 * MINUTE) == Kept.YES


def test_what_was_given_back_for_want_of_activity_is_taken_up_again_by_going_on(claim: Claim) -> None:
    for minutes in (4, 8, 12, 16):
        keep(claim, active=False, after=minutes * MINUTE)
    assert keep(claim, active=False, after=IDLE) == Kept.IDLE
    assert keep(claim, active=False, after=IDLE + MINUTE) == Kept.IDLE

    assert keep(claim, after=IDLE + 2 * MINUTE) == Kept.YES
    assert turn.next_for(person(2).pk, NOON + IDLE + 2 * MINUTE) is None


def test_a_page_gives_back_only_what_no_later_page_shows(claim: Claim) -> None:
    claims.show(claim, page="first", now=NOON)
    claims.show(claim, page="second", now=NOON)

    claims.release(notice_id=claim.notice_id, user_id=claim.user_id, page="first")
    assert Claim.objects.exists()

    claims.release(notice_id=claim.notice_id, user_id=claim.user_id, page="second")
    assert not Claim.objects.exists()


def test_nobody_gives_back_what_is_a_colleagues(claim: Claim) -> None:
    colleague = person(2).pk

    claims.release(notice_id=claim.notice_id, user_id=colleague)
    claims.release_all(user_id=colleague)

    assert not claims.take(notice_id=claim.notice_id, work="first", user_id=colleague, now=NOON)
    assert claims.holders([claim.notice_id], now=NOON) == {claim.notice_id: claim.user_id}


def test_a_claim_is_no_part_of_the_history(claim: Claim) -> None:
    claims.release_all(user_id=claim.user_id)

    assert not Event.objects.exclude(act="receive").exists()


# -- the order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, 5),
        ({"corroborated": True}, 4),
        ({"came_back": True, "corroborated": True}, 3),
        ({"urgent": True, "came_back": True}, 2),
        ({"held": True, "urgent": True}, 1),
    ],
)
def test_the_first_class_that_fits_is_the_priority(facts: dict[str, bool], expected: int) -> None:
    assert priority_of(**facts) == expected


def reported(address: str, source: str, **fields: Any) -> Notice:
    receive.receive(
        source=SourceFactory(code=source), way="form", lines=[receive.Line(address)], by=SYSTEM, now=NOON
    )
    return Notice.objects.get(content__url_key=Content.key_of(address), **fields)


@pytest.mark.django_db
def test_a_second_source_moves_a_notice_up_and_the_same_source_does_not() -> None:
    address = "https://forum.example/a.jpg"
    assert reported(address, "partner").priority == Priority.REST

    assert reported(address, "partner").priority == Priority.REST
    again = reported(address, "police")

    assert (again.corroborated, again.priority) == (True, Priority.SEVERAL_SOURCES)
    assert again.version == 0  # what a judgement rests on has not changed


@pytest.mark.django_db
def test_what_comes_back_goes_before_others_only_after_a_removal() -> None:
    gone, dismissed = NoticeFactory(removed=True), NoticeFactory(dismissed=True)

    back = reported(gone.content.url, "partner", state="received")
    again = reported(dismissed.content.url, "partner", state="received")

    assert (back.came_back, back.priority) == (True, Priority.CAME_BACK)
    assert (again.came_back, again.priority) == (False, Priority.REST)


@pytest.mark.django_db
def test_the_priority_follows_a_hold_and_its_end() -> None:
    notice, by = NoticeFactory(came_back=True), Actor.of(person(1))

    held = assess.hold(
        notice_id=notice.pk, kind="police_first", reason="a victim", until=None, by=by, now=NOON
    )
    assert held.priority == Priority.HELD

    released = assess.release(notice_id=notice.pk, by=by, now=NOON)
    assert Notice.objects.get(pk=released.pk).priority == Priority.CAME_BACK
