"""What a notice's message says, and what it never says."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from cases.formats.csv_lines import neutral
from cases.models import Dispatch, Notice
from cases.services.sending import claim, deliver_due, prepare
from providers.models import Contact
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    ReportLineFactory,
    StepFactory,
)
from tests.mailserver import MailServer

URL = "https://forum.example/gallery/2026/pictures/img_0123456789.jpg?full=1"
HOUR = timedelta(hours=1)
Make = Callable[..., EmailMessage]


@pytest.fixture
def make(static_resolver: FixedResolver, db: None) -> Make:
    """`make(at=...)`: the one due message, as bytes on the wire and read back by a stranger's parser."""

    def message(at: datetime = NOON) -> EmailMessage:
        (held,) = claim(now=at, limit=1)
        ready = prepare(held, resolver=static_resolver, by=SYSTEM, now=at)
        assert ready is not None
        parsed = message_from_bytes(ready.message.as_bytes(), policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    return message


def first(*, mode: str = "portal", language: str = "en", **fields: Any) -> Notice:
    """A notice on a first message that is due at NOON."""
    provider = ProviderFactory(language=language)
    contact = ContactFactory(provider=provider, approved=True, mode=mode)
    content = {"content__url": URL} if "content" not in fields else {}
    notice: Notice = NoticeFactory(
        **{"routed": True, "provider": provider, "contact": contact, **content, **fields}
    )
    return notice


def reminder(language: str = "en", notified_at: datetime = NOON - 24 * HOUR) -> Notice:
    """A notice that ran out at NOON, was just seen, and stands on a reminder."""
    notice = first(
        language=language, escalated=True, notified_at=notified_at, last_seen_online_at=NOON - HOUR
    )
    StepFactory(notice=notice, code="reminder-2")
    DispatchFactory(contact=notice.dispatch_lines.get().contact, reminder=True, round=2, lines_of=[notice])
    return notice


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def everything(message: EmailMessage) -> str:
    """Headers and all parts, decoded."""
    parts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return "\n".join([*(f"{name}: {value}" for name, value in message.items()), *parts])


# -- headers --------------------------------------------------------------------------------------------


def test_the_headers_that_others_rely_on(make: Make) -> None:
    dispatch = first().dispatch_lines.get().dispatch
    message = make()

    assert message["Message-ID"] == dispatch.message_id
    assert message["X-Takedown-Dispatch"] == dispatch.number
    assert message["Reply-To"] == f"meldpunt+{dispatch.token}@hotline.example"
    assert message["From"] == "Meldpunt <meldpunt@hotline.example>"
    assert message["To"] == "abuse@alfa.example"
    assert message["Date"] == "Tue, 24 Nov 2026 12:00:00 +0000"
    assert message["Subject"] == f"[{dispatch.number}] Notice: illegal content on your network (24h)"
    assert message["Auto-Submitted"] is None
    assert message["In-Reply-To"] is None
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"


def test_a_reminder_is_threaded_and_says_that_a_machine_sent_it(make: Make) -> None:
    notice = reminder()
    message = make()

    original = Dispatch.objects.get(kind="first", lines__notice=notice)
    assert message["In-Reply-To"] == message["References"] == original.message_id
    assert message["Message-ID"] != original.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Reminder 2" in message["Subject"]


def test_a_line_of_mail_is_never_longer_than_smtp_allows(make: Make) -> None:
    long = "https://forum.example/" + "a" * 8_000
    first(mode="attachment", content__url=long)
    (held,) = claim(now=NOON, limit=1)
    ready = prepare(held, resolver=FixedResolver(), by=SYSTEM, now=NOON)
    assert ready is not None
    raw = ready.message.as_bytes()

    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    assert long in everything(message_from_bytes(raw, policy=policy.default))


# -- no address where none belongs ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["portal", "api"])
def test_in_portal_mode_no_whole_address_is_anywhere_in_the_message(make: Make, mode: str) -> None:
    notice = first(mode=mode)
    message = make()

    assert "/gallery/2026" not in everything(message)
    assert notice.masked_url in text(message)
    assert notice.reference in text(message)
    assert not list(message.iter_attachments())


def test_as_an_attachment_the_address_is_exact_in_the_file_and_nowhere_else(make: Make) -> None:
    notice = first(mode="attachment")
    message = make()

    assert "/gallery/2026" not in text(message)
    (file,) = message.iter_attachments()
    assert file.get_content_type() == "text/csv"
    assert file.get_filename() == f"{message['X-Takedown-Dispatch']}.csv"
    (row,) = csv.DictReader(io.StringIO(str(file.get_content())), delimiter=";")
    assert row == {
        "line": "1",
        "reference": notice.reference,
        "url": URL,
        "ip": "192.0.2.10",
        "network": "192.0.2.0/24 (AS64500, ALFA-NET-1)",
        "class": "baseline",
        "first_seen_utc": "2026-11-24T09:00:00+00:00",
        "last_seen_online_utc": "",
        "masked_url": "forum.example/…full=1",
        "names": "file",
        "referrer": "",
        "media_type": "image/jpeg",
        "due_utc": "",
    }


def test_a_referrer_goes_along_in_its_one_form_and_words_about_people_do_not(make: Make) -> None:
    notice = first(mode="attachment")
    dispatch = notice.dispatch_lines.get().dispatch
    other: Notice = NoticeFactory(routed=True, provider=notice.provider, dispatch=dispatch)
    ReportLineFactory(notice=notice, content=notice.content, referrer="HXXPS://Board.example/thread/7#top")
    ReportLineFactory(notice=other, content=other.content, referrer="my neighbour, John Doe")
    (file,) = make().iter_attachments()

    rows = list(csv.DictReader(io.StringIO(str(file.get_content())), delimiter=";"))
    assert [row["referrer"] for row in rows] == ["https://board.example/thread/7", ""]


def test_in_portal_mode_a_file_is_attached_only_for_who_asks_and_has_no_address(make: Make) -> None:
    notice = first(mode="portal")
    Contact.objects.update(formats="csv")
    ReportLineFactory(notice=notice, content=notice.content, referrer="https://board.example/thread/7")
    message = make()

    (file,) = message.iter_attachments()
    (row,) = csv.DictReader(io.StringIO(str(file.get_content())), delimiter=";")
    assert (row["reference"], row["masked_url"], row["url"], row["referrer"]) == (
        notice.reference,
        notice.masked_url,
        "",
        "",
    )
    assert "/gallery/2026" not in everything(message)
    assert "The attached CSV file has the same lines as this text." in text(message)


def test_defanged_an_address_is_whole_and_no_program_takes_it_for_a_link(make: Make) -> None:
    first(mode="defanged")
    message = make()

    defanged = "hxxps://forum[.]example/gallery/2026/pictures/img_0123456789[.]jpg?full=1"
    assert defanged in text(message).replace("\n", "")
    assert "https://forum" not in everything(message)


@pytest.mark.parametrize("mode", ["portal", "api", "attachment", "defanged"])
def test_the_subject_says_nothing_of_the_content(make: Make, mode: str) -> None:
    first(mode=mode)

    subject = str(make()["Subject"])
    assert not any(word in subject.lower() for word in ("forum", "http", "child", "sexual", "csam"))


# -- what it says ---------------------------------------------------------------------------------------


def test_a_first_notice_tells_the_term_and_how_the_clock_starts(make: Make) -> None:
    notice = first()
    body = text(make())

    for words in (
        "2026-11-24 12:00 UTC (2026-11-24 13:00 Europe/Amsterdam)",
        "Meldpunt (test), Postbus 1, 1000 AA Amsterdam, +31 20 000 00 00",
        "Alfa Hosting, abuse@alfa.example",
        "within 24 hours. The term begins when your mail server accepts this message.",
        "Do not copy, view, store or forward the material.",
        "Article 252 of the Dutch Criminal Code",
        "Regulation (EU) 2022/2065",
        "in good faith",
        "http://localhost:8000/portal/",
        "192.0.2.10, 192.0.2.0/24 (AS64500, ALFA-NET-1)",
        "is the most specific network of 192.0.2.10",
        "A second assessor decides",
        "confidential",
    ):
        assert words in body, words
    assert "The term ended" not in body
    assert notice.reference in body


def test_the_term_in_the_text_is_that_of_the_rule_that_counts(make: Make) -> None:
    from cases.services.rules import set_term

    set_term(term=timedelta(hours=1.5), valid_from=NOON, by=SYSTEM, now=NOON)
    first()
    message = make()

    assert "within 1.5 hours" in text(message)
    assert "(1.5h)" in message["Subject"]


@pytest.mark.parametrize(
    ("notified_at", "ended"),
    [
        (NOON - 24 * HOUR, "2026-11-24 12:00 UTC (2026-11-24 13:00 Europe/Amsterdam)"),
        (
            datetime(2026, 10, 24, 12, tzinfo=UTC),
            "2026-10-25 12:00 UTC (2026-10-25 13:00 Europe/Amsterdam)",
        ),
        (
            datetime(2026, 3, 28, 12, tzinfo=UTC),
            "2026-03-29 12:00 UTC (2026-03-29 14:00 Europe/Amsterdam)",
        ),
    ],
    ids=["winter", "into winter time", "into summer time"],
)
def test_a_reminder_says_in_two_zones_when_the_term_ended(
    make: Make, notified_at: datetime, ended: str
) -> None:
    reminder(notified_at=notified_at)
    body = text(make())

    assert f"The term ended: {ended}" in body
    assert "Make the material inaccessible now." in body
    assert "last seen online: 2026-11-24 11:00 UTC" in body


def test_nobodys_name_of_the_hotline_is_in_it(make: Make) -> None:
    first()

    said = everything(make())
    assert "analyst" not in said.lower()
    assert "user:" not in said


def test_each_notice_is_a_numbered_line_of_its_own(make: Make) -> None:
    notice = first()
    dispatch = notice.dispatch_lines.get().dispatch
    others: list[Notice] = [
        NoticeFactory(routed=True, provider=notice.provider, dispatch=dispatch) for _ in range(2)
    ]
    body = text(make())

    assert "Addresses: 3" in body
    for number, each in enumerate([notice, *others], start=1):
        assert f"{number}. {each.reference}" in body


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("kind", ["first", "reminder"])
def test_it_is_written_in_the_providers_language_whatever_the_worker_speaks(
    make: Make, language: str, kind: str
) -> None:
    from django.utils import translation
    from django.utils.translation import gettext

    (first if kind == "first" else reminder)(language=language)
    with translation.override("en" if language == "nl" else "nl"):
        message = make()

    with translation.override(language):
        ask, never = gettext("WHAT WE ASK"), gettext("Do not copy, view, store or forward the material.")
    assert ask in text(message)
    assert never in text(message)
    if language == "nl":
        assert "WHAT WE ASK" not in text(message), "the Dutch text is missing"


# -- what others write cannot become ours ---------------------------------------------------------------

EVIL = "Alfa\r\nBcc: everybody@other.example\r\n\r\nClick https://evil.test/\x00\x0b\u2028now"


def test_a_name_with_line_breaks_adds_no_header_and_no_line(make: Make) -> None:
    provider = ProviderFactory(code="evil", name=EVIL.replace("\x00", ""))
    place = AttributionFactory(
        provider=provider,
        source="host_rule",
        rule_reason=EVIL.replace("\x00", ""),
        network_name="NET\r\nX: y",
    )
    NoticeFactory(routed=True, provider=provider, attribution=place)
    message = make()

    assert message["Bcc"] is None
    assert message["X"] is None
    lines = text(message).splitlines()
    assert not any(line.startswith(("Bcc", "Click", "X:", "now")) for line in lines)


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "a@b.example>\n", "not one"]
)
def test_an_address_that_is_not_one_is_sent_nothing(
    mail_server: MailServer, static_resolver: FixedResolver, db: None, address: str
) -> None:
    contact = ContactFactory(approved=True, address=address)
    notice = NoticeFactory(routed=True, contact=contact)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)

    assert mail_server.received == []
    assert Notice.objects.get(pk=notice.pk).notified_at is None
    assert Dispatch.objects.get().failures == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_a_cell_that_a_spreadsheet_would_calculate_is_neutralised(start: str) -> None:
    assert neutral(f"{start}1+1") == f"'{start}1+1"
    assert neutral(f"1{start}1") == f"1{start}1"


def test_a_network_whose_name_is_a_formula_is_harmless_in_the_file(make: Make) -> None:
    place = AttributionFactory(prefix="192.0.2.0/24", network_name='=HYPERLINK("x");"y"')
    first(mode="attachment", attribution=place)
    (file,) = make().iter_attachments()

    (row,) = csv.DictReader(io.StringIO(str(file.get_content())), delimiter=";")
    assert row["network"] == '192.0.2.0/24 (AS64500, =HYPERLINK("x");"y")'
    assert row["url"] == URL
