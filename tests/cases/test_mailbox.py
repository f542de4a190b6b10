"""Reports by mail, from a real IMAP server: read once, judged by their sender, taken in or left to a person."""

import dataclasses
import hashlib
import ssl
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import connection

from audit.models import Event
from cases import tasks
from cases.intake.mailbox import reading, server
from cases.models import Mail, Mailbox, MailCopy, MailReceipt, MailSender, Notice, Report, ReportLine
from cases.services import mailbox, retention
from cases.services.refused import Invalid, WrongState
from tests.factories import NOON, SYSTEM, MailSenderFactory, SourceFactory
from tests.mailbox import MX, PARTNER, ImapServer, Wire, mail

pytestmark = pytest.mark.django_db

#: Signed by itself, for localhost.
CERTIFICATE = Path(__file__).resolve().parents[1] / "providers" / "localhost.pem"

Reason, State = Mail.Reason, Mail.State


@pytest.fixture
def imap(imap_process: ImapServer, host: Callable[..., None]) -> ImapServer:
    """An empty mailbox, which is ours; the partner is on the list."""
    imap_process.empty()
    host(mailbox=imap_process.setting, mailbox_authserv_id=MX)
    MailSenderFactory()
    return imap_process


def read() -> int:
    return reading.read_mailbox(by=SYSTEM, clock=lambda: NOON)


def test_a_partners_mail_becomes_a_report_and_is_put_away(imap: ImapServer) -> None:
    imap.put(
        mail("Dear colleagues,\n\nhttps://forum.example/img/0001.jpg\nhxxps://forum[.]example/img/0002.jpg\n")
    )

    assert read() == 1

    report = Report.objects.get()
    assert (report.way, report.source.code, report.total, report.finished_at) == ("mail", "partner", 2, NOON)
    assert list(report.lines.values_list("outcome", flat=True)) == ["new", "new"]
    assert {line.note for line in report.lines.all()} == {"Dear colleagues,"}
    kept = Mail.objects.get()
    assert (kept.state, kept.report, kept.decided_by) == (State.TAKEN, report, str(SYSTEM))
    assert (imap.count(), imap.count(server.DONE)) == (0, 1)
    assert Mailbox.objects.get().read_at == NOON
    acts = Event.objects.filter(subject="mail").order_by("pk").values_list("act", "became")
    assert list(acts) == [("receive", "accepted"), ("take_in", "taken")]


def test_lists_attached_to_a_mail_are_read_by_the_ways_for_files(imap: ImapServer) -> None:
    csv = (
        "url;note\r\nhttps://forum.example/img/0001.jpg;seen twice\r\nhttps://forum.example/img/0002.jpg;\r\n"
    )
    rows = '{"url": "https://forum.example/img/0003.jpg"}\n'
    imap.put(mail("See the lists.\nhttps://forum.example/img/0005.jpg\n",
                  files={"a.csv": csv, "b.JSONL": rows, "c.txt": "https://forum.example/img/0004.jpg\n"}))  # fmt: skip

    read()

    assert [line.raw_text.strip()[-8:-4] for line in ReportLine.objects.order_by("number")] == [
        "0001", "0002", "0003", "0004", "0005",
    ]  # fmt: skip
    assert [line.note for line in ReportLine.objects.order_by("number")][:2] == [
        "seen twice",
        "See the lists.",
    ]


def test_the_same_mail_is_taken_in_once_however_often_it_is_shown(imap: ImapServer) -> None:
    imap.put(mail(), mail())
    read()
    imap.put_back()
    read()

    assert (Report.objects.count(), ReportLine.objects.count(), Mail.objects.count()) == (1, 1, 1)
    assert (imap.count(), imap.count(server.DONE)) == (0, 2)


def test_a_mailbox_that_was_numbered_anew_doubles_and_loses_nothing(imap: ImapServer) -> None:
    imap.put(mail(), mail("https://forum.example/img/0002.jpg\n", message_id="<2@partner.example>"))
    with patch.object(server.Session, "put_away"):
        read()
    before = Mailbox.objects.get().uid_validity

    imap.restart()
    third = mail("https://forum.example/img/0003.jpg\n", message_id="<3@partner.example>")
    imap.put(third, mail(), mail("https://forum.example/img/0002.jpg\n", message_id="<2@partner.example>"))
    read()

    assert Mailbox.objects.get().uid_validity != before
    assert (Report.objects.count(), Notice.objects.count()) == (3, 3)
    assert set(MailCopy.objects.values_list("uid_validity", flat=True)) == {
        Mailbox.objects.get().uid_validity
    }
    assert imap.count() == 0


def test_a_mail_without_a_message_id_is_known_by_what_it_is(imap: ImapServer) -> None:
    imap.put(mail(message_id=""), mail(message_id=""))
    read()
    assert (Mail.objects.count(), Report.objects.count()) == (1, 1)


def test_two_deliveries_of_one_mail_by_different_roads_are_one(imap: ImapServer) -> None:
    imap.put(mail(), mail(X_Relay="mx2"))
    read()
    assert Report.objects.count() == 1


def test_the_same_message_id_with_other_contents_waits_for_a_person(imap: ImapServer) -> None:
    imap.put(mail(), mail("https://forum.example/img/0002.jpg\n"))
    read()
    assert list(Mail.objects.order_by("pk").values_list("state", "reason")) == [
        ("taken", ""), ("waiting", Reason.SAME_ID),
    ]  # fmt: skip


def test_a_crash_between_keeping_and_taking_in_is_made_up_for(imap: ImapServer) -> None:
    imap.put(mail())
    with patch.object(reading, "receive", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        read()
    assert (Mail.objects.get().state, imap.count()) == (State.ACCEPTED, 1)

    read()

    assert (Mail.objects.get().state, Report.objects.count(), imap.count()) == (State.TAKEN, 1, 0)


def test_a_crash_between_the_report_and_the_end_of_the_mail_adds_nothing_twice(imap: ImapServer) -> None:
    imap.put(mail())
    with patch.object(mailbox, "finish", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        read()
    assert Report.objects.get().finished_at is not None

    read()

    assert Mail.objects.get().report == Report.objects.get()
    assert MailReceipt.objects.count() == 1


def test_a_crash_between_commit_and_putting_away_is_made_up_for(imap: ImapServer) -> None:
    imap.put(mail())
    crash = patch.object(server.Session, "put_away", side_effect=[None, KeyboardInterrupt])
    with crash, pytest.raises(KeyboardInterrupt):
        read()
    assert (Mail.objects.get().state, imap.count()) == (State.TAKEN, 1)

    assert read() == 0

    assert (Report.objects.count(), imap.count(), imap.count(server.DONE)) == (1, 0, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_take_everything_in_once(imap: ImapServer) -> None:
    imap.put(
        *(
            mail(f"https://forum.example/img/{n:04d}.jpg\n", message_id=f"<{n}@partner.example>")
            for n in range(8)
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
    read()
    assert (Mail.objects.count(), Report.objects.count(), Notice.objects.count()) == (8, 8, 8)
    assert MailReceipt.objects.count() == 8
    assert imap.count() == 0


def test_a_wire_that_is_cut_anywhere_loses_and_doubles_nothing(
    imap: ImapServer, host: Callable[..., None]
) -> None:
    """The connection breaks after ever more bytes: in the greeting, the search, a fetch, and the moving."""
    long = "\n".join(f"https://forum.example/img/{n:04d}.jpg" for n in range(200))
    imap.put(mail(long), mail("https://forum.example/img/9999.jpg\n", message_id="<2@partner.example>"))
    cuts = 0
    for after in (10, 200, 600, 900, 1_400, 3_000, 8_000, 9_000, 9_600):
        with Wire(imap.port, after) as wire:
            there = imap.setting
            host(mailbox=dataclasses.replace(there, port=wire.port), mailbox_authserv_id=MX)
            read()
            cuts += wire.cuts
    assert cuts >= 6, "the wire was hardly ever cut: the test shows nothing"
    host(mailbox=imap.setting, mailbox_authserv_id=MX)
    read()

    assert (Report.objects.count(), ReportLine.objects.count(), Notice.objects.count()) == (2, 201, 201)
    assert Mail.objects.filter(state=State.TAKEN).count() == 2
    assert imap.count() == 0


def test_a_server_that_trickles_its_answers_is_hung_up_on(
    imap: ImapServer, host: Callable[..., None]
) -> None:
    imap.put(mail("\n".join(f"https://forum.example/img/{n:04d}.jpg" for n in range(200))))
    began = time.monotonic()
    with Wire(imap.port, byte_s=0.02) as wire, patch.object(server, "TALK_S", 1.5):
        host(mailbox=dataclasses.replace(imap.setting, port=wire.port), mailbox_authserv_id=MX)
        assert read() == 0
    assert time.monotonic() - began < 10
    host(mailbox=imap.setting, mailbox_authserv_id=MX)
    assert read() == 1
    assert Report.objects.get().total == 200


def test_tls_is_spoken_from_the_first_byte_and_only_with_whom_we_trust(
    imap: ImapServer, host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    imap.put(mail())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    with Wire(imap.port, tls=context) as wire:
        host(
            mailbox=dataclasses.replace(imap.setting, host="localhost", port=wire.port, tls="tls"),
            mailbox_authserv_id=MX,
        )
        assert read() == 0, "nobody we trust signed for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert read() == 1


def test_starttls_is_insisted_on_and_only_with_whom_we_trust(
    imap: ImapServer, host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def reached(there: ImapServer) -> bool:
        setting = dataclasses.replace(there.setting, host="localhost", tls="starttls")
        host(mailbox=setting, mailbox_authserv_id=MX)
        Mailbox.objects.all().delete()
        read()
        return Mailbox.objects.filter(read_at=NOON).exists()

    assert not reached(imap), "it offers no TLS"
    secure = ImapServer("--cert", str(CERTIFICATE), "--key", str(CERTIFICATE))
    secure.start()
    try:
        assert not reached(secure), "nobody we trust signed for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert reached(secure)
    finally:
        secure.stop()


def test_a_server_that_is_away_is_no_fault_and_leaves_the_age_to_health(
    imap: ImapServer, host: Callable[..., None]
) -> None:
    there = imap.setting
    host(mailbox=dataclasses.replace(there, port=9), mailbox_authserv_id=MX)
    assert read() == 0
    assert not Mailbox.objects.filter(read_at__isnull=False).exists()


def test_a_mail_that_kills_its_reader_is_left_to_a_person_and_its_neighbours_flow(imap: ImapServer) -> None:
    imap.put(mail(message_id="<bad@partner.example>"), mail("https://forum.example/img/0002.jpg\n"))
    real = reading.letter.read

    def deadly(fetched: server.Fetched) -> object:
        if b"<bad@partner.example>" in fetched.raw:
            raise KeyboardInterrupt
        return real(fetched)

    with patch.object(reading.letter, "read", deadly):
        for _attempt in range(mailbox.MAX_TRIES):
            with pytest.raises(KeyboardInterrupt):
                read()
        read()

    assert Mail.objects.get(state=State.WAITING).reason == Reason.UNREADABLE
    assert Report.objects.count() == 1


def test_a_mail_that_is_too_large_is_not_fetched_and_does_not_stop_the_others(imap: ImapServer) -> None:
    huge = mail(message_id="<huge@partner.example>").as_bytes() + b"x" * 2_000_000
    imap.put(huge, mail("https://forum.example/img/0002.jpg\n"))
    with patch.object(server, "MAX_SIZE", 1_000_000):
        read()

    kept = Mail.objects.get(state=State.WAITING)
    assert (kept.reason, kept.size_bytes > 2_000_000, kept.texts_json) == (Reason.TOO_LARGE, True, "")
    assert kept.sender == PARTNER
    assert Report.objects.count() == 1


# -- who sent it -----------------------------------------------------------------------------------------


SUSPECT = [
    (Reason.STRANGER, {"sender": "someone@stranger.example"}),
    (Reason.STRANGER, {"sender": "reports@sub.partner.example"}),
    (Reason.NOT_PROVEN, {"verdict": None}),
    (Reason.NOT_PROVEN, {"verdict": f"{MX}; dmarc=fail header.from=partner.example"}),
    (Reason.NOT_PROVEN, {"verdict": "mx.forger.example; dmarc=pass header.from=partner.example"}),
    (Reason.NOT_PROVEN, {"verdict": f"{MX}; dmarc=pass header.from=stranger.example"}),
    (Reason.MACHINE, {"Auto_Submitted": "auto-generated"}),
    (Reason.MACHINE, {"Return_Path": "<>"}),
    (Reason.MACHINE, {"List_Id": "<list.partner.example>"}),
    (Reason.MACHINE, {"Precedence": "bulk"}),
    (Reason.MACHINE, {"X_Takedown_Receipt": "R-1"}),
    (Reason.MACHINE, {"sender": "mailer-daemon@partner.example"}),
    (Reason.MACHINE, {"sender": "meldpunt+token@hotline.example"}),
]


def test_mail_whose_sender_is_not_proven_waits_and_gets_no_answer(imap: ImapServer) -> None:
    imap.put(*(mail(message_id=f"<{n}@x.example>", **how) for n, (_why, how) in enumerate(SUSPECT)))
    read()

    assert list(Mail.objects.order_by("pk").values_list("reason", flat=True)) == [
        why for why, _how in SUSPECT
    ]
    assert set(Mail.objects.values_list("state", flat=True)) == {State.WAITING}
    assert not Report.objects.exists()
    assert not MailReceipt.objects.exists()
    assert imap.count(server.DONE) == len(SUSPECT), "nothing is deleted"


def test_two_senders_in_from_are_none(imap: ImapServer) -> None:
    raw = (
        mail()
        .as_bytes()
        .replace(b"From: reports@partner.example", b"From: reports@partner.example, a@b.example")
    )
    twice = (
        mail(message_id="<2@partner.example>")
        .as_bytes()
        .replace(b"From: ", b"From: x@y.example\r\nFrom: ", 1)
    )
    imap.put(raw, twice)
    read()
    assert list(Mail.objects.values_list("reason", flat=True)) == [Reason.BAD_FROM] * 2


def test_who_is_not_approved_yet_or_was_stopped_is_a_stranger(imap: ImapServer) -> None:
    MailSender.objects.update(approved_at=None, approved_by="")
    imap.put(mail())
    read()
    assert Mail.objects.get().reason == Reason.STRANGER


def test_an_address_on_the_list_comes_before_its_domain(imap: ImapServer) -> None:
    MailSenderFactory(pattern="partner.example", source=SourceFactory(code="public"))
    found = [mailbox.sender_of(f"{name}@partner.example") for name in ("reports", "else")]
    assert [sender and sender.source.code for sender in found] == ["partner", "public"]
    assert mailbox.sender_of("else@sub.partner.example") is None


# -- what a person decides -----------------------------------------------------------------------------


def test_a_person_takes_a_strangers_mail_in_without_an_answer_to_the_stranger(imap: ImapServer) -> None:
    imap.put(mail(sender="someone@stranger.example"))
    read()
    kept = Mail.objects.get()
    mailbox.accept(mail_id=kept.pk, source_id=SourceFactory(code="partner").pk, by=SYSTEM, now=NOON)
    reading.take_in(mail_id=kept.pk, by=SYSTEM, now=NOON)

    assert Report.objects.get().total == 1
    assert Mail.objects.get().state == State.TAKEN
    assert not MailReceipt.objects.exists()
    with pytest.raises(WrongState):
        mailbox.set_aside(mail_id=kept.pk, by=SYSTEM, now=NOON)


def test_a_mail_without_lines_cannot_be_taken_in(imap: ImapServer) -> None:
    imap.put(mail("Hello\n"))
    read()
    kept = Mail.objects.get()
    assert kept.reason == Reason.NO_LINES
    with pytest.raises(Invalid):
        mailbox.accept(mail_id=kept.pk, source_id=SourceFactory(code="partner").pk, by=SYSTEM, now=NOON)


def test_what_a_mail_said_is_erased_thirty_days_after_the_decision_and_not_before(imap: ImapServer) -> None:
    imap.put(mail(), mail(sender="someone@stranger.example", message_id="<2@stranger.example>"))
    read()

    assert retention.erase(by=SYSTEM, now=NOON + timedelta(days=30, seconds=-1))["mails"] == 0
    assert retention.erase(by=SYSTEM, now=NOON + timedelta(days=30))["mails"] == 1

    kept = Mail.objects.get(state=State.TAKEN)
    assert (kept.sender, kept.subject, kept.texts_json, kept.message_id) == ("", "", "", "")
    assert Mail.objects.get(state=State.WAITING).sender == "someone@stranger.example"
    imap.put(mail())
    read()
    assert Report.objects.count() == 1, "it is still known"


def test_nothing_of_a_mail_stands_readable_in_the_database(imap: ImapServer) -> None:
    imap.put(mail(subject="Urgent subject", text="https://forum.example/img/0001.jpg\nA note\n"))
    read()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM cases_mail m")
        (row,) = cursor.fetchone()
        cursor.execute("SELECT coalesce(string_agg(data::text, ''), '') FROM audit_event")
        (audit,) = cursor.fetchone()
    for word in ("forum.example", "Urgent", "partner.example", "A note"):
        assert word not in row
        assert word.encode().hex() not in row
        assert word not in audit
    assert hashlib.sha256(b"reports@partner.example").hexdigest() not in row


def test_the_sweep_reads_the_mailbox_and_leaves_its_beat(imap: ImapServer) -> None:
    imap.put(mail())
    tasks.sweep_mailbox()
    assert Report.objects.count() == 1


def test_without_a_mailbox_the_sweep_does_nothing(host: Callable[..., None]) -> None:
    host(mailbox=None)
    tasks.sweep_mailbox()
    assert not Mailbox.objects.exists()
