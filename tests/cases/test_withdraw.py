"""A notice is withdrawn, and whoever has it in hand is told so: soon, once, and without a clock."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from cases.models import Dispatch, DispatchLine, Notice, Step
from cases.services.sending import claim, deliver_due, prepare, settle
from cases.services.withdraw import withdraw
from providers.channels.result import Accepted
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    StepFactory,
)
from tests.mailserver import MailServer

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
Send = Callable[..., int]


@pytest.fixture
def send(static_resolver: FixedResolver) -> Send:
    """Hand over what is due at an instant."""
    return lambda at: deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: at)


def taken_back(notice: Notice, because: str = "objection_upheld") -> Notice:
    return withdraw(notice_id=notice.pk, because=because, by=SYSTEM, now=NOON + HOUR)


def told() -> list[Dispatch]:
    return list(Dispatch.objects.filter(kind="withdrawal").order_by("pk"))


def words(message: Dispatch) -> str:
    return " ".join(message.body.split())


def test_the_contact_that_has_it_is_told_with_the_next_round_and_no_clock_starts(
    mail_server: MailServer, send: Send
) -> None:
    notice = NoticeFactory(notified=True)
    taken_back(notice)
    send(NOON + HOUR)

    (message,) = told()
    (mail,) = mail_server.received
    original = Dispatch.objects.get(kind="first")
    assert message.state == Dispatch.State.ACCEPTED
    assert mail.message["Subject"] == f"[{message.number}] Withdrawn: you need do nothing"
    assert mail.message["In-Reply-To"] == original.message_id
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert f"Our notice: {original.number}" in words(message)
    assert "none: no clock of these notices runs any more" in words(message)
    after = Notice.objects.get(pk=notice.pk)
    assert (after.state, after.due_at) == (Notice.State.WITHDRAWN, notice.due_at)
    assert not Step.objects.filter(notice=notice, taken_at__isnull=True).exists()


@pytest.mark.parametrize(
    ("because", "may_restore"),
    [("objection_upheld", True), ("judged_again", True), ("wrong_provider", False), ("moved", False)],
)
def test_only_where_it_was_no_case_they_may_restore_it(
    mail_server: MailServer, send: Send, because: str, may_restore: bool
) -> None:
    taken_back(NoticeFactory(notified=True), because)
    send(NOON + HOUR)

    (message,) = told()
    assert ("you may restore it" in words(message)) is may_restore


def test_what_only_our_relay_has_is_withdrawn_from_there_as_well() -> None:
    notice = NoticeFactory(sent=True)
    taken_back(notice)

    assert [message.contact for message in told()] == [notice.dispatch_lines.get(step="first").contact]


def test_several_at_once_are_one_message_and_each_once() -> None:
    first = NoticeFactory(notified=True)
    second = NoticeFactory(notified=True, dispatch=Dispatch.objects.get())
    taken_back(first)
    taken_back(second)

    (message,) = told()
    assert list(message.lines.values_list("notice", "step")) == [
        (first.pk, "withdrawal-1"),
        (second.pk, "withdrawal-1"),
    ]


def test_every_contact_that_got_it_is_told_and_none_that_did_not() -> None:
    notice = NoticeFactory(escalated=True)
    other = ContactFactory(provider=notice.provider, approved=True, address="noc@alfa.example")
    third = ContactFactory(provider=notice.provider, approved=True, address="legal@alfa.example")
    DispatchFactory(contact=other, reminder=True, accepted=True, lines_of=[notice])
    DispatchFactory(contact=third, reminder=True, parked=True, round=2, lines_of=[notice])
    taken_back(notice)

    assert {message.contact.address for message in told()} == {"abuse@alfa.example", "noc@alfa.example"}


def test_a_reminder_that_was_on_its_way_meanwhile_is_followed_by_the_withdrawal(
    static_resolver: FixedResolver, host: Callable[..., None]
) -> None:
    host(relay_is_final_hop=True)
    notice = NoticeFactory(escalated=True, notified_at=NOON - 24 * HOUR, last_seen_online_at=NOON - HOUR)
    fallback = ContactFactory(provider=notice.provider, approved=True, address="noc@alfa.example")
    StepFactory(notice=notice, code="reminder-2")
    reminder = DispatchFactory(contact=fallback, reminder=True, round=2, lines_of=[notice])
    (held,) = claim(now=NOON, limit=1)
    assert prepare(held, resolver=static_resolver, by=SYSTEM, now=NOON) is not None
    taken_back(notice)

    settle(held, Accepted("250 OK"), by=SYSTEM, now=NOON + HOUR)

    assert Dispatch.objects.get(pk=reminder.pk).state == Dispatch.State.ACCEPTED
    assert {message.contact_id for message in told()} >= {fallback.pk}


def test_a_contact_that_is_suspended_since_is_written_nothing_and_the_desk_sees_why(
    mail_server: MailServer, send: Send
) -> None:
    contact = ContactFactory(suspended=True, provider=ProviderFactory())
    taken_back(NoticeFactory(notified=True, contact=contact))
    send(NOON + HOUR)

    (message,) = told()
    assert mail_server.received == []
    assert (message.state, message.trouble) == (Dispatch.State.PARKED, Dispatch.Trouble.CONTACT)


def test_no_address_goes_out_with_a_withdrawal_whatever_the_contact_gets(
    mail_server: MailServer, send: Send
) -> None:
    contact = ContactFactory(approved=True, mode="defanged")
    notice = NoticeFactory(notified=True, contact=contact, content__url="https://forum.example/secret/1.jpg")
    taken_back(notice)
    send(NOON + HOUR)

    (message,) = told()
    assert "secret" not in message.body
    assert "forum.example/…/1.jpg" in message.body
    assert not list(mail_server.received[0].message.iter_attachments())


def test_a_withdrawal_that_is_cancelled_takes_no_judgement_back() -> None:
    from cases.services.outgoing import cancel

    notice = taken_back(NoticeFactory(notified=True))
    (message,) = told()
    cancel(dispatch_id=message.pk, by=SYSTEM, now=NOON + HOUR)

    after = Notice.objects.get(pk=notice.pk)
    assert after.assessed_at is not None
    assert after.legal_class == "baseline"
    assert DispatchLine.objects.get(step="withdrawal-1").dropped_because == DispatchLine.Dropped.CANCELLED
