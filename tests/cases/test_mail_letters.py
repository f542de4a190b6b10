"""One mail: who sent it, what our server found proven, and the lines in it; whatever a sender can write."""

import time
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.intake.mailbox import authenticity, letter, parts, texts
from cases.intake.mailbox.server import Fetched
from cases.intake.way import Unreadable
from cases.models import Mail
from cases.services.mailbox import Arrived
from tests.mailbox import MX, PARTNER, mail

Reason = Mail.Reason
ADDRESS = "https://forum.example/img/0001.jpg"


@pytest.fixture(autouse=True)
def our_server(host: Callable[..., None]) -> None:
    host(mailbox_authserv_id=MX)


def read(sent: EmailMessage | bytes) -> Arrived:
    raw = sent if isinstance(sent, bytes) else sent.as_bytes(policy=SMTP)
    return letter.read(Fetched(raw, len(raw), True))


# -- authenticity ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "by", "results"),
    [
        (f"{MX}; dmarc=pass header.from=partner.example", MX, [("dmarc", "pass", "partner.example")]),
        (f"{MX} 1; none", MX, []),
        ("MX.hotline.example; DMARC=Pass (p=none; dis=none) header.From=Partner.example", MX,
         [("dmarc", "pass", "partner.example")]),
        (f"{MX}; spf=pass smtp.mailfrom=a@b.example; dmarc = pass header.from = partner.example", MX,
         [("spf", "pass", ""), ("dmarc", "pass", "partner.example")]),
        (f'{MX}; dmarc=pass reason="a; dmarc=pass header.from=x.example" header.from=partner.example', MX,
         [("dmarc", "pass", "partner.example")]),
        (f"{MX} (a (nested) comment; dmarc=fail); dmarc/1=pass header.from=partner.example", MX,
         [("dmarc", "pass", "partner.example")]),
        (f"{MX}; dmarc=pass header.from=a.example header.from=b.example", MX, [("dmarc", "pass", "")]),
        (f"{MX}; dmarc=pass action=none header.from=partner.example;compauth=pass reason=100", MX,
         [("dmarc", "pass", "partner.example"), ("compauth", "pass", "")]),
        (f"{MX} (never closed; dmarc=pass header.from=partner.example", "", []),
        (f'{MX}; dmarc=pass reason="never closed header.from=partner.example', "", []),
        (f"{MX} extra words; dmarc=pass header.from=partner.example", "", []),
        (f"{MX}; dmarc pass header.from=partner.example", "", []),
        ("", "", []),
        (f"{MX}; dmarc=pass header.from=partner.example" + " " * 10_000, "", []),
    ],
)  # fmt: skip
def test_results_of_authentication_are_read_strictly(
    value: str, by: str, results: list[tuple[str, str, str]]
) -> None:
    assert authenticity.results_of(value) == (by, results)


OURS = ("Authentication-Results", f"{MX}; dmarc=pass header.from=partner.example")
FAIL = ("Authentication-Results", f"{MX}; dmarc=fail header.from=partner.example")
SPF = ("Authentication-Results", f"{MX}; spf=pass smtp.mailfrom=partner.example")
HOP = ("Received", "from a by b")


@pytest.mark.parametrize(
    ("headers", "is_proven"),
    [
        ([OURS], True),
        ([HOP, OURS, HOP], True),
        ([SPF, OURS, HOP], True),
        ([FAIL, HOP, OURS], False),  # forged in our name, below the line of our server
        ([SPF, HOP, OURS], False),  # our server said nothing of DMARC; the sender did
        ([FAIL, OURS, HOP], False),  # one of them is forged
        ([OURS, OURS], False),
        ([("Authentication-Results", "mx.forger.example; dmarc=pass header.from=partner.example")], False),
        ([("Authentication-Results", f"{MX}.forger.example; dmarc=pass header.from=partner.example")], False),
        ([("ARC-Authentication-Results", f"i=1; {MX}; dmarc=pass header.from=partner.example")], False),
        ([("Authentication-Results", f"{MX}; dmarc=pass header.from=sub.partner.example")], False),
        ([("Authentication-Results", f"{MX}; dmarc=pass")], False),
        ([], False),
    ],
)
def test_only_the_verdict_of_our_own_server_on_top_counts(
    headers: list[tuple[str, str]], is_proven: bool
) -> None:
    found = authenticity.is_proven(headers, authserv_id=MX, domain="partner.example")
    assert found is is_proven


@pytest.mark.parametrize(
    ("values", "address"),
    [
        (["reports@partner.example"], "reports@partner.example"),
        (["Reports <Reports@Partner.example>"], "reports@partner.example"),
        (['"Reports, desk <x@y.example>" <reports@partner.example>'], "reports@partner.example"),
        (["=?utf-8?q?D=C3=A9sk?=\r\n <reports@partner.example>"], "reports@partner.example"),
        (["a@b.example, reports@partner.example"], None),
        (["reports@partner.example <a@forger.example>"], None),
        (["<reports@partner.example> <a@forger.example>"], None),
        (["partners: reports@partner.example;"], None),
        (["reports@partner.example (a@forger.example)"], None),
        (["reports@partner.example", "reports@partner.example"], None),
        (["reports@partner.example\r\nBcc: x@y.example"], None),
        (["<@relay.example:reports@partner.example>"], None),
        (["x" * 2_000 + "@partner.example"], None),
        ([" " * 100_000 + "<"], None),
        (["reports@partnér.example"], None),
        ([""], None),
        ([], None),
    ],
)
def test_exactly_one_clear_sender_counts(values: list[str], address: str | None) -> None:
    found = authenticity.sender(values)
    assert (found and found.address) == address


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_header_is_a_fault(value: str) -> None:
    authenticity.results_of(value)
    authenticity.sender([value])


@given(st.binary(max_size=2_000))
@settings(max_examples=150, deadline=None)
def test_no_bytes_are_a_fault(raw: bytes) -> None:
    letter.read(Fetched(b"From: a@b.example\r\n" + raw, len(raw), True))


# -- what is in it ---------------------------------------------------------------------------------------


def lines(text: str) -> list[tuple[str, str]]:
    return [(line.url, line.fault) for line in texts.read([("", text)], domain="partner.example").lines]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ADDRESS, [(ADDRESS, "")]),
        ("hxxps[:]//forum[.]example/a\nwww.forum.example\nforum.example/b",
         [("hxxps[:]//forum[.]example/a", ""), ("www.forum.example", ""), ("forum.example/b", "")]),
        (f"1. {ADDRESS}\n- {ADDRESS}\n<{ADDRESS}>", [(ADDRESS, "")] * 3),
        ("Dear colleagues,\nRegards,\nJ. Smith\nj.smith@partner.example\nnode.js", []),
        (f"> {ADDRESS}\n>> {ADDRESS}", []),
        (f"Please look at {ADDRESS} today", [(f"Please look at {ADDRESS} today", "words_beside")]),
        ("https://www.partner.example/\nVisit us at https://partner.example/about", []),
        ("https://notpartner.example/", [("https://notpartner.example/", "")]),
        ("https://user@forum.example/a", [("https://user@forum.example/a", "")]),
    ],
)  # fmt: skip
def test_addresses_on_lines_of_their_own_are_the_lines(text: str, found: list[tuple[str, str]]) -> None:
    assert lines(text) == found


def test_the_letter_is_the_note_of_a_short_report_and_of_no_long_one() -> None:
    short = texts.read([("", f"Ongoing abuse\n{ADDRESS}")], domain="")
    long = texts.read([("", "Ongoing abuse\n" + f"{ADDRESS}\n" * 51)], domain="")
    assert (short.lines[0].note, short.letter) == ("Ongoing abuse", 1)
    assert {line.note for line in long.lines} == {""}


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
def test_every_usual_encoding_is_read(encoding: str, charset: str) -> None:
    sent = mail(verdict=None)
    sent.set_content(f"Privé\n{ADDRESS}?a=1&b=2\n", charset=charset, cte=encoding)
    found = read(sent)
    assert (found.texts, found.total, found.trouble) == ((("", f"Privé\n{ADDRESS}?a=1&b=2\n"),), 1, "")


def test_flowing_text_is_read_as_it_was_typed() -> None:
    raw = (
        b"From: a@b.example\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\n"
        b"https://forum.example/a/very/ \r\nlong/one.jpg\r\n"
        b"> quoted \r\n>more\r\n https://forum.example/2\r\n"
    )
    ((kind, text),) = read(raw).texts
    assert kind == ""
    assert lines(text) == [("https://forum.example/a/very/long/one.jpg", ""), ("https://forum.example/2", "")]


def test_flowing_text_of_very_many_short_lines_is_read_at_once() -> None:
    raw = b"From: a@b.example\r\nContent-Type: text/plain; format=flowed\r\n\r\n" + b"a \n" * 300_000
    began = time.process_time()

    found = parts.found_in(message_from_bytes(raw))

    assert found.texts == [("", "a " * 300_000)]
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain; charset=no-such-thing", b"https://forum.example/"),
        ("text/plain; charset=punycode", b"a" * 50_000),
        ("text/plain; charset=utf-8", b"https://forum.example/\xff\xfe"),
        ("text/plain; charset=rot13", b"uggcf://sbehz.rknzcyr/"),
        ("text/plain", b"https://forum.example/\0"),
    ],
)
def test_a_text_that_is_not_in_its_character_set_is_left_to_a_person(kind: str, body: bytes) -> None:
    raw = b"From: a@b.example\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + body
    assert read(raw).trouble == Reason.CHARSET


def test_html_alone_is_not_read_and_beside_text_it_is_passed_over() -> None:
    alone = mail(verdict=None)
    alone.set_content(f"<p>{ADDRESS}</p>", subtype="html")
    both = mail(f"{ADDRESS}\n", verdict=None)
    both.add_alternative(f"<p>{ADDRESS}</p>", subtype="html")

    assert (read(alone).trouble, read(alone).texts) == (Reason.HTML_ONLY, ())
    assert (read(both).trouble, read(both).total, read(both).dropped) == ("", 1, 0)


def test_pictures_archives_and_everything_else_are_counted_and_left_behind() -> None:
    sent = mail(f"{ADDRESS}\n", verdict=None)
    for maintype, subtype, name in (
        ("image", "jpeg", "a.jpg"),
        ("application", "zip", "a.zip"),
        ("application", "ms-tnef", "winmail.dat"),
        ("image", "png", "list.csv"),
        ("video", "mp4", "x.txt"),
    ):
        sent.add_attachment(
            b"\xff\xd8\xff\xe0secret picture", maintype=maintype, subtype=subtype, filename=name
        )
    inner = EmailMessage()
    inner.set_content(f"{ADDRESS}/inner\n")
    sent.add_attachment(inner)

    found = read(sent)

    assert (found.total, found.dropped, found.trouble) == (1, 6, "")
    assert "secret" not in repr(found)


def test_a_picture_that_is_called_a_list_is_not_kept_and_a_person_is_told() -> None:
    found = read(mail(f"{ADDRESS}\n", files={"list.csv": b"\xff\xd8\xff\xe0\x00secret"}))
    assert (found.trouble, found.dropped, found.texts) == (Reason.BAD_FILE, 1, (("", f"{ADDRESS}\n"),))


def test_a_list_that_is_none_leaves_the_whole_mail_to_a_person() -> None:
    found = read(mail(f"{ADDRESS}\n", files={"list.csv": 'url\n"never closed\n'}))
    assert found.trouble == Reason.BAD_FILE
    with pytest.raises(Unreadable):
        texts.read(found.texts, domain="")


@pytest.mark.parametrize(
    "text",
    [
        "data:image/jpeg;base64," + "A" * 500,
        "begin 644 a.jpg\n" + ("M" + "#" * 60 + "\n") * 20 + "`\nend\n",
        ("/9j/" + "A" * 72 + "\n") * 20,
    ],
)
def test_a_picture_written_out_as_text_is_left_out(text: str) -> None:
    found = read(mail(f"{ADDRESS}\n{text}\n", verdict=None))
    assert found.total == 1
    assert parts.LEFT_OUT in found.texts[0][1]
    assert len(found.texts[0][1]) < 120


def _nested(depth: int) -> bytes:
    head = b"From: a@b.example\r\n"
    for n in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
    return head + b"Content-Type: text/plain\r\n\r\nhttps://forum.example/\r\n"


def test_500_nested_parts_are_not_parsed() -> None:
    raw = _nested(500) + b"x\r\n" * 200_000
    began = time.process_time()
    found = read(raw)
    assert (found.trouble, found.total) == (Reason.PARTS, 0)
    assert time.process_time() - began < 2


def test_mails_within_mails_without_end_are_left_to_a_person() -> None:
    raw = b"From: a@b.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 3_000 + b"x"
    assert read(raw).trouble in {Reason.PARTS, Reason.NO_LINES}


def test_many_parts_side_by_side_are_too_many() -> None:
    raw = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    raw += b"--b\r\n\r\nhttps://forum.example/\r\n" * (parts.MAX_PARTS + 5)
    assert read(raw).trouble == Reason.PARTS


def test_more_than_ten_thousand_lines_are_looked_at_first() -> None:
    found = read(mail("x\n", files={"list.txt": f"{ADDRESS}\n" * 10_001}))
    assert (found.total, found.trouble) == (10_001, Reason.MANY_LINES)


def test_long_hostile_lines_take_no_long_time() -> None:
    began = time.process_time()
    lines("a." * 400_000 + "\n" + ("a." * 2_000 + "\n") * 100 + "https" * 100_000)
    parts.without_imagery("begin 644 x\n" * 50_000 + "data:" * 50_000 + ("A" * 76 + "\n") * 3)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Plain words", "Plain words"),
        ("=?utf-8?q?Priv=C3=A9?=", "Privé"),
        ("=?utf-8?b?not base64?=", "=?utf-8?b?not base64?="),
        ("=?no-such-thing?q?abc?=", "abc"),
        ("one\r\n two", "one two"),
        ("=?utf-8?q?a=0D=0ABcc:_x=00y?=", "a Bcc: x y"),
        ("x" * 5_000, "x" * 200),
    ],
)
def test_a_subject_is_one_line_of_text(raw: str, shown: str) -> None:
    assert read(b"From: a@b.example\r\nSubject: " + raw.encode() + b"\r\n\r\n").subject == shown


def test_a_header_without_end_is_not_read() -> None:
    found = read(b"From: reports@partner.example\r\nX: " + b"y" * 300_000)
    assert (found.trouble, found.sender) == (Reason.UNREADABLE, "")


def test_a_date_of_1970_and_several_recipients_change_nothing() -> None:
    raw = mail(
        f"{ADDRESS}\n", Date="Thu, 01 Jan 1970 00:00:00 +0000", Cc="a@b.example, c@d.example"
    ).as_bytes()
    found = read(raw.replace(b"To: ", b"To: x@y.example, ", 1))
    assert (found.sender, found.is_proven, found.total) == ("reports@partner.example", True, 1)


@pytest.mark.parametrize(
    "header",
    [
        "Content-Type: multipart/mixed; boundary*" + "9" * 5_000 + "=x",
        "Content-Type: text/plain; charset*" + "9" * 5_000 + "=x",
        "Content-Disposition: attachment; filename*0*=x; filename*=y; filename*1=z",
        "Content-Disposition: attachment; filename*=idna''%ff..c",
    ],
)
def test_parameters_that_the_library_stumbles_over_hide_neither_the_sender_nor_the_proof(header: str) -> None:
    raw = f"Authentication-Results: {OURS[1]}\r\nFrom: {PARTNER}\r\n{header}\r\n\r\n{ADDRESS}\r\n".encode()

    arrived = read(raw)

    assert (arrived.sender, arrived.is_proven) == (PARTNER, True)
    assert arrived.trouble == Reason.UNREADABLE
