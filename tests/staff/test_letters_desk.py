"""The desk of the words of messages: drafts, differences, a real notice, two people."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cases.models import MessageTemplate
from tests.factories import NoticeFactory
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db

DESK = "/staff/cases/messagetemplate/"
WORDS = {
    "opening": "Good day.",
    "ask": "Within {hours} hours, please.",
    "answer": "Reply or log in: {portal}",
    "objection": "Tell us.",
    "closing": "",
}


@pytest.fixture
def in_lead(browser: Browser, lead: User) -> Client:
    """The lead's browser."""
    return browser(lead)


def press(client: Client, template: MessageTemplate, route: str, **fields: Any) -> str:
    """The page that a button leads to."""
    return str(client.post(f"{DESK}{template.pk}/{route}/", fields, follow=True).content.decode())


def draft_of(client: Client) -> MessageTemplate:
    client.post(f"{DESK}draft/first/en/")
    return MessageTemplate.objects.get(in_force_at=None)


def test_one_writes_another_reads_it_on_a_notice_and_puts_it_in_force(
    in_lead: Client, in_charge: Client
) -> None:
    notice = NoticeFactory(routed=True)
    draft = draft_of(in_lead)
    assert "Saved in the draft" in press(in_lead, draft, "save", **WORDS)
    assert "These words are yours" in press(in_lead, draft, "preview")

    read = press(in_charge, draft, "preview", reference=notice.reference)
    assert "Good day." in read
    assert "WITHIN 24 HOURS" in read
    assert f"On {notice.reference}" in read
    seal = MessageTemplate.objects.get(pk=draft.pk).seal
    assert seal in read
    assert "In force from now on" in press(in_charge, draft, "in-force", seal=seal)
    assert MessageTemplate.objects.of("first", "en").in_force()[0].opening == "Good day."


def test_faults_are_named_by_part_and_line_and_what_was_typed_stays(in_lead: Client) -> None:
    draft = draft_of(in_lead)
    page = in_lead.post(
        f"{DESK}{draft.pk}/save/", WORDS | {"ask": "First line\nsee http://x.example/a {hours}"}
    )

    assert page.status_code == 422
    said = page.content.decode()
    assert "What we ask, line 2:</strong> It holds an address of a page" in said
    assert "see http://x.example/a" in said
    assert MessageTemplate.objects.get(pk=draft.pk).ask != "First line"


def test_a_version_shows_what_differs_from_the_one_before(in_lead: Client) -> None:
    draft = draft_of(in_lead)
    press(in_lead, draft, "save", **WORDS)
    said = in_lead.get(f"{DESK}{draft.pk}/change/").content.decode()

    assert "What differs from version 1" in said
    assert '<ins><span class="visually-hidden">new: </span>Good day.</ins>' in said
    assert '<del><span class="visually-hidden">gone: </span>' in said


def test_words_of_a_draft_are_shown_as_text_and_no_more(in_lead: Client) -> None:
    NoticeFactory(routed=True)
    draft = draft_of(in_lead)
    press(in_lead, draft, "save", **WORDS | {"opening": "<script>alert(1)</script> {number}"})
    said = press(in_lead, draft, "preview")

    assert "<script>alert" not in said
    assert "&lt;script&gt;alert(1)&lt;/script&gt; NTD-" in said


def test_the_notice_desk_writes_and_does_not_put_in_force(in_lead: Client, sending: Client) -> None:
    NoticeFactory(routed=True)
    draft = draft_of(in_lead)
    said = press(sending, draft, "preview")

    assert "Put version" not in said
    assert sending.post(f"{DESK}{draft.pk}/in-force/", {"seal": draft.seal}).status_code == 403


def test_going_back_is_one_press(in_lead: Client, in_charge: Client) -> None:
    NoticeFactory(routed=True)
    draft = draft_of(in_lead)
    press(in_lead, draft, "save", **WORDS)
    press(in_charge, draft, "preview")
    press(in_charge, draft, "in-force", seal=MessageTemplate.objects.get(pk=draft.pk).seal)
    first = MessageTemplate.objects.get(kind="first", language="en", version=1)

    assert "Go back to these words" in in_lead.get(f"{DESK}{first.pk}/change/").content.decode()
    assert "the words of version 1" in press(in_lead, first, "go-back")


def test_unknown_kinds_and_versions_are_none_of_ours(in_lead: Client) -> None:
    assert "no such kind" in in_lead.post(f"{DESK}draft/letter/en/", follow=True).content.decode()
    assert in_lead.get(f"{DESK}999999/change/").status_code == 404
    assert in_lead.post(f"{DESK}999999/save/", WORDS).status_code == 404


def test_the_lists_cost_the_same_however_many_versions_there_are(in_lead: Client, in_charge: Client) -> None:
    NoticeFactory(routed=True)

    def cost(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert in_lead.get(address).status_code == 200
        return len(queries)

    def next_version(opening: str) -> None:
        draft = draft_of(in_lead)
        press(in_lead, draft, "save", **WORDS | {"opening": opening})
        press(in_charge, draft, "preview")
        press(in_charge, draft, "in-force", seal=MessageTemplate.objects.get(pk=draft.pk).seal)

    next_version("One.")
    second = MessageTemplate.objects.get(kind="first", language="en", version=2)
    page = f"{DESK}{second.pk}/change/"
    cost(DESK)
    before = cost(DESK), cost(page)
    for words in ("Two.", "Three.", "Four."):
        next_version(words)

    assert (cost(DESK), cost(page)) == before
    assert max(before) <= 10
