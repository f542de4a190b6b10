"""The outbox: nothing is lost, nothing is sent twice under another name, nothing goes where it must not."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections

from audit.models import Event
from cases.models import Attempt, Dispatch, DispatchLine, Notice, Step
from cases.services import clocks, outgoing, route
from cases.services.refused import NotFound, WrongState
from cases.services.sending import CLAIM, LEASE, Claim, claim, deliver_due, prepare, settle
from cases.services.withdraw import withdraw
from providers.channels.result import Accepted, Failed
from providers.channels.smtp import SMTPChannel
from providers.models import Contact
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    DispatchFactory,
    HostRuleFactory,
    NetworkFactory,
    NoticeFactory,
    ProviderFactory,
    many,
)
from tests.mailserver import DROP, LATER, NEVER, STALL, TOO_BUSY, MailServer

MINUTE = timedelta(minutes=1)
ABUSE = "abuse@alfa.example"


@pytest.fixture
def networks(db: None) -> None:
    """192.0.2.0/24 is alfa's, in the Netherlands: what every host leads to unless a test says otherwise."""
    NetworkFactory()


@pytest.fixture
def send(static_resolver: FixedResolver) -> Callable[..., int]:
    """`send(at=...)`: one pass of the sweep at an instant."""

    def run(at: datetime = NOON) -> int:
        return deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: at)

    return run


def the(dispatch: Dispatch) -> Dispatch:
    return Dispatch.objects.get(pk=dispatch.pk)


def now_of(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def first_message(**fields: Any) -> tuple[Dispatch, Notice]:
    """A message that is due at NOON, with one notice on it."""
    notice = NoticeFactory(routed=True, **fields)
    return notice.dispatch_lines.get().dispatch, notice


# -- what acceptance does -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_servers_250_starts_the_clock_and_is_kept_as_evidence(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, notice = first_message()

    assert send() == 1

    (received,) = mail_server.accepted
    sent = the(dispatch)
    assert (sent.state, sent.accepted_at, sent.evidence) == (
        Dispatch.State.ACCEPTED,
        NOON,
        "250 2.0.0 queued as test",
    )
    assert received.id == dispatch.message_id
    told = now_of(notice)
    assert (told.state, told.sent_at, told.notified_at) == (Notice.State.NOTIFIED, NOON, NOON)
    assert told.due_at == NOON + timedelta(hours=24)
    assert told.notified_estimated
    assert told.next_check_at == NOON
    assert Step.objects.get(notice=notice).due_at == NOON + timedelta(hours=20)
    attempt = Attempt.objects.get(dispatch=dispatch)
    assert (attempt.number, attempt.accepted, attempt.answer) == (1, True, "250 2.0.0 queued as test")


@pytest.mark.django_db
def test_nothing_is_sent_before_its_grouping_window_ends(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, _notice = first_message()

    assert send(NOON - timedelta(microseconds=1)) == 0
    assert mail_server.received == []
    assert send(NOON) == 1
    assert the(dispatch).state == Dispatch.State.ACCEPTED


@pytest.mark.django_db
def test_the_relays_250_is_no_clock_unless_it_is_the_final_hop(
    mail_server: MailServer, send: Callable[..., int], host: Callable[..., None]
) -> None:
    host(relay_is_final_hop=False)
    dispatch, notice = first_message()
    send()

    assert the(dispatch).state == Dispatch.State.RELAYED
    relayed = now_of(notice)
    assert (relayed.state, relayed.sent_at, relayed.notified_at, relayed.due_at) == (
        Notice.State.RECEIVED,
        NOON,
        None,
        None,
    )

    clocks.shown(notice_id=notice.pk, by=SYSTEM, now=NOON + MINUTE)
    shown = now_of(notice)
    assert (shown.state, shown.notified_at) == (Notice.State.NOTIFIED, NOON + MINUTE)
    assert not shown.notified_estimated

    clocks.shown(notice_id=notice.pk, by=SYSTEM, now=NOON + 2 * MINUTE)
    assert now_of(notice).notified_at == NOON + MINUTE


@pytest.mark.django_db
def test_showing_a_notice_that_was_not_sent_starts_nothing() -> None:
    notice = NoticeFactory(routed=True)

    clocks.shown(notice_id=notice.pk, by=SYSTEM, now=NOON)

    assert now_of(notice).state == Notice.State.RECEIVED


@pytest.mark.django_db
def test_what_only_our_relay_took_can_be_taken_back(host: Callable[..., None]) -> None:
    notice = NoticeFactory(sent=True)

    withdraw(notice_id=notice.pk, because="wrong_provider", by=SYSTEM, now=NOON + MINUTE)

    assert now_of(notice).state == Notice.State.WITHDRAWN


@pytest.mark.django_db
def test_a_first_message_makes_a_contact_known(mail_server: MailServer, send: Callable[..., int]) -> None:
    contact = ContactFactory(unknown=True)
    first_message(contact=contact)
    send()

    assert Contact.objects.get(pk=contact.pk).known_since == NOON


@pytest.mark.django_db
def test_a_web_servers_clock_that_runs_ahead_delays_the_term_and_never_shortens_it(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    ahead = NOON + timedelta(seconds=7)
    _dispatch, notice = first_message(routed_at=ahead)

    send(NOON)

    assert now_of(notice).notified_at == ahead


# -- what servers do ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("answer", [LATER, TOO_BUSY, DROP])
def test_a_passing_trouble_is_tried_again_later_under_the_same_message_id(
    mail_server: MailServer, send: Callable[..., int], answer: str
) -> None:
    dispatch, notice = first_message()
    mail_server.behave(ABUSE, answer, "accept")
    send()

    waiting = the(dispatch)
    assert (waiting.state, waiting.failures, waiting.trouble) == ("pending", 1, "later")
    assert waiting.next_attempt_at is not None
    assert timedelta(seconds=48) <= waiting.next_attempt_at - NOON <= timedelta(seconds=72)
    assert waiting.leased_until is None
    assert now_of(notice).state == Notice.State.RECEIVED

    assert send(waiting.next_attempt_at - timedelta(microseconds=1)) == 0
    assert send(waiting.next_attempt_at) == 1
    assert the(dispatch).state == Dispatch.State.ACCEPTED
    assert set(mail_server.copies()) == {dispatch.message_id}
    assert len(mail_server.accepted) == 1


@pytest.mark.django_db
def test_550_is_final_for_that_recipient_and_its_neighbours_flow_on(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    refused, notice = first_message()
    beta = ProviderFactory(code="beta")
    flowing, neighbour = first_message(provider=beta, attribution__provider=beta)
    HostRuleFactory(provider=beta)
    mail_server.behave(ABUSE, NEVER)
    send()

    parked = the(refused)
    assert (parked.state, parked.trouble, parked.trouble_answer) == (
        "parked",
        "refused",
        "550 5.1.1 no such mailbox",
    )
    assert now_of(notice).state == Notice.State.RECEIVED
    assert the(flowing).state == Dispatch.State.ACCEPTED
    assert now_of(neighbour).state == Notice.State.NOTIFIED


@pytest.mark.django_db
def test_five_failures_park_a_message_and_the_back_off_grows(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, _notice = first_message()
    mail_server.behave(ABUSE, LATER)
    at, pauses = NOON, []
    for _ in range(5):
        send(at)
        row = the(dispatch)
        assert row.next_attempt_at is not None
        pauses.append(row.next_attempt_at - at)
        at = row.next_attempt_at

    assert (row.state, row.trouble, row.attempt) == ("parked", "no_luck", 5)
    assert [
        0.8 * minutes <= pause / MINUTE <= 1.2 * minutes
        for minutes, pause in zip((1, 5, 15, 30), pauses[:4], strict=True)
    ]
    assert send(at + timedelta(days=1)) == 0


@pytest.mark.django_db
def test_our_own_relay_refusing_us_parks_nobody_at_once(
    mail_server: MailServer, send: Callable[..., int], host: Callable[..., None]
) -> None:
    from takedown.env import Mail

    dispatch, _notice = first_message()
    host(mail=Mail("127.0.0.1", mail_server.port, "somebody", "wrong", ""))
    send()

    assert (the(dispatch).state, the(dispatch).trouble) == ("pending", "ours")


@pytest.mark.django_db
def test_nobody_listening_is_a_passing_trouble(
    mail_server: MailServer, send: Callable[..., int], host: Callable[..., None]
) -> None:
    from takedown.env import Mail

    dispatch, _notice = first_message()
    host(mail=Mail("127.0.0.1", 9, "", "", ""))
    send()

    assert the(dispatch).trouble_answer == "No answer from the mail server (ConnectionRefusedError)."
    assert the(dispatch).state == Dispatch.State.PENDING


@pytest.mark.django_db
def test_a_server_that_never_answers_is_hung_up_on(
    mail_server: MailServer, send: Callable[..., int], settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    dispatch, _notice = first_message()
    mail_server.behave(ABUSE, STALL)
    send()

    assert (the(dispatch).state, the(dispatch).trouble) == ("pending", "later")


@pytest.mark.django_db
def test_messages_for_one_relay_go_over_one_connection(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    for _ in range(3):
        first_message()
    send()

    assert len(mail_server.accepted) == 3
    assert mail_server.connections == 1


# -- crashes and fences ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_crash_between_their_250_and_our_commit_sends_the_same_message_again(
    mail_server: MailServer, send: Callable[..., int], static_resolver: FixedResolver
) -> None:
    dispatch, notice = first_message()
    (held,) = claim(now=NOON, limit=CLAIM)
    ready = prepare(held, resolver=static_resolver, by=SYSTEM, now=NOON)
    assert ready is not None
    channel = SMTPChannel()
    assert isinstance(
        channel.hand_over(ready.message, sender=ready.sender, recipient=ready.recipient), Accepted
    )
    channel.close()
    # ... and here the worker is killed.

    assert send(NOON + LEASE - timedelta(microseconds=1)) == 0
    assert send(NOON + LEASE) == 1

    assert mail_server.copies() == {dispatch.message_id: 2}
    assert mail_server.received[0].text == mail_server.received[1].text
    assert now_of(notice).notified_at == NOON + LEASE
    assert Event.objects.filter(subject="notice", subject_id=notice.pk, became="notified").count() == 1


@pytest.mark.django_db
def test_what_a_killed_worker_held_is_free_again_after_one_lease_however_much_it_held(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    for _ in range(CLAIM):
        first_message()
    claim(now=NOON, limit=CLAIM)

    assert send(NOON + LEASE) == CLAIM


@pytest.mark.django_db
def test_whoever_holds_an_old_claim_writes_nothing(
    static_resolver: FixedResolver, host: Callable[..., None], networks: None
) -> None:
    host(relay_is_final_hop=True)
    dispatch, notice = first_message()
    (old,) = claim(now=NOON, limit=1)
    (new,) = claim(now=NOON + LEASE, limit=1)

    assert new == Claim(old.dispatch_id, old.attempt + 1)
    assert prepare(old, resolver=static_resolver, by=SYSTEM, now=NOON + LEASE) is None
    settle(old, Accepted("250 OK"), by=SYSTEM, now=NOON + LEASE)
    settle(old, Failed("550 no", permanent=True), by=SYSTEM, now=NOON + LEASE)
    assert the(dispatch).state == Dispatch.State.PENDING
    assert now_of(notice).state == Notice.State.RECEIVED

    settle(new, Accepted("250 OK"), by=SYSTEM, now=NOON + LEASE)
    settle(new, Accepted("250 OK"), by=SYSTEM, now=NOON + LEASE + MINUTE)
    assert now_of(notice).notified_at == NOON + LEASE


@pytest.mark.django_db
def test_a_lease_begins_again_with_each_hand_over(static_resolver: FixedResolver, networks: None) -> None:
    dispatch, _notice = first_message()
    (held,) = claim(now=NOON, limit=1)
    prepare(held, resolver=static_resolver, by=SYSTEM, now=NOON + MINUTE)

    assert the(dispatch).leased_until == NOON + MINUTE + LEASE


@pytest.mark.django_db
def test_a_row_that_cannot_be_made_into_a_message_is_parked_and_holds_nobody_up(
    mail_server: MailServer, send: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    broken, notice = first_message()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_content SET url_sealed = '\\x00' WHERE id = %s", [notice.content_id])
    fine, _neighbour = first_message()
    at = NOON
    for _ in range(5):
        send(at)
        row = the(broken)
        assert row.next_attempt_at is not None
        at = row.next_attempt_at

    assert the(fine).state == Dispatch.State.ACCEPTED
    assert (row.state, row.trouble) == ("parked", "unmade")
    assert f"dispatch {broken.pk} cannot be handed over" in caplog.text
    assert "forum.example" not in caplog.text


# -- looking again just before --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"approved_at": None}, {"suspended_at": NOON}], ids=["not approved", "suspended"]
)
def test_nothing_goes_to_a_contact_that_is_not_usable_at_that_moment(
    mail_server: MailServer, send: Callable[..., int], change: dict[str, Any]
) -> None:
    dispatch, _notice = first_message()
    Contact.objects.update(**change)
    send()

    assert mail_server.received == []
    assert (the(dispatch).state, the(dispatch).trouble) == ("parked", "contact")

    Contact.objects.update(approved_at=NOON, suspended_at=None)
    outgoing.retry(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON + MINUTE)
    send(NOON + MINUTE)
    assert [each.id for each in mail_server.accepted] == [dispatch.message_id]


@pytest.mark.django_db
def test_a_channel_that_does_not_exist_yet_parks_the_message(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, _notice = first_message(contact=ContactFactory(approved=True, channel="pigeon"))
    send()

    assert (the(dispatch).state, the(dispatch).trouble) == ("parked", "channel")


@pytest.mark.django_db
def test_a_notice_that_was_taken_back_is_left_out_and_an_empty_message_is_cancelled(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, notice = first_message()
    other = NoticeFactory(routed=True, dispatch=dispatch)
    outgoing.take_back(notice_id=notice.pk, by=SYSTEM, now=NOON - MINUTE)
    send()

    (received,) = mail_server.accepted
    assert other.reference in received.text
    assert notice.reference not in received.text
    assert now_of(notice).state == Notice.State.RECEIVED

    empty, last = first_message()
    outgoing.take_back(notice_id=last.pk, by=SYSTEM, now=NOON - MINUTE)
    send()
    assert the(empty).state == Dispatch.State.CANCELLED


@pytest.mark.django_db
def test_an_attribution_that_is_too_old_is_made_again_and_a_move_goes_to_a_person(
    mail_server: MailServer, send: Callable[..., int], networks: None
) -> None:
    beta = ProviderFactory(code="beta")
    dispatch, moved = first_message(attribution__at=NOON - timedelta(hours=12))
    stays = NoticeFactory(routed=True, dispatch=dispatch, content__url="https://other.example/1")
    HostRuleFactory(provider=beta, pattern="forum.example")
    send()

    (received,) = mail_server.accepted
    assert moved.reference not in received.text
    gone = now_of(moved)
    assert (gone.hold, gone.hold_review, gone.provider, gone.routed_at) == (
        "contact_review",
        "moved",
        beta,
        None,
    )
    assert gone.hold_by == str(SYSTEM)
    assert moved.dispatch_lines.get().dropped_because == DispatchLine.Dropped.MOVED
    assert now_of(stays).state == Notice.State.NOTIFIED


@pytest.mark.django_db
def test_an_attribution_younger_than_that_is_not_asked_again(
    mail_server: MailServer, send: Callable[..., int], static_resolver: FixedResolver
) -> None:
    first_message(attribution__at=NOON - timedelta(hours=12) + timedelta(microseconds=1))
    send()

    assert static_resolver.asked == []
    assert len(mail_server.accepted) == 1


@pytest.mark.django_db
def test_what_moved_abroad_leaves_the_message_and_is_dismissed_by_the_next_routing(
    mail_server: MailServer, send: Callable[..., int], static_resolver: FixedResolver
) -> None:
    NetworkFactory(country="DE")
    dispatch, notice = first_message(attribution__at=NOON - timedelta(hours=13))
    send()

    assert mail_server.received == []
    assert the(dispatch).state == Dispatch.State.CANCELLED
    route.route_due(resolver=static_resolver, by=SYSTEM, now=NOON)
    assert (now_of(notice).state, now_of(notice).closed_because) == ("dismissed", "hosted_abroad")


@pytest.mark.django_db
def test_silent_name_servers_put_a_message_off_and_move_nothing(
    mail_server: MailServer, send: Callable[..., int], static_resolver: FixedResolver, networks: None
) -> None:
    dispatch, notice = first_message(attribution__at=NOON - timedelta(hours=13))
    static_resolver.be_silent("forum.example")
    send()

    assert mail_server.received == []
    waiting = the(dispatch)
    assert (waiting.state, waiting.trouble) == ("pending", "later")
    assert waiting.next_attempt_at is not None

    static_resolver.know("forum.example", "192.0.2.10")
    send(waiting.next_attempt_at + MINUTE)
    assert now_of(notice).state == Notice.State.NOTIFIED


@pytest.mark.django_db
def test_a_copy_that_may_be_with_them_keeps_its_words_unless_a_line_has_to_go(
    mail_server: MailServer, send: Callable[..., int], static_resolver: FixedResolver, networks: None
) -> None:
    dispatch, moved = first_message(attribution__at=NOON - timedelta(hours=11))
    stays = NoticeFactory(routed=True, dispatch=dispatch, content__url="https://other.example/2")
    (held,) = claim(now=NOON, limit=1)
    prepare(held, resolver=static_resolver, by=SYSTEM, now=NOON)
    # The worker is killed here; two hours later the first look-up is too old, and the host has moved.
    HostRuleFactory(provider=ProviderFactory(code="beta"), pattern="forum.example")
    send(NOON + timedelta(hours=2))

    (received,) = mail_server.accepted
    assert moved.reference not in received.text
    assert stays.reference in received.text
    assert now_of(moved).notified_at is None


@pytest.mark.django_db
def test_in_a_dry_run_everything_goes_to_one_address(
    mail_server: MailServer, send: Callable[..., int], host: Callable[..., None]
) -> None:
    host(dry_run_address="rehearsal@hotline.example")
    first_message()
    send()

    assert [each.recipient for each in mail_server.accepted] == ["rehearsal@hotline.example"]


@pytest.mark.django_db
def test_the_return_path_carries_the_dispatchs_token(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, _notice = first_message()
    send()

    (received,) = mail_server.accepted
    assert received.sender == f"meldpunt+{dispatch.token}@hotline.example"


# -- reminders (I7) -------------------------------------------------------------------------------------


def reminder_of(notice: Notice, **fields: Any) -> Dispatch:
    """A reminder in the outbox, as the ladder puts it there."""
    Step.objects.filter(notice=notice, code="reminder-1").update(taken_at=NOON, outcome="reminded")
    contact = notice.dispatch_lines.get(step="first").contact
    return DispatchFactory(contact=contact, reminder=True, lines_of=[notice], **fields)


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["removed", "withdrawn"])
def test_no_reminder_leaves_after_removal_or_withdrawal(
    mail_server: MailServer, send: Callable[..., int], end: str
) -> None:
    notice = NoticeFactory(**{end: True})
    dispatch = reminder_of(notice)
    send()

    assert mail_server.received == []
    assert the(dispatch).state == Dispatch.State.CANCELLED
    assert dispatch.lines.get().dropped_because == DispatchLine.Dropped.OVERTAKEN


@pytest.mark.django_db
def test_a_reminder_that_waited_too_long_for_the_mail_waits_for_a_supervisor_instead(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    notice = NoticeFactory(
        escalated=True,
        notified_at=NOON - timedelta(hours=24),
        last_seen_online_at=NOON - timedelta(hours=4, microseconds=1),
    )
    dispatch = reminder_of(notice)
    send()

    assert mail_server.received == []
    assert dispatch.lines.get().dropped_because == DispatchLine.Dropped.UNSEEN
    step = Step.objects.get(notice=notice, code="reminder-1")
    assert (step.taken_at, step.waits_for) == (None, "sighting")


@pytest.mark.django_db
@pytest.mark.parametrize("insisted", [False, True])
def test_a_reminder_leaves_with_a_recent_sighting_or_a_supervisors_word(
    mail_server: MailServer, send: Callable[..., int], insisted: bool
) -> None:
    notice = NoticeFactory(
        escalated=True,
        notified_at=NOON - timedelta(hours=24),
        last_seen_online_at=None if insisted else NOON - timedelta(hours=4),
    )
    dispatch = reminder_of(notice)
    if insisted:
        Step.objects.filter(notice=notice, code="reminder-1").update(outcome="insisted")
    send()

    assert the(dispatch).state == Dispatch.State.ACCEPTED
    assert now_of(notice).state == Notice.State.ESCALATED


# -- what people do with what waits ---------------------------------------------------------------------


@pytest.mark.django_db
def test_taken_back_a_notice_returns_to_the_work_desk() -> None:
    dispatch, notice = first_message()

    outgoing.take_back(notice_id=notice.pk, by=SYSTEM, now=NOON - MINUTE)

    back = now_of(notice)
    assert (back.assessed_at, back.routed_at, back.legal_class) == (None, None, "")
    assert list(Notice.objects.to_assess(now=NOON)) == [notice]
    assert dispatch.lines.get().dropped_because == DispatchLine.Dropped.TAKEN_BACK


@pytest.mark.django_db
def test_on_its_way_nothing_can_be_taken_back_or_cancelled() -> None:
    dispatch, notice = first_message()
    claim(now=NOON, limit=1)

    with pytest.raises(WrongState):
        outgoing.take_back(notice_id=notice.pk, by=SYSTEM, now=NOON)
    with pytest.raises(WrongState):
        outgoing.cancel(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("parked", [False, True])
def test_cancelled_a_message_gives_its_notices_back_to_the_work_desk(parked: bool) -> None:
    dispatch, notice = first_message(
        dispatch=DispatchFactory(parked=True) if parked else None, provider=ProviderFactory()
    )
    other = NoticeFactory(routed=True, dispatch=dispatch)

    outgoing.cancel(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)

    assert the(dispatch).state == Dispatch.State.CANCELLED
    assert set(Notice.objects.to_assess(now=NOON)) == {notice, other}
    assert set(dispatch.lines.values_list("dropped_because", flat=True)) == {"cancelled"}
    with pytest.raises(WrongState):
        outgoing.cancel(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_the_first_message_to_a_contact_waits_for_a_persons_yes(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, _notice = first_message(dispatch=DispatchFactory(needs_approval=True))

    assert send(NOON + timedelta(days=2)) == 0
    outgoing.approve(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)
    assert send(NOON) == 1
    with pytest.raises(WrongState):
        outgoing.approve(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_a_parked_message_is_retried_under_its_own_message_id(
    mail_server: MailServer, send: Callable[..., int]
) -> None:
    dispatch, _notice = first_message(dispatch=DispatchFactory(parked=True))
    outgoing.retry(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)
    send()

    assert [each.id for each in mail_server.accepted] == [dispatch.message_id]
    with pytest.raises(WrongState):
        outgoing.retry(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("verb", [outgoing.cancel, outgoing.approve, outgoing.retry])
def test_there_is_nothing_to_do_with_a_message_that_does_not_exist(verb: Callable[..., Any]) -> None:
    with pytest.raises(NotFound):
        verb(dispatch_id=0, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_what_is_in_the_outbox_is_neither_dismissed_nor_held() -> None:
    from cases.services import assess

    _dispatch, notice = first_message()

    with pytest.raises(WrongState, match="take it back first"):
        assess.dismiss(notice_id=notice.pk, because="duplicate", by=SYSTEM, now=NOON)
    with pytest.raises(WrongState, match="take it back first"):
        assess.hold(notice_id=notice.pk, kind="police_first", reason="why", until=None, by=SYSTEM, now=NOON)


# -- many hands -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_eight_workers_hand_two_hundred_messages_over_once_each(
    mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    for number in range(40):
        provider = ProviderFactory(code=f"hoster-{number}")
        contact = ContactFactory(provider=provider, approved=True)
        notices = many(5, assessed=True, provider=provider, attribution=AttributionFactory(provider=provider))
        for notice in notices:
            DispatchFactory(contact=contact, lines_of=[notice])
    Notice.objects.update(routed_at=NOON - MINUTE)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)

    assert faults == []
    assert set(mail_server.copies().values()) == {1}
    assert len(mail_server.accepted) == 200
    assert Dispatch.objects.filter(state="accepted").count() == 200
    assert Notice.objects.filter(state="notified").count() == 200
