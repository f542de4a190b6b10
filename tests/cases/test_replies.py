"""What comes back by mail, from a real IMAP server: read once, put to its message, acted on as far as it proves."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import connection

from audit.models import Event
from cases import tasks
from cases.formats.mail import reply_path, return_path
from cases.intake.mailbox import server
from cases.intake.replies import letter, reading
from cases.models import Dispatch, Notice, Reply, ReplyMail
from cases.services import bounces, replies
from cases.services.refused import Invalid, WrongState
from providers.models import Contact
from tests.factories import NOON, SYSTEM, ContactFactory, DispatchFactory, NoticeFactory, ProviderFactory
from tests.mailbox import MX, ImapServer
from tests.returned import SAMPLES, came_back, message, sample

pytestmark = pytest.mark.django_db

Kind, State, Reason, Match = ReplyMail.Kind, ReplyMail.State, ReplyMail.Reason, ReplyMail.Match


@pytest.fixture
def imap(imap_process: ImapServer, host: Callable[..., None]) -> ImapServer:
    """An empty mailbox, which is ours."""
    imap_process.empty()
    host(replies=imap_process.setting, replies_authserv_id=MX)
    return imap_process


def read(at: datetime = NOON) -> int:
    return reading.read_replies(by=SYSTEM, clock=lambda: at)


# -- read once -----------------------------------------------------------------------------------------------


def test_a_hard_bounce_voids_the_clock_suspends_the_contact_and_is_put_away(imap: ImapServer) -> None:
    notice = NoticeFactory(notified=True)
    imap.put(sample("failed-postfix", message(notice)))

    assert read() == 1

    kept = ReplyMail.objects.get()
    assert (kept.kind, kept.state, kept.dispatch, kept.matched_by, kept.status) == (
        Kind.FAILED, State.FILED, message(notice), Match.RETURN_PATH, "5.1.1",
    )  # fmt: skip
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.RECEIVED
    assert Contact.objects.get().suspended_at == NOON
    assert (imap.count(), imap.count(server.DONE)) == (0, 1)
    assert [list(ReplyMail.objects.hard()), list(ReplyMail.objects.soft())] == [[kept], []]


def test_a_mail_that_is_moved_back_or_comes_twice_is_one(imap: ImapServer) -> None:
    notice = NoticeFactory(notified=True)
    raw = sample("answer-plain", message(notice))
    imap.put(raw, b"X-Relay: mx2\r\n" + raw)
    read()
    imap.put_back()
    read()
    assert ReplyMail.objects.count() == 1
    assert (imap.count(), imap.count(server.DONE)) == (0, 2)


def test_a_crash_between_the_row_and_its_effect_leaves_neither(imap: ImapServer) -> None:
    notice = NoticeFactory(notified=True)
    imap.put(sample("failed-postfix", message(notice)))
    with patch.object(bounces, "bounce", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        read()
    assert (ReplyMail.objects.count(), imap.count()) == (0, 1)
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.NOTIFIED

    read()

    assert (ReplyMail.objects.count(), imap.count()) == (1, 0)
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.RECEIVED


def test_a_crash_after_the_commit_changes_nothing_twice(imap: ImapServer) -> None:
    notice = NoticeFactory(notified=True)
    imap.put(sample("failed-postfix", message(notice)))
    crash = patch.object(server.Session, "put_away", side_effect=[None, KeyboardInterrupt])
    with crash, pytest.raises(KeyboardInterrupt):
        read()
    events = Event.objects.count()
    assert read(NOON + timedelta(minutes=1)) == 0
    assert (Event.objects.count(), ReplyMail.objects.count(), imap.count()) == (events, 1, 0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_act_once(imap: ImapServer) -> None:
    notices = [
        NoticeFactory(notified=True, content__url=f"https://forum.example/{n}", contact=contact)
        for n, contact in enumerate(
            ContactFactory(provider=ProviderFactory(), approved=True, address=f"desk{n}@alfa.example")
            for n in range(4)
        )
    ]
    imap.put(
        *(
            sample("failed-postfix", message(notice), **{"abuse@alfa.example": f"desk{n}@alfa.example"})
            for n, notice in enumerate(notices)
        )
    )
    together = threading.Barrier(2)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            together.wait(10)
            read()
        except BaseException as fault:  # noqa: BLE001 - shown below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not faults
    assert ReplyMail.objects.count() == 4
    assert Event.objects.filter(subject="dispatch", act="bounce").count() == 4
    assert Event.objects.filter(subject="notice", act="void").count() == 4


def test_a_mail_that_kills_its_reader_is_left_to_a_person_and_its_neighbours_flow(imap: ImapServer) -> None:
    notice = NoticeFactory(sent=True)
    bad = sample("answer-plain", message(notice))
    imap.put(bad, sample("delivered-relayed", message(notice)))
    real = letter.read

    def deadly(fetched: server.Fetched) -> object:
        if fetched.raw == bad:
            raise KeyboardInterrupt
        return real(fetched)

    with patch.object(letter, "read", deadly):
        for _attempt in range(3):
            with pytest.raises(KeyboardInterrupt):
                read()
        read()
    assert ReplyMail.objects.get(state=State.WAITING).reason == Reason.UNREADABLE
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.NOTIFIED


def test_what_is_too_large_is_not_fetched_but_put_to_its_message(imap: ImapServer) -> None:
    notice = NoticeFactory(notified=True)
    imap.put(sample("answer-plain", message(notice)) + b"x" * 300_000)
    with patch.object(server, "MAX_SIZE", 200_000):
        read()
    kept = ReplyMail.objects.get()
    assert (kept.state, kept.reason, kept.dispatch, kept.text) == (
        State.WAITING, Reason.TOO_LARGE, message(notice), "",
    )  # fmt: skip


def test_nothing_of_a_mail_stands_readable_in_the_database(imap: ImapServer) -> None:
    notice = NoticeFactory(notified=True)
    imap.put(sample("answer-plain", message(notice)))
    read()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM cases_replymail m")
        (row,) = cursor.fetchone()
        cursor.execute("SELECT string_agg(data::text, '') FROM audit_event")
        (audit,) = cursor.fetchone()
    for word in ("jan@", "ontoegankelijk", "collega", "Notice: illegal"):
        assert word not in row + audit
        assert word.encode().hex() not in row


def test_the_sweep_reads_and_without_a_mailbox_does_nothing(
    imap: ImapServer, host: Callable[..., None]
) -> None:
    imap.put(sample("away-vacation", message(NoticeFactory(notified=True))))
    host(replies=None)
    tasks.sweep_replies()
    assert not ReplyMail.objects.exists()
    host(replies=imap.setting, replies_authserv_id=MX)
    tasks.sweep_replies()
    assert ReplyMail.objects.count() == 1


# -- to which message, and what that proves --------------------------------------------------------------------


@pytest.fixture
def ours(host: Callable[..., None]) -> None:
    host(replies_authserv_id=MX)


@pytest.mark.parametrize(
    "name", [path.stem for path in sorted(SAMPLES.glob("*.eml")) if not path.stem.startswith("failed")]
)
def test_no_other_machine_moves_a_state(ours: None, name: str) -> None:
    notice = NoticeFactory(notified=True)
    came_back(sample(name, message(notice)))
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.NOTIFIED
    assert message(notice).state == Dispatch.State.ACCEPTED
    assert Contact.objects.get().suspended_at is None
    assert not Reply.objects.exists()


@pytest.mark.parametrize(
    "name",
    ["failed-postfix", "failed-exchange", "failed-mailbox-full", "failed-given-up", "failed-exim", "failed-qmail",
     "failed-plain-words", "failed-one-of-two"],
)  # fmt: skip
def test_every_way_to_say_that_it_failed_for_good_counts(ours: None, name: str) -> None:
    notice = NoticeFactory(notified=True)
    mail = came_back(sample(name, message(notice)))
    assert (mail.state, message(notice).state) == (State.FILED, Dispatch.State.BOUNCED)
    assert "://" not in message(notice).trouble_answer


def test_the_return_path_is_known_in_lower_case_too(ours: None) -> None:
    notice = NoticeFactory(notified=True, dispatch=DispatchFactory(accepted=True, token="AbC-dEf_123"))
    raw = sample("failed-postfix", message(notice)).replace(b"AbC-dEf_123", b"abc-def_123")
    assert came_back(raw).matched_by == Match.RETURN_PATH
    assert message(notice).state == Dispatch.State.BOUNCED


@pytest.mark.parametrize(
    "to", ["meldpunt@hotline.example", "meldpunt+guessed@hotline.example", "the reply address"]
)
def test_a_forged_bounce_counts_for_nothing_and_is_shown(ours: None, to: str) -> None:
    """Whoever was forwarded a notice knows its number, its reply address and its Message-ID."""
    notice = NoticeFactory(notified=True)
    dispatch = message(notice)
    to = reply_path(dispatch.number) if to == "the reply address" else to
    raw = sample("failed-postfix", dispatch).replace(return_path(dispatch.token).encode(), to.encode())

    mail = came_back(raw)

    assert (mail.state, mail.reason, mail.dispatch) == (State.WAITING, Reason.NO_SECRET, dispatch)
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.NOTIFIED
    assert Contact.objects.get().suspended_at is None


@pytest.mark.parametrize("name", ["failed-another-recipient", "failed-nobody-named"])
def test_a_bounce_of_somebody_it_was_passed_on_to_waits_for_a_person(ours: None, name: str) -> None:
    notice = NoticeFactory(notified=True)
    mail = came_back(sample(name, message(notice)))
    assert (mail.state, mail.reason) == (State.WAITING, Reason.OTHER_ADDRESS)
    assert message(notice).state == Dispatch.State.ACCEPTED

    replies.count_as_bounce(mail_id=mail.pk, by=SYSTEM, now=NOON)

    assert message(notice).state == Dispatch.State.BOUNCED
    assert list(ReplyMail.objects.hard()) == [mail]


def test_backscatter_of_others_forgeries_is_filed(ours: None) -> None:
    dispatch = message(NoticeFactory(notified=True))
    raw = sample("failed-qmail", dispatch).replace(
        return_path(dispatch.token).encode(), b"meldpunt@hotline.example"
    )
    mail = came_back(raw)
    assert (mail.state, mail.dispatch) == (State.FILED, None)
    assert not ReplyMail.objects.hard().exists()


@pytest.mark.parametrize("name", ["delivered-relayed", "delivered-by-their-server"])
def test_a_delivery_report_is_evidence_that_it_arrived(ours: None, name: str) -> None:
    notice = NoticeFactory(sent=True)
    late = NOON + timedelta(hours=4)
    came_back(sample(name, message(notice)), at=late)
    dispatch = message(notice)
    assert (dispatch.state, dispatch.accepted_at) == (Dispatch.State.ACCEPTED, late)
    said = "relayed" if "relayed" in name else "delivered"
    assert dispatch.evidence.startswith(f"{said} 250 2.0.0 Ok: queued as")
    assert Notice.objects.get(pk=notice.pk).notified_at == late


def test_a_delivery_report_without_the_secret_proves_nothing(ours: None) -> None:
    notice = NoticeFactory(sent=True)
    dispatch = message(notice)
    raw = sample("delivered-relayed", dispatch).replace(
        return_path(dispatch.token).encode(), reply_path(dispatch.number).encode()
    )
    assert came_back(raw).state == State.FILED
    assert message(notice).state == Dispatch.State.RELAYED
    assert Notice.objects.get(pk=notice.pk).notified_at is None


def test_a_delay_is_kept_for_the_health_of_the_contact(ours: None) -> None:
    notice = NoticeFactory(sent=True)
    mail = came_back(sample("delayed-postfix", message(notice)))
    assert list(ReplyMail.objects.soft().of_contact(Contact.objects.get())) == [mail]
    assert message(notice).state == Dispatch.State.RELAYED


def test_a_receipt_keeps_their_number_and_a_second_mail_of_the_ticket_is_looked_at(ours: None) -> None:
    notice = NoticeFactory(notified=True)
    first = came_back(sample("receipt-otrs", message(notice)))
    second = came_back(sample("receipt-otrs", message(notice)).replace(b"<1.otrs@", b"<2.otrs@"))
    assert (first.kind, first.state, first.ticket) == (Kind.RECEIPT, State.FILED, "2026112410000123")
    assert ReplyMail.objects.receipts().about(notice).earliest("pk") == first
    assert (second.state, second.reason) == (State.WAITING, Reason.MACHINE)


def test_what_an_agent_writes_in_a_ticket_system_is_looked_at(ours: None) -> None:
    mail = came_back(sample("auto-agent-in-a-ticket-system", message(NoticeFactory(notified=True))))
    assert (mail.kind, mail.state, mail.reason) == (Kind.AUTO, State.WAITING, Reason.MACHINE)


@pytest.mark.parametrize(
    ("proven", "sender", "reason"),
    [
        (True, "jan@alfa.example", Reason.ANSWER),
        (True, "jan@noc.alfa.example", Reason.STRANGER),
        (False, "jan@alfa.example", Reason.STRANGER),
        (True, "jan@bravo.example", Reason.STRANGER),
    ],
)
def test_a_persons_mail_waits_and_says_whether_it_is_the_providers(
    ours: None, proven: bool, sender: str, reason: str
) -> None:
    dispatch = message(NoticeFactory(notified=True))
    raw = sample("answer-about-an-absence", dispatch, proven=proven, **{"jan@alfa.example": sender})
    mail = came_back(raw)
    assert (mail.state, mail.reason, mail.matched_by) == (State.WAITING, reason, Match.REPLY_PATH)


def test_an_answer_without_our_address_is_known_by_its_thread_or_else_only_suggested(ours: None) -> None:
    dispatch = message(NoticeFactory(notified=True))
    plain = {reply_path(dispatch.number): "meldpunt@hotline.example"}
    by_thread = came_back(sample("answer-plain", dispatch, **plain))
    assert (by_thread.dispatch, by_thread.matched_by) == (dispatch, Match.THREAD)

    by_number = came_back(sample("answer-own-subject", dispatch))
    assert (by_number.dispatch, by_number.reason) == (None, Reason.UNMATCHED)
    assert replies.suggestions(by_number) == [dispatch]
    assert list(ReplyMail.objects.unmatched()) == [by_number]


def test_mail_of_a_contacts_domain_is_suggested_to_what_was_sent_there(ours: None) -> None:
    notice = NoticeFactory(notified=True)
    message(notice).attempts.create(number=1, started_at=NOON)
    other = NoticeFactory(
        notified=True, content__url="https://forum.example/2", provider=ProviderFactory(code="bravo")
    )
    message(other).attempts.create(number=1, started_at=NOON)
    raw = b"From: jan@alfa.example\r\nSubject: a question\r\n\r\nWho are you?\r\n"
    assert replies.suggestions(came_back(raw)) == [message(notice)]


def test_an_answer_to_several_messages_is_put_to_none(ours: None) -> None:
    one = message(NoticeFactory(notified=True))
    two = message(NoticeFactory(notified=True, content__url="https://forum.example/2"))
    raw = sample("answer-plain", one, **{one.message_id: two.message_id})
    raw = raw.replace(b"To: ", f"To: {reply_path(two.number)}, ".encode())
    assert came_back(raw).dispatch is None


# -- what a person makes of it -----------------------------------------------------------------------------------


def test_one_press_makes_answers_for_all_notices_of_the_message(ours: None) -> None:
    notice = NoticeFactory(notified=True)
    mail = came_back(sample("answer-plain", message(notice), proven=True))
    (outcome,) = replies.answer(
        mail_id=mail.pk, answer="removed", references=[notice.reference], by=SYSTEM, now=NOON
    )
    assert outcome.outcome == "recorded"
    said = Reply.objects.get()
    assert (said.answer, said.mail, said.by) == ("removed", mail, str(SYSTEM))
    assert ReplyMail.objects.get().state == State.ANSWERED
    after = Notice.objects.get(pk=notice.pk)
    assert (after.claimed_removed_at, after.next_check_at) == (NOON, NOON)
    with pytest.raises(WrongState):
        replies.set_aside(mail_id=mail.pk, by=SYSTEM, now=NOON)


def test_an_answer_by_mail_starts_the_clock_of_what_only_our_relay_had(ours: None) -> None:
    notice = NoticeFactory(sent=True)
    mail = came_back(sample("answer-plain", message(notice)))
    at = NOON + timedelta(hours=2)
    replies.answer(mail_id=mail.pk, answer="dispute", references=[notice.reference], by=SYSTEM, now=at)
    assert Notice.objects.get(pk=notice.pk).notified_at == at
    assert Reply.objects.get().reason == f"By mail, {mail.reference}."


def test_an_answer_needs_a_message_and_notices_of_it(ours: None) -> None:
    notice, other = NoticeFactory(notified=True), NoticeFactory(content__url="https://forum.example/2")
    mail = came_back(sample("answer-own-subject", message(notice)))
    ask = {"mail_id": mail.pk, "answer": "acknowledged", "by": SYSTEM, "now": NOON}
    with pytest.raises(Invalid, match="Put it to its message"):
        replies.answer(references=[notice.reference], **ask)
    with pytest.raises(Invalid, match="no message with this number"):
        replies.attach(mail_id=mail.pk, number="NTD-1999-000001", by=SYSTEM, now=NOON)
    replies.attach(mail_id=mail.pk, number=message(notice).number.lower(), by=SYSTEM, now=NOON)
    with pytest.raises(Invalid, match="Choose the notices"):
        replies.answer(references=[other.reference], **ask)
    assert replies.answer(references=[notice.reference], **ask)[0].outcome == "recorded"


def test_what_cannot_be_recorded_leaves_the_mail_in_the_tray(ours: None) -> None:
    notice = NoticeFactory(withdrawn=True)
    mail = came_back(sample("answer-plain", message(notice)))
    with pytest.raises(Invalid, match="withdrawn"):
        replies.answer(mail_id=mail.pk, answer="removed", references=[notice.reference], by=SYSTEM, now=NOON)
    assert ReplyMail.objects.get().state == State.WAITING


def test_what_was_filed_by_itself_can_be_brought_to_the_tray_but_not_what_counted(ours: None) -> None:
    notice = NoticeFactory(notified=True)
    away = came_back(sample("away-vacation", message(notice)))
    assert replies.bring_back(mail_id=away.pk, by=SYSTEM, now=NOON).reason == Reason.BROUGHT
    counted = came_back(sample("failed-postfix", message(notice)))
    with pytest.raises(WrongState, match="acted on"):
        replies.bring_back(mail_id=counted.pk, by=SYSTEM, now=NOON)
    connection.check_constraints()
