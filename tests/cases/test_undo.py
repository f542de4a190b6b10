"""Thinking again: as long as nothing has left the house, and against the sender that is about to let it leave."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connection

from accounts.models import User
from audit.models import Event
from audit.record import Actor
from cases.models import Dispatch, DispatchLine, Notice, SecondLook
from cases.services import assess, looks, route
from cases.services.refused import WrongState
from cases.services.sending import claim
from cases.services.undo import NotYours, undo, undoable
from tests.conftest import FixedResolver
from tests.factories import NOON, SYSTEM, ContactFactory, NoticeFactory, UserFactory

MINUTE = timedelta(minutes=1)


@pytest.fixture
def noor(db: None) -> User:
    return UserFactory(analyst=True, name="Noor")


def judged(
    person: User, legal_class: str = "baseline", *, at: datetime = NOON, urgent: bool = False
) -> Notice:
    ContactFactory(approved=True)
    notice = NoticeFactory(attributed=True, attribution__at=at)
    return assess.assess(
        notice_id=notice.pk,
        legal_class=legal_class,
        reason="" if legal_class in {"baseline", "national"} else "adult",
        urgent=urgent,
        by=Actor.of(person),
        now=at,
    )


def routed(at: datetime) -> None:
    route.route_due(resolver=FixedResolver(), by=SYSTEM, now=at)


def until(person: User, *, at: datetime) -> list[tuple[int, datetime | None]]:
    return [(each.notice_id, moment) for each, moment in undoable(user_id=person.pk, now=at)]


@pytest.mark.django_db
def test_a_judgement_is_undone_before_it_is_on_a_message_and_while_that_waits(noor: User) -> None:
    notice = judged(noor)
    assert until(noor, at=NOON) == [(notice.pk, NOON + 10 * MINUTE)]
    undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON)
    assert until(noor, at=NOON) == []

    assess.assess(notice_id=notice.pk, legal_class="baseline", by=Actor.of(noor), now=NOON + MINUTE)
    routed(NOON + 2 * MINUTE)
    assert until(noor, at=NOON + 3 * MINUTE) == [(notice.pk, NOON + 12 * MINUTE)]
    undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON + 11 * MINUTE)

    again = Notice.objects.get(pk=notice.pk)
    assert (again.assessed_at, again.routed_at, again.legal_class) == (None, None, "")
    assert DispatchLine.objects.get().dropped_because == "taken_back"


@pytest.mark.django_db
def test_who_joins_a_message_has_the_whole_window_to_think_again(noor: User) -> None:
    first = judged(noor)
    routed(NOON)
    second = judged(noor, at=NOON + 9 * MINUTE)
    routed(NOON + 9 * MINUTE)
    third = judged(noor, at=NOON + 11 * MINUTE)
    routed(NOON + 11 * MINUTE)

    found = dict(until(noor, at=NOON + 11 * MINUTE))
    assert found[first.pk] == found[second.pk] == NOON + 19 * MINUTE
    # It has gathered for a window: the next begins a message of its own, so that the first one leaves.
    assert found[third.pk] == NOON + 21 * MINUTE
    assert Dispatch.objects.count() == 2


@pytest.mark.django_db
def test_what_waits_for_a_yes_can_be_undone_until_somebody_gives_it(noor: User) -> None:
    notice = judged(noor)
    Dispatch.objects.update(approval_reason="")
    routed(NOON)
    Dispatch.objects.update(approval_reason="new_contact")

    assert until(noor, at=NOON + 60 * MINUTE) == [(notice.pk, None)]


@pytest.mark.django_db
def test_what_was_urgent_goes_first_when_it_is_judged_again(noor: User) -> None:
    notice = judged(noor, urgent=True)

    undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON)

    assert Notice.objects.get(pk=notice.pk).priority == 2


@pytest.mark.django_db
def test_a_dismissal_is_undone_by_a_new_notice_that_follows_it(noor: User) -> None:
    notice = judged(noor, "not_illegal")
    assert until(noor, at=NOON + 9 * MINUTE) == [(notice.pk, NOON + 10 * MINUTE)]

    again = undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON + 9 * MINUTE)

    assert (again.previous_id, again.content_id) == (notice.pk, notice.content_id)
    # It waits since the first one came in, and where it is hosted is known.
    assert (again.received_at, again.provider_id) == (notice.received_at, notice.provider_id)
    assert again.attribution_id == notice.attribution_id
    assert Notice.objects.get(pk=notice.pk).state == "dismissed"
    assert until(noor, at=NOON + 9 * MINUTE) == []
    with pytest.raises(WrongState):
        undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON + 9 * MINUTE)
    event = Event.objects.get(subject="notice", subject_id=again.pk, act="receive")
    assert event.data == {"undone": notice.reference}


@pytest.mark.django_db
def test_of_a_dismissal_that_was_undone_nobody_judges_a_second_time(noor: User) -> None:
    notice = judged(noor, "not_illegal")
    looks.want_second(notice_id=notice.pk, why="sample", by=SYSTEM, now=NOON)

    undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON + MINUTE)

    assert SecondLook.objects.get().outcome == "overtaken"


@pytest.mark.django_db
def test_a_dismissal_stands_when_its_time_is_over(noor: User) -> None:
    notice = judged(noor, "cannot_judge")

    assert until(noor, at=NOON + 10 * MINUTE) == []
    with pytest.raises(WrongState):
        undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON + 10 * MINUTE)


@pytest.mark.django_db
def test_nobody_undoes_what_a_colleague_judged(noor: User) -> None:
    sam = UserFactory(supervisor=True)
    notice = judged(noor)

    with pytest.raises(NotYours):
        undo(notice_id=notice.pk, by=Actor.of(sam), now=NOON)
    assert until(sam, at=NOON) == []


@pytest.mark.django_db
def test_it_is_too_late_from_the_moment_the_sender_has_it(noor: User) -> None:
    notice = judged(noor)
    routed(NOON)
    claim(now=NOON + 10 * MINUTE, limit=10)

    assert until(noor, at=NOON + 10 * MINUTE) == []
    with pytest.raises(WrongState):
        undo(notice_id=notice.pk, by=Actor.of(noor), now=NOON + 10 * MINUTE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(6))
def test_against_the_sender_it_is_either_undone_or_sent(
    turn: int, together: Callable[..., None], host: Callable[..., None]
) -> None:
    """Whoever comes first wins whole: what was undone is on no message that anybody has claimed with it."""
    noor = UserFactory(analyst=True)
    notices = [judged(noor) for _ in range(3)]
    routed(NOON)
    at = NOON + 10 * MINUTE
    undone: list[int] = []

    def take(notice: Notice) -> None:
        try:
            undo(notice_id=notice.pk, by=Actor.of(noor), now=at)
            undone.append(notice.pk)
        except WrongState:
            pass

    claims: list[object] = []
    acts: list[Callable[[], object]] = [partial(take, notice) for notice in notices]
    acts.insert(turn % 4, lambda: claims.extend(claim(now=at, limit=10)))
    together(*acts)

    # A message that is just being taken from is passed over; the next round of the sender finds it.
    assert len(claims or claim(now=at, limit=10)) == 1
    for notice in Notice.objects.filter(pk__in=[n.pk for n in notices]):
        line = notice.dispatch_lines.get()
        assert (notice.pk in undone) == (notice.assessed_at is None) == (line.dropped_because == "taken_back")


@pytest.fixture
def together() -> Callable[..., None]:
    """Run acts at the same time, each with a connection of its own; what one of them raises comes out."""

    def run(*acts: Callable[[], object]) -> None:
        at_once, raised = threading.Barrier(len(acts)), []

        def one(act: Callable[[], object]) -> None:
            try:
                at_once.wait(timeout=30)
                act()
            except Exception as error:  # noqa: BLE001 - it is raised again below
                raised.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        if raised:
            raise raised[0]

    return run
