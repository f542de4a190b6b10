"""What came back is told apart before anything is done with it: a corpus of mails as the servers of the world write
them. The first word of a sample's name is what it is."""

import re
from email.message import Message
from pathlib import Path

import pytest
from flufl.bounce import all_failures

from cases.intake.mailbox.server import Fetched
from cases.intake.replies import letter, reports
from cases.intake.replies.tickets import ticket_in
from cases.models import ReplyMail
from cases.services.replies import Returned

Kind = ReplyMail.Kind

CORPUS = sorted((Path(__file__).resolve().parents[1] / "data" / "replies").glob("*.eml"))
MESSAGE_ID = "<ntd-2026-000123.00112233445566aa@hotline.example>"


def read(raw: bytes) -> Returned:
    return letter.read(Fetched(raw, len(raw), True))


def sample(name: str) -> Returned:
    (path,) = [path for path in CORPUS if path.stem == name]
    return read(path.read_bytes().replace(b"\n", b"\r\n"))


def with_headers(text: str = "It is gone now.", **headers: str) -> Returned:
    """What a person might have written, but for these headers."""
    usual = {"From": "jan@alfa.example", "To": "meldpunt@hotline.example", "Subject": "Re: your notice"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in (usual | named).items()]
    return read(("\r\n".join([*lines, "", text]) + "\r\n").encode())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_each_sample_is_what_its_name_says(path: Path) -> None:
    assert sample(path.stem).kind == path.stem.partition("-")[0]


def test_the_corpus_has_every_kind() -> None:
    assert {path.stem.partition("-")[0] for path in CORPUS} == set(Kind.values)


@pytest.mark.parametrize(
    "name",
    [
        "failed-postfix",
        "failed-exchange",
        "failed-mailbox-full",
        "failed-exim",
        "failed-qmail",
        "failed-plain-words",
    ],
)
def test_a_bounce_names_our_recipient(name: str) -> None:
    found = [fate for fate in sample(name).fates if "abuse@alfa.example" in fate.addresses]
    assert [fate.action for fate in found] == ["failed"]


def test_a_report_gives_status_words_and_the_message_that_it_is_about() -> None:
    found = sample("failed-postfix")
    (fate,) = found.fates
    assert (fate.status, fate.words) == (
        "5.1.1",
        "550 5.1.1 <abuse@alfa.example>: Recipient address rejected: User unknown in virtual mailbox table",
    )
    assert MESSAGE_ID in found.thread
    assert "meldpunt+token-ntd-2026-000123@hotline.example" in found.to


def test_an_address_in_xtext_is_read(  # RFC 3461, 4
) -> None:
    (fate,) = sample("delivered-by-their-server").fates
    assert fate.addresses == {"abuse@alfa.example"}


@pytest.mark.parametrize(
    ("name", "ticket"),
    [
        ("receipt-otrs", "2026112410000123"),
        ("receipt-rt", "45678"),
        ("receipt-nl", "AB-2026/00987"),
        ("receipt-exchange-rule", "2026-4711"),
        ("receipt-jira", "ABUSE-1234"),
        ("auto-agent-in-a-ticket-system", "778899"),
        ("away-exchange-en", ""),
        ("answer-about-an-absence", ""),
    ],
)
def test_their_number_is_found_and_never_ours(name: str, ticket: str) -> None:
    assert sample(name).ticket == ticket


@pytest.mark.parametrize(
    ("subject", "text", "ticket"),
    [
        ("[NTD-2026-000123] Notice: illegal content on your network (24h)", "", ""),
        ("Re: N-0123456789", "", ""),
        ("Hello", "Reference number: 2026-11-24/0815", "2026-11-24/0815"),
        ("Hello", "Your case #00123 is open", "00123"),
        ("Hello ##99887##", "", "99887"),
        ("Hello", "> ticket 12345", ""),
        ("Hello", "Call 020 555 0100 within 24 hours", ""),
    ],
)
def test_numbers_of_tickets(subject: str, text: str, ticket: str) -> None:
    assert ticket_in(subject, text) == ticket


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, Kind.ANSWER),
        ({"Auto_Submitted": "no"}, Kind.ANSWER),
        ({"Auto_Submitted": "auto-generated"}, Kind.AUTO),
        ({"Auto_Submitted": "auto-replied"}, Kind.AWAY),
        ({"X_Autoreply": "yes"}, Kind.AUTO),
        ({"Precedence": "auto_reply"}, Kind.AUTO),
        ({"Return_Path": "<>"}, Kind.AUTO),
        ({"From": "do-not-reply@alfa.example"}, Kind.AUTO),
        ({"From": "postmaster@alfa.example"}, Kind.AUTO),
        ({"List_Unsubscribe": "<mailto:leave@lists.example>"}, Kind.OTHER),
        ({"X_Takedown_Receipt": "R-1"}, Kind.OWN),
        ({"From": "Meldpunt <MELDPUNT@hotline.example>"}, Kind.OWN),
        ({"Subject": "Re: Out of office: your notice"}, Kind.ANSWER),
    ],
)
def test_signs_of_machines(headers: dict[str, str], kind: str) -> None:
    assert with_headers(**headers).kind == kind


def test_what_a_sample_says_stands_as_text_and_attachments_are_counted() -> None:
    found = sample("answer-plain")
    assert "ontoegankelijk gemaakt" in found.text
    assert (found.dropped, found.trouble, found.number) == (0, "", "NTD-2026-000123")


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        (b"Content-Type: text/plain; charset=x-unknown\r\n\r\n\xff\xfe", "charset"),
        (b"Content-Type: text/html\r\n\r\n<b>gone</b>", "html_only"),
        (b"Subject: " + b"x" * 300_000 + b"\r\n\r\nHello", "unreadable"),
        (
            b"".join(
                b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500)
            )
            + b"\r\nHello",
            "parts",
        ),
    ],
    ids=["charset", "html", "header", "500 parts"],
)
def test_what_cannot_be_read_is_said_and_never_raises(raw: bytes, trouble: str) -> None:
    assert read(b"From: jan@alfa.example\r\n" + raw).trouble == trouble


def test_pictures_archives_and_lists_are_counted_and_left_behind() -> None:
    raw = b"".join(
        [
            b"From: jan@alfa.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
            b"--b\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n",
            *(
                b"--b\r\nContent-Type: %s\r\nContent-Disposition: attachment; filename=%s\r\n\r\nAAAA\r\n"
                % what
                for what in (
                    (b"image/png", b"proof.png"),
                    (b"application/ms-tnef", b"winmail.dat"),
                    (b"application/zip", b"a.zip"),
                    (b"text/csv", b"list.csv"),
                )
            ),
            b"--b--\r\n",
        ]
    )
    found = read(raw)
    assert (found.text.strip(), found.dropped) == ("See the files.", 4)


def test_a_report_with_a_thousand_recipients_or_a_broken_one_is_read_in_part() -> None:
    block = b"Final-Recipient: rfc822; x@alfa.example\r\nAction: failed\r\n\r\n"
    head = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    many = read(head + b"Content-Type: message/delivery-status\r\n\r\n\r\n" + block * 1_000 + b"--b--\r\n")
    assert len(many.fates) == 100
    broken = read(head + b"Content-Type: message/delivery-status\r\n\r\n\xff\xfe\x00--b--\r\n")
    assert broken.fates == ()


def test_of_a_long_bounce_only_the_beginning_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def watched(mail: Message) -> tuple[frozenset[bytes], frozenset[bytes]]:
        looked_at.append(len(str(mail.get_payload())))
        found: tuple[frozenset[bytes], frozenset[bytes]] = all_failures(mail)
        return found

    monkeypatch.setattr(reports, "all_failures", watched)
    (path,) = [path for path in CORPUS if path.stem == "failed-qmail"]
    found = read(path.read_bytes() + b"<other@alfa.example>: failed\n" * 100_000)
    assert [fate.addresses for fate in found.fates] == [{"abuse@alfa.example"}]
    assert max(looked_at) <= 100_000


def test_no_sample_names_a_real_party() -> None:
    reserved = re.compile(rb"@(?!(?:[\w.-]+\.)?example\b)[\w-]+\.[\w.-]+")
    for path in CORPUS:
        assert not reserved.search(path.read_bytes()), path.name
