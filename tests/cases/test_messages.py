"""What a notice's message says, and what it never says."""

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.formats import mail
from cases.formats import text as text_of
from cases.formats.csv_lines import neutral
from cases.formats.mail import paths_in, reply_path
from cases.models import Dispatch, Notice
from cases.services.letters import letter_of
from cases.services.sending import claim, deliver_due, prepare
from cases.url import Quarantine, Refusal, defanged, parse
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


def flat(message: EmailMessage) -> str:
    """Its text without the folding of lines."""
    return " ".join(text(message).split())


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
    answer_to = str(message["Reply-To"])
    assert answer_to.startswith(f"meldpunt+{dispatch.number.lower()}.")
    assert paths_in([answer_to]) == (set(), {dispatch.number})
    assert dispatch.token not in everything(message), "whom it is forwarded to cannot say that it bounced"
    assert message["From"] == "Meldpunt <meldpunt@hotline.example>"
    assert message["To"] == "abuse@alfa.example"
    assert message["Date"] == "Tue, 24 Nov 2026 12:00:00 +0000"
    assert message["Subject"] == f"[{dispatch.number}] Notice: illegal content on your network (24h)"
    assert message["Auto-Submitted"] is None
    assert message["In-Reply-To"] is None
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"


@pytest.mark.parametrize(
    "address",
    [
        "meldpunt@hotline.example",
        "meldpunt+ntd-2026-000001.aaaaaaaaaaaaaaaa@hotline.example",
        "other+ntd-2026-000001.{}@hotline.example",
        "meldpunt+ntd-2026-000002.{}@hotline.example",
        "meldpunt+ntd-2026-000001.{}@elsewhere.example",
    ],
)
def test_a_reply_address_that_we_did_not_write_leads_nowhere(address: str) -> None:
    proof = reply_path("NTD-2026-000001").partition(".")[2].partition("@")[0]
    assert paths_in([reply_path("NTD-2026-000001").upper()]) == (set(), {"NTD-2026-000001"})
    assert paths_in([address.format(proof)]) == (set(), set())


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
    assert "The attached CSV file has the same lines as this text." in flat(message)


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


def test_a_first_notice_tells_what_is_asked_by_when_and_on_what_grounds(make: Make) -> None:
    notice = first(last_seen_online_at=NOON - HOUR)
    said = flat(make())

    for words in (
        "NOTICE: MAKE 1 ADDRESS INACCESSIBLE WITHIN 24 HOURS",
        "Number: NTD-2026-",
        "(first notice)",
        "Sent: 2026-11-24 12:00 UTC (2026-11-24 13:00 Europe/Amsterdam)",
        "Term: 24 hours, from the moment your mail server accepts this message. It ends no sooner than"
        " 2026-11-25 12:00 UTC (2026-11-25 13:00 Europe/Amsterdam).",
        "From: Meldpunt (test), Postbus 1, 1000 AA Amsterdam, +31 20 000 00 00",
        "Reply to: meldpunt@hotline.example",
        "To: Alfa Hosting, abuse@alfa.example",
        "within 24 hours. The term begins when your mail server accepts this message.",
        "Do not copy, view, store or forward the material.",
        "Article 252 of the Dutch Criminal Code",
        "article 16 of Regulation (EU) 2022/2065",
        "Under the addendum to the Notice-and-Take-Down code of conduct (2018)",
        "in good faith",
        "Reply to this message, log in to the portal (http://localhost:8000/portal/) or use our API",
        "Server: 192.0.2.10, 192.0.2.0/24 (AS64500, ALFA-NET-1)",
        "Why you: 192.0.2.0/24 (AS64500, ALFA-NET-1) is the most specific network of 192.0.2.10.",
        "What: file, image/jpeg; class: baseline (illegal nearly everywhere)",
        "First reported: 2026-11-24 09:00 UTC Last seen online: 2026-11-24 11:00 UTC",
        "A second assessor decides",
        "confidential",
    ):
        assert words in said, words
    assert "The term ended" not in said
    assert notice.reference in said


def test_a_desk_reads_first_what_how_many_by_when_and_how_to_answer(make: Make) -> None:
    first()
    body = text(make())

    order = ["INACCESSIBLE WITHIN 24 HOURS", "WHAT WE ASK", "HOW TO ANSWER", "THIS MESSAGE", "THE ADDRESSES"]
    places = [body.index(words) for words in order]
    assert places == sorted(places)
    assert places[2] < 1_000


def test_lines_are_folded_as_mail_programs_like_them(make: Make) -> None:
    first(mode="defanged")
    long = [line for line in text(make()).splitlines() if len(line) > 72]

    assert all("hxxps://" in line for line in long)  # an address is never broken


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        ("portal", "Linked from: board.example/…opic=7"),
        ("attachment", "Linked from: board.example/…opic=7"),
        ("defanged", "Linked from: hxxps://board[.]example/list?topic=7"),
    ],
)
def test_the_page_that_leads_there_is_given_as_the_address_is(make: Make, mode: str, shown: str) -> None:
    notice = first(mode=mode)
    ReportLineFactory(notice=notice, referrer="https://board.example/list?topic=7")
    message = make()

    assert shown in flat(message)
    assert "https://board" not in text(message)


def test_a_referrer_that_is_no_address_is_left_out(make: Make) -> None:
    notice = first()
    ReportLineFactory(notice=notice, referrer="seen in a chat of Jan <jan@x.example>")

    assert "Linked from" not in text(make())


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("clip.mp4", "file, video/mp4"),
        ("all.zip?download=1", "file, application/zip"),
        ("gallery/2026/", "page;"),
        ("", "page;"),
        ("thread.html", "page, text/html"),
        ("show.php?img=a.jpg", "page;"),
    ],
)
def test_it_says_whether_it_is_a_file_or_a_page_by_its_name(make: Make, path: str, what: str) -> None:
    first(content__url=f"https://forum.example/{path}")

    assert f"What: {what}" in flat(make())


def test_the_version_of_its_words_stands_with_the_message_and_the_digest_is_of_what_went_out(
    make: Make,
) -> None:
    dispatch = first(mode="defanged").dispatch_lines.get().dispatch
    message = make()

    kept = Dispatch.objects.select_related("template").get(pk=dispatch.pk)
    assert kept.template is not None
    assert (kept.template.kind, kept.template.language, kept.template.version) == ("first", "en", 1)
    sent = text(message).replace("\r\n", "\n")
    assert kept.body == sent
    assert bytes(kept.body_digest) == hashlib.sha256(sent.encode()).digest()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    path=st.text(st.sampled_from("abcxyz0189-_~/.%?=&"), min_size=8, max_size=60),
    mode=st.sampled_from(["portal", "api"]),
    kind=st.sampled_from(["first", "reminder", "withdrawal", "origin"]),
    language=st.sampled_from(["nl", "en"]),
)
def test_no_address_is_in_any_message_of_a_mode_that_gives_none(
    db: None, path: str, mode: str, kind: str, language: str
) -> None:
    url = f"https://forum.example/q7{path}"
    try:
        canonical = parse(url).canonical
    except (Refusal, Quarantine):
        return
    with transaction.atomic():
        provider = ProviderFactory(language=language)
        contact = ContactFactory(provider=provider, approved=True)
        contact.mode = mode
        notice = NoticeFactory(notified=True, provider=provider, contact=contact, content__url=url)
        ReportLineFactory(notice=notice, referrer=f"{url}x")
        dispatch = DispatchFactory(contact=contact, kind=kind)
        letter = letter_of(dispatch, [notice], now=NOON)
        said = everything(mail.message(letter, subject=text_of.subject(letter), body=text_of.body(letter)))
        transaction.set_rollback(True)

    tail = canonical.partition("forum.example/")[2]
    assert tail not in said
    assert canonical not in said
    assert defanged(canonical) not in said


def test_the_term_in_the_text_is_that_of_the_rule_that_counts(make: Make) -> None:
    from cases.services.rules import set_term

    set_term(term=timedelta(hours=1.5), valid_from=NOON, by=SYSTEM, now=NOON)
    first()
    message = make()

    assert "within 1.5 hours" in flat(message)
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
    said = flat(make())

    assert f"The term ended: {ended}" in said
    assert f"Make the material inaccessible now. The first of the terms ended {ended};" in said
    assert "(reminder 2)" in said
    assert f"Accepted by your server: {notified_at:%Y-%m-%d %H:%M} UTC (NTD-2026-" in said
    assert "Last seen online: 2026-11-24 11:00 UTC" in said


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

    assert "MAKE 3 ADDRESSES INACCESSIBLE" in body
    assert "THE ADDRESSES (3)" in body
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
        ask, never = (
            gettext("what we ask").upper(),
            gettext("Do not copy, view, store or forward the material."),
        )
    assert ask in text(message)
    assert never in flat(message)
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
