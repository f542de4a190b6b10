"""Every message in both languages and all modes: what it must say, what it must never say, however many lines."""

import hashlib
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.formats import mail, text
from cases.models import Dispatch, Notice
from cases.services.letters import letter_of
from providers.models import Contact, Provider
from tests.factories import (
    NOON,
    AttributionFactory,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    ReportLineFactory,
    many,
)

pytestmark = pytest.mark.django_db

URL = "https://forum.example/gallery/2026/pictures/img_0123456789.jpg?full=1"
LEADS = "https://board.example/list/of/everything?topic=7"
KINDS = ("first", "reminder", "withdrawal", "origin")
FORMATS = {"attachment": "csv"}


def message(kind: str, mode: str, language: str, **named: str) -> EmailMessage:
    """One notice on a message, as bytes on the wire and read back by a stranger's parser."""
    provider = ProviderFactory(language=language, **named)
    contact = ContactFactory(provider=provider, approved=True, mode=mode, formats=FORMATS.get(mode, ""))
    place = AttributionFactory(provider=provider, network_name=named.get("name", "ALFA-NET-1")[:100])
    notice = NoticeFactory(
        withdrawn=kind == "withdrawal",
        notified=True,
        provider=provider,
        attribution=place,
        contact=contact,
        content__url=URL,
        last_seen_online_at=NOON,
    )
    ReportLineFactory(notice=notice, content=notice.content, referrer=LEADS)
    letter = letter_of(DispatchFactory(contact=contact, kind=kind), [notice], now=NOON)
    made = mail.message(letter, subject=text.subject(letter), body=text.body(letter))
    parsed = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def said(of: EmailMessage) -> str:
    """Its text without the folding of lines."""
    body = of.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def everything(of: EmailMessage) -> str:
    """Headers and all parts, decoded."""
    parts = [str(part.get_content()) for part in of.walk() if not part.is_multipart()]
    return "\n".join([*(f"{name}: {value}" for name, value in of.items()), *parts])


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("mode", Contact.Mode.values)
@pytest.mark.parametrize("kind", ["first", "reminder"])
def test_every_fact_that_the_law_and_a_desk_need_is_in_it(kind: str, mode: str, language: str) -> None:
    of = message(kind, mode, language)
    notice, dispatch = Notice.objects.get(), Dispatch.objects.order_by("-pk")[0]
    facts = [
        dispatch.number,
        "2026-11-24 12:00 UTC (2026-11-24 13:00 Europe/Amsterdam)",  # the instant
        "2026-11-25 12:00 UTC (2026-11-25 13:00 Europe/Amsterdam)",  # the due moment, or no sooner than
        "Meldpunt (test)",
        "Postbus 1, 1000 AA Amsterdam",
        "+31 20 000 00 00",
        "meldpunt@hotline.example",
        "Alfa Hosting, abuse@alfa.example",
        "192.0.2.10",
        "192.0.2.0/24 (AS64500, ALFA-NET-1)",
        "252",
        "2022/2065",
        "Notice-and-Take-Down",
        "2018",
        "http://localhost:8000/portal/",
        "http://localhost:8000/api/v1/docs/",
        notice.reference,
        "image/jpeg",
        "baseline",
        "2026-11-24 09:00 UTC",  # first reported
        "board.example" if mode != "defanged" else "board[.]example",
    ]
    words = {
        "nl": ("te goeder trouw", "Kopieer, bekijk of bewaar", "tweede beoordelaar", "vertrouwelijk", "zonder vrijwaring"),
        "en": ("in good faith", "Do not copy, view", "second assessor", "confidential", "without an indemnity"),
    }  # fmt: skip
    found = said(of)
    assert [fact for fact in (*facts, *words[language]) if fact not in found] == []


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", Contact.Mode.values)
def test_an_address_is_only_where_the_mode_gives_it_and_never_in_a_header(
    kind: str, mode: str, language: str
) -> None:
    of = message(kind, mode, language)
    gives = kind in {"first", "reminder"}
    headers = "\n".join(f"{name}: {value}" for name, value in of.items())

    assert "gallery" not in headers
    assert "forum" not in headers
    assert ("gallery/2026" in said(of)) == (gives and mode == "defanged")
    assert ("gallery/2026" in everything(of)) == (gives and mode in {"defanged", "attachment"})
    assert "https://forum" not in said(of)
    assert "https://board" not in said(of)


EVIL = "Alfa\r\nBcc: everybody@other.example\r\n\r\nClick https://evil.test/ {hours} {{x}} {% y %}\x0b\u2028\u202enow"


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_adds_no_header_no_line_and_no_word_of_ours(kind: str) -> None:
    of = message(kind, "portal", "en", code="evil", name=EVIL)
    body = of.get_body(("plain",))
    assert body is not None

    assert of["Bcc"] is None
    assert set(of.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "X-Takedown-Dispatch", "Auto-Submitted",
        "In-Reply-To", "References", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert not any(line.startswith(("Bcc", "Click")) for line in str(body.get_content()).splitlines())
    assert "{hours} {{x}} {% y %}" in said(of)  # shown as it is
    assert "\u202e" not in said(of)
    assert Provider.objects.get(code="evil").name == EVIL


def test_five_hundred_lines_are_one_message_in_as_many_queries_as_one() -> None:
    provider = ProviderFactory()
    contact = ContactFactory(provider=provider, approved=True)
    notices = many(500, notified=True, provider=provider, contact=contact)
    dispatch = DispatchFactory(contact=contact, kind="reminder")

    def written(about: list[Notice]) -> tuple[str, int]:
        with CaptureQueriesContext(connection) as queries:
            return text.body(letter_of(dispatch, about, now=NOON)), len(queries)

    _one, few = written(notices[:1])
    body, asked = written(notices)

    assert asked == few
    assert "THE ADDRESSES (500)" in body
    assert [number for number in range(1, 501) if f"\n{number}. N-" not in body] == []
    assert all(notice.reference in body for notice in notices)
    assert max(len(line) for line in body.splitlines()) <= 72
    assert hashlib.sha256(body.encode()).digest() == hashlib.sha256(written(notices)[0].encode()).digest()
