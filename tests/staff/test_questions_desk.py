"""What providers ask and object: counted with its age, answered on the page of the notice, gone when handled."""

import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Event
from audit.record import Actor
from cases.models import Dispute, Message, Notice
from cases.services import conversation
from cases.services.answers import Answer, answer_many
from tests.factories import HOUR, NoticeFactory, UserFactory

pytestmark = pytest.mark.django_db

DESK = "/staff/cases/message/"
THEM = Actor("user", "7")
ADDRESS = "https://forum.example/secret-path/0001.jpg"


def words(page: bytes) -> str:
    """What a reader sees of a page, in one line."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode())))


def browser(**trait: bool) -> Client:
    """Somebody of the staff, logged in."""
    client = Client()
    client.force_login(UserFactory(**trait))
    return client


def asked(text: str = "Which server?", hours: int = 2) -> Notice:
    """A notice about which its provider wrote."""
    notice = NoticeFactory(notified=True)
    conversation.ask(notice_id=notice.pk, text=text, by=THEM, now=timezone.now() - hours * HOUR)
    return notice


def objected() -> Dispute:
    """A notice that is not theirs, they say."""
    notice = NoticeFactory(notified=True)
    said = Answer(notice.reference, "not_ours", reason="Beta has it")
    answer_many(provider_id=notice.provider_id, answers=[said], by=THEM, now=timezone.now())
    return Dispute.objects.get(notice=notice)


def test_the_start_page_counts_what_waits_with_its_age_and_it_shrinks_when_handled() -> None:
    notice, client = asked(), browser(notice_desk=True)
    asked("And this one?", hours=1)
    start = words(client.get("/staff/").content)
    assert re.search(r"2 messages of providers to answer", start)
    assert notice.reference in words(client.get(DESK).content)

    answer = client.post(f"{DESK}{notice.pk}/write/", {"text": "The second one."}, follow=True)

    assert answer.redirect_chain[-1][0].endswith("#talk")
    assert "The second one." in words(answer.content)
    assert notice.reference not in words(client.get(DESK).content)
    assert re.search(r"1 messages of providers to answer", words(client.get("/staff/").content))


def test_what_needs_no_answer_is_put_away() -> None:
    notice, client = asked(), browser(notice_desk=True)
    client.post(f"{DESK}{notice.pk}/no-answer/")
    assert not conversation.waiting().exists()
    again = words(client.post(f"{DESK}{notice.pk}/no-answer/", follow=True).content)
    assert "No message about this notice waits for an answer any more." in again


def test_addresses_in_a_message_are_shown_only_by_a_press_that_is_written_down() -> None:
    notice, client = asked(f"Is it {ADDRESS}?"), browser(notice_desk=True)
    for page in (f"/staff/cases/notice/{notice.pk}/change/", DESK):
        assert "secret-path" not in client.get(page).content.decode()

    shown = client.post(f"{DESK}{Message.objects.get().pk}/read/").content.decode()

    assert "secret-path" in shown
    assert not re.search(r'(href|src|action)="[^"]*secret-path', shown)
    assert Event.objects.filter(subject="notice", subject_id=notice.pk, act="read_message").count() == 1
    assert "secret-path" not in client.get(f"/staff/cases/notice/{notice.pk}/change/").content.decode()


def test_a_message_that_cannot_be_kept_comes_back_with_what_was_typed() -> None:
    notice, client = asked(), browser(notice_desk=True)
    answer = client.post(f"{DESK}{notice.pk}/write/", {"text": "x" * 4_001})
    assert answer.status_code == 422
    assert "x" * 4_001 in answer.content.decode()


def test_that_it_is_not_theirs_is_decided_by_the_notice_desk() -> None:
    client, mine, not_theirs = browser(notice_desk=True), objected(), objected()
    listed = words(client.get(f"{DESK}?tray=place").content)
    assert listed.count("Beta has it") == 2
    assert re.search(r"2 objections: not theirs, they say", words(client.get("/staff/").content))

    assert client.post(f"{DESK}{mine.pk}/reject/", {"why": ""}).status_code == 422
    client.post(f"{DESK}{mine.pk}/reject/", {"why": "192.0.2.10 is in their network."})
    client.post(f"{DESK}{not_theirs.pk}/uphold/")

    assert set(Dispute.objects.values_list("outcome", flat=True)) == {"rejected", "upheld"}
    assert Notice.objects.get(pk=not_theirs.notice_id).state == "withdrawn"
    assert "Nothing waits here" in words(client.get(f"{DESK}?tray=place").content)


@pytest.mark.parametrize(
    ("role", "sees", "writes"),
    [
        ("analyst", 200, 403),
        ("lead", 200, 302),
        ("supervisor", 200, 302),
        ("intake", 403, 403),
        ("auditor", 403, 403),
    ],
)
def test_who_may_read_and_who_may_write(role: str, sees: int, writes: int) -> None:
    notice, dispute, client = asked(), objected(), browser(**{role: True})
    assert client.get(DESK).status_code == sees
    assert client.post(f"{DESK}{notice.pk}/write/", {"text": "Yes."}).status_code == writes
    assert client.post(f"{DESK}{dispute.pk}/reject/", {"why": "No."}).status_code == writes
    assert client.post(f"{DESK}{10**9}/uphold/").status_code == (404 if writes == 302 else 403)
