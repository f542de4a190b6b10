"""Whose turn it is: urgent first, contacts in turn, one at a time, no faster than they can bear."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.models import Event
from cases.models import Attempt, Dispatch, DispatchLine, Notice, Pace
from cases.services import outgoing
from cases.services.enqueue import enqueue
from cases.services.sending import (
    CLAIM,
    LEASE,
    claim,
    deliver_due,
    give_back,
    prepare,
    settle,
)
from cases.services.sending.pacing import host_of
from providers.channels.result import Accepted, Failed
from providers.models import Contact
from takedown.env import Mail, Rate
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    many,
)
from tests.mailserver import LATER, STALL, MailServer

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def send(static_resolver: FixedResolver) -> Callable[..., int]:
    """`send(at)`: one pass at an instant."""
    return lambda at=NOON: deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: at)


def contact(code: str, **fields: Any) -> Contact:
    made: Contact = ContactFactory(approved=True, provider=ProviderFactory(code=code), **fields)
    return made


def message(to: Contact, **fields: Any) -> Dispatch:
    """A message of one notice, due at NOON."""
    dispatch: Dispatch = DispatchFactory(contact=to, **fields)
    NoticeFactory(routed=True, dispatch=dispatch, provider=to.provider)
    return dispatch


def claimed(at: datetime = NOON, limit: int = CLAIM) -> list[int]:
    return [held.dispatch_id for held in claim(now=at, limit=limit)]


def the(dispatch: Dispatch) -> Dispatch:
    return Dispatch.objects.get(pk=dispatch.pk)


# -- turns ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_contact_gets_one_message_at_a_time() -> None:
    alfa = contact("alfa")
    first, second = message(alfa), message(alfa)

    (held,) = claim(now=NOON, limit=CLAIM)
    assert held.dispatch_id == first.pk
    assert claimed() == []

    settle(held, Accepted("250 OK"), by=SYSTEM, now=NOON)
    assert claimed() == [second.pk]


@pytest.mark.django_db
def test_what_a_killed_worker_held_holds_its_contact_up_for_one_lease_and_no_longer() -> None:
    alfa = contact("alfa")
    held = message(alfa)
    message(alfa)
    claimed()

    assert claimed(NOON + LEASE - timedelta(microseconds=1)) == []
    assert claimed(NOON + LEASE) == [held.pk]


@pytest.mark.django_db
def test_urgent_messages_go_before_all_others() -> None:
    alfa, beta = contact("alfa"), contact("beta")
    message(alfa, next_attempt_at=NOON - MINUTE)
    message(beta, next_attempt_at=NOON - MINUTE)
    urgent = message(beta, urgent=True)

    assert claimed(limit=1) == [urgent.pk]


@pytest.mark.django_db
def test_a_contact_with_many_messages_does_not_hold_up_one_with_a_single_one() -> None:
    busy, quiet = contact("busy"), contact("quiet")
    for _ in range(5):
        message(busy, next_attempt_at=NOON - MINUTE)
    (first,) = claim(now=NOON, limit=1)
    settle(first, Accepted("250 OK"), by=SYSTEM, now=NOON)
    single = message(quiet)

    assert claimed(limit=1) == [single.pk]


# -- rates ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_contacts_rate_is_kept_and_what_is_over_it_waits(
    host: Callable[..., None], mail_server: MailServer, send: Callable[..., int]
) -> None:
    host(send_per_contact=Rate(2, MINUTE))
    alfa = contact("alfa")
    for _ in range(4):
        message(alfa)

    assert send() == 2
    assert send(NOON + 30 * SECOND - timedelta(microseconds=1)) == 0
    assert send(NOON + 30 * SECOND) == 1
    assert send(NOON + 10 * MINUTE) == 1
    assert len(mail_server.accepted) == 4


@pytest.mark.django_db
def test_a_hosts_rate_counts_for_all_its_contacts_together(host: Callable[..., None]) -> None:
    host(send_per_host=Rate(2, MINUTE))
    for code in ("alfa", "beta", "gamma"):
        message(contact(code, address=f"{code}@mail.example"))
    elsewhere = message(contact("delta"))

    taken = claimed()
    assert len(taken) == 3
    assert elsewhere.pk in taken
    assert len(claimed(NOON + 30 * SECOND)) == 1


@pytest.mark.django_db
def test_no_rate_at_all_can_be_chosen(host: Callable[..., None], mail_server: MailServer, send: Any) -> None:
    host(send_per_contact=Rate(0, MINUTE), send_per_host=Rate(0, MINUTE))
    alfa = contact("alfa")
    for _ in range(70):
        message(alfa)

    assert send() == 70


@pytest.mark.parametrize(
    ("channel", "address", "host"),
    [
        ("smtp", "abuse@Alfa.Example", "alfa.example"),
        ("webhook", "https://Hooks.beta.example:8443/in?key=1", "hooks.beta.example"),
        ("webhook", "https://[broken", ""),
        ("pull", "", ""),
    ],
)
def test_the_host_of_a_contact(channel: str, address: str, host: str) -> None:
    assert host_of(channel, address) == host


# -- rest after a failure ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_after_a_failure_a_contacts_other_messages_rest_and_urgent_ones_do_not(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    alfa = contact("alfa")
    message(alfa, next_attempt_at=NOON - MINUTE)
    waiting = message(alfa)
    mail_server.behave(alfa.address, LATER)

    assert send() == 1
    assert Pace.objects.get(name=f"contact:{alfa.pk}").failures == 1
    urgent = message(alfa, urgent=True)
    assert send() == 1
    assert the(urgent).failures == 1
    assert the(waiting).attempt == 0

    mail_server.behave(alfa.address, "accept")
    assert send(NOON + 7 * MINUTE) == 3
    assert Pace.objects.get(name=f"contact:{alfa.pk}").rests_until is None


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "waits"), [(10 * MINUTE, 10 * MINUTE), (timedelta(days=9), 60 * MINUTE)])
def test_when_a_server_names_a_time_nothing_goes_there_before_and_not_much_later(
    asked: timedelta, waits: timedelta
) -> None:
    alfa = contact("alfa")
    put_off = message(alfa)
    (held,) = claim(now=NOON, limit=1)
    settle(held, Failed("429 busy", permanent=False, wait=asked), by=SYSTEM, now=NOON)
    urgent = message(alfa, urgent=True)

    assert the(put_off).next_attempt_at == NOON + waits
    assert claimed(NOON + waits - timedelta(microseconds=1)) == []
    assert claimed(NOON + waits) == [urgent.pk]


@pytest.mark.django_db
def test_a_permanent_failure_lets_the_contacts_other_messages_go_on() -> None:
    alfa = contact("alfa")
    refused, other = message(alfa), message(alfa)
    (held,) = claim(now=NOON, limit=1)
    settle(held, Failed("550 no", permanent=True), by=SYSTEM, now=NOON)

    assert the(refused).state == Dispatch.State.PARKED
    assert claimed() == [other.pk]


@pytest.mark.django_db
def test_our_own_relay_being_away_counts_against_nobody_and_ends_the_pass(
    mail_server: MailServer, send: Callable[..., int], host: Callable[..., None]
) -> None:
    there = mail_server.port
    host(mail=Mail("127.0.0.1", 9, "", "", ""))
    messages = [message(contact(f"hoster-{number}")) for number in range(CLAIM + 5)]

    for minute in range(8):
        assert send(NOON + minute * MINUTE) <= CLAIM
    assert {each.state for each in Dispatch.objects.all()} == {"pending"}
    assert {each.failures for each in Dispatch.objects.all()} == {0}
    assert the(messages[0]).trouble == Dispatch.Trouble.OURS

    host(mail=Mail("127.0.0.1", there, "", "", ""))
    send(NOON + 9 * MINUTE)
    assert len(mail_server.accepted) == CLAIM + 5


@pytest.mark.django_db
def test_a_tarpit_takes_one_hand_and_its_neighbours_flow_on(
    mail_server: MailServer, send: Callable[..., int], settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 1
    stuck = message(contact("stuck"), next_attempt_at=NOON - MINUTE)
    mail_server.behave("abuse@stuck.example", STALL)
    for number in range(12):
        message(contact(f"hoster-{number}"))
    send()

    (failed,) = Event.objects.filter(subject="dispatch", act="fail")
    accepted = Event.objects.filter(subject="dispatch", act="accept")
    assert (failed.subject_id, accepted.count()) == (stuck.pk, 12)
    assert all(each.pk < failed.pk for each in accepted), "everything else had arrived before we hung up"


@pytest.mark.django_db
def test_what_no_hand_was_free_for_is_due_again_at_once(static_resolver: FixedResolver) -> None:
    dispatch = message(contact("alfa"))
    (held,) = claim(now=NOON, limit=1)
    prepare(held, resolver=static_resolver, by=SYSTEM, now=NOON)
    give_back(held, now=NOON)

    assert not Attempt.objects.filter(dispatch=dispatch, ended_at__isnull=True).exists()
    assert (the(dispatch).failures, claimed()) == (0, [dispatch.pk])


# -- many lines -------------------------------------------------------------------------------------------


def routed(to: Contact, count: int) -> list[Notice]:
    """Notices that are judged and go to `to`."""
    place = AttributionFactory(provider=to.provider)
    made = many(count, assessed=True, provider=to.provider, attribution=place)
    Notice.objects.filter(pk__in=[notice.pk for notice in made]).update(routed_at=NOON)
    return made


def enqueued(to: Contact, count: int) -> list[Dispatch]:
    return enqueue(contact_id=to.pk, notices=routed(to, count), kind="first", round_=1, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_more_notices_than_the_settings_let_go_wait_for_a_person(host: Callable[..., None]) -> None:
    host(approve_above_lines=5, lines_per_message=4, grouping_window=10 * MINUTE)
    alfa = contact("alfa")
    enqueued(alfa, 5)
    assert set(Dispatch.objects.values_list("approval_reason", flat=True)) == {""}

    enqueued(alfa, 1)
    assert set(Dispatch.objects.values_list("approval_reason", flat=True)) == {"many_lines"}
    assert claimed(NOON + timedelta(hours=1)) == []

    for dispatch in Dispatch.objects.all():
        outgoing.approve(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)
    (later,) = enqueued(alfa, 1)
    assert (later.approval_reason, later.lines.count()) == ("", 1), "what nobody saw joins nothing approved"


@pytest.mark.django_db
def test_a_message_that_became_too_large_goes_out_as_two(
    mail_server: MailServer, send: Callable[..., int], host: Callable[..., None]
) -> None:
    host(message_max_mb=0.005, lines_per_message=100)
    alfa = contact("alfa", mode="attachment")
    (dispatch,) = enqueued(alfa, 12)
    send(NOON + timedelta(hours=1))

    assert len(mail_server.accepted) > 1
    assert {len(received.raw) < 9_000 for received in mail_server.accepted} == {True}
    assert Notice.objects.filter(state="notified").count() == 12
    assert len({received.id for received in mail_server.accepted}) == len(mail_server.accepted)
    assert Event.objects.filter(subject="dispatch", subject_id=dispatch.pk, act="split").exists()


# -- the provider's other contact -------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"approved_at": None}, {"suspended_at": NOON}])
def test_when_a_contact_cannot_be_used_any_more_the_providers_other_one_is_told(
    mail_server: MailServer, send: Callable[..., int], change: dict[str, Any]
) -> None:
    alfa = contact("alfa")
    dispatch = message(alfa)
    other = ContactFactory(approved=True, provider=alfa.provider, address="second@alfa.example")
    Contact.objects.filter(pk=alfa.pk).update(**change)
    send()
    send(NOON + timedelta(hours=1))

    assert the(dispatch).state == Dispatch.State.CANCELLED
    assert dispatch.lines.get().dropped_because == DispatchLine.Dropped.CONTACT
    assert [received.recipient for received in mail_server.accepted] == [other.address]
    assert Notice.objects.get().state == Notice.State.NOTIFIED
    (told,) = Event.objects.filter(subject="dispatch", subject_id=dispatch.pk, act="fall_back")
    assert told.data == {"to": other.pk}
