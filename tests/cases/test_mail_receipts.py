"""The receipt by mail: once, to who proved to be a partner, without an address, through an outbox."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cases.intake.mailbox import letter, reading
from cases.intake.mailbox.server import Fetched
from cases.models import Mail, Mailbox, MailCopy, MailReceipt, MailSender, Report
from cases.services import mailbox, receipts
from cases.services.refused import WrongState
from tests import mailserver
from tests.factories import NOON, SYSTEM, MailSenderFactory
from tests.mailbox import MX, PARTNER, mail
from tests.mailserver import MailServer

pytestmark = pytest.mark.django_db
State, Trouble = MailReceipt.State, MailReceipt.Trouble


@pytest.fixture(autouse=True)
def partner(host: Callable[..., None]) -> MailSender:
    host(mailbox_authserv_id=MX)
    return MailSenderFactory()


def arrive(number: int = 1, **how: Any) -> Mail:
    """A mail that came in, and was taken in if it may be."""
    how = {"message_id": f"<{number}@partner.example>", **how}
    text = how.pop("text", f"https://forum.example/img/{number:04d}.jpg\n")
    raw = mail(text, **how).as_bytes()
    box, _new = Mailbox.objects.get_or_create(name="test")
    copy = MailCopy.objects.create(mailbox=box, uid_validity=1, uid=number)
    kept = mailbox.keep(arrived=letter.read(Fetched(raw, len(raw), True)), copy=copy, by=SYSTEM, now=NOON)
    reading.take_in(mail_id=kept.pk, by=SYSTEM, now=NOON)
    return Mail.objects.get(pk=kept.pk)


def send(after: timedelta = timedelta(0)) -> int:
    return receipts.send_due(by=SYSTEM, clock=lambda: NOON + after)


def test_a_partner_gets_one_receipt_that_says_what_became_of_each_line(mail_server: MailServer) -> None:
    text = "Hello\nhttps://forum.example/img/0001.jpg\nhttps://forum.example/img/0001.jpg\nsee https://a.example/x ok\n"
    arrive(text=text, files={"photo.jpg": b"\xff\xd8"})

    assert send() == 1
    assert send() == 0

    (got,) = mail_server.accepted
    report, out = Report.objects.get(), got.message
    assert (got.recipient, got.sender) == (PARTNER, "<>")
    assert out["In-Reply-To"] == out["References"] == "<1@partner.example>"
    assert (out["Auto-Submitted"], out["X-Takedown-Receipt"]) == ("auto-replied", report.reference)
    assert out["Subject"] == f"[{report.reference}] Receipt of your report"
    assert "3 lines:\n  new: 1\n  duplicate: 1\n  rejected: 1\n" in got.text
    assert "1 attachment was left out and not kept" in got.text
    (csv,) = [part.get_content() for part in out.iter_attachments()]
    assert csv.splitlines()[0] == "line;outcome;notice;reason"
    assert [row.split(";")[1] for row in csv.splitlines()[1:]] == ["new", "duplicate", "rejected"]
    assert b"forum.example" not in got.raw
    assert "forum.example" not in csv
    assert "http" not in str(out["Subject"])
    assert MailReceipt.objects.get().state == State.SENT


def test_a_receipt_is_in_the_partners_language(mail_server: MailServer, partner: MailSender) -> None:
    MailSender.objects.update(language="nl")
    arrive()
    send()
    assert "Ontvangstbewijs" in str(mail_server.accepted[0].message["Subject"])


def test_a_silent_attempt_goes_out_again_under_the_same_message_id(mail_server: MailServer) -> None:
    arrive()
    mail_server.behave(PARTNER, mailserver.DROP, mailserver.ACCEPT)

    send()
    assert MailReceipt.objects.get().trouble == Trouble.LATER
    assert send() == 0, "it waits"
    send(timedelta(minutes=2))

    assert list(mail_server.copies().values()) == [2]
    assert MailReceipt.objects.get().state == State.SENT


def test_a_worker_that_died_holds_a_receipt_no_longer_than_its_lease(mail_server: MailServer) -> None:
    arrive()
    (held,) = receipts.claim(now=NOON, limit=1)
    assert send() == 0
    assert send(receipts.LEASE) == 1

    receipts.settle(held, receipts.Failed("550 late", permanent=True), by=SYSTEM, now=NOON)

    assert MailReceipt.objects.get().state == State.SENT, "whoever holds an older number writes nothing"


def test_five_failures_park_a_receipt_and_a_person_lets_it_go_again(mail_server: MailServer) -> None:
    arrive()
    mail_server.behave(PARTNER, mailserver.LATER)
    for hours in range(5):
        send(timedelta(hours=2 * hours))
    parked = MailReceipt.objects.get()
    assert (parked.state, parked.trouble, parked.failures) == (State.PARKED, Trouble.NO_LUCK, 5)

    mail_server.behave(PARTNER, mailserver.ACCEPT)
    receipts.retry_receipt(receipt_id=parked.pk, by=SYSTEM, now=NOON + timedelta(hours=11))
    send(timedelta(hours=11))

    assert MailReceipt.objects.get().state == State.SENT
    with pytest.raises(WrongState):
        receipts.retry_receipt(receipt_id=parked.pk, by=SYSTEM, now=NOON)


def test_a_refusal_for_good_is_not_tried_again(mail_server: MailServer) -> None:
    arrive()
    mail_server.behave(PARTNER, mailserver.NEVER)
    send()
    assert MailReceipt.objects.get().trouble == Trouble.REFUSED


def test_what_their_server_answers_is_kept_without_whom_it_names() -> None:
    arrive()
    (held,) = receipts.claim(now=NOON, limit=1)
    answer = receipts.Failed(f"550 5.1.1 <{PARTNER}>: no such user: {PARTNER}", permanent=True)

    receipts.settle(held, answer, by=SYSTEM, now=NOON)

    assert MailReceipt.objects.get().answer == "550 5.1.1 <…>: no such user: …"


def test_who_was_stopped_meanwhile_gets_nothing(mail_server: MailServer, partner: MailSender) -> None:
    arrive()
    MailSender.objects.update(stopped_at=NOON, stopped_by="user:3")
    send()
    assert not mail_server.received
    assert MailReceipt.objects.get().trouble == Trouble.SENDER


def test_a_dry_run_sends_receipts_to_its_own_address(
    mail_server: MailServer, host: Callable[..., None]
) -> None:
    arrive()
    host(dry_run_address="dry@hotline.example", mail=host_mail(mail_server))
    send()
    assert [got.recipient for got in mail_server.accepted] == ["dry@hotline.example"]


def host_mail(server: MailServer) -> Any:
    from takedown.env import Mail as Relay

    return Relay(host="127.0.0.1", port=server.port, user="", password="", tls="")


def test_two_machines_that_answer_each_other_are_stopped_by_the_cap(mail_server: MailServer) -> None:
    for number in range(receipts.PER_HOUR + 2):
        arrive(number)
    states = list(MailReceipt.objects.order_by("pk").values_list("state", "trouble"))
    assert states[-2:] == [(State.PARKED, Trouble.CAPPED)] * 2
    assert {state for state, _trouble in states[:-2]} == {State.PENDING}
    assert Report.objects.count() == receipts.PER_HOUR + 2, "what came in is taken in all the same"


def test_a_receipt_of_ours_that_comes_back_ends_in_the_tray(mail_server: MailServer) -> None:
    arrive()
    send()
    back = mail_server.accepted[0].message
    del back["From"]
    back["From"] = PARTNER
    back["Authentication-Results"] = f"{MX}; dmarc=pass header.from=partner.example"
    raw = back.as_bytes()
    assert letter.read(Fetched(raw, len(raw), True)).by_machine
