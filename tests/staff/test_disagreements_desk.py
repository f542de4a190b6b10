"""The desk of disagreements: who says what since when, and what a person does about it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Notice
from cases.services.answers import Answer, answer_many
from cases.services.observe import Seen, observe
from tests.factories import HOUR, SYSTEM, NoticeFactory

pytestmark = pytest.mark.django_db
DESK = "/staff/disagreements/"


def claimed(*outcomes: str, ago: timedelta = HOUR) -> Notice:
    """Claimed removed so long ago, and looked at a minute after that, and another, from another vantage each."""
    at = timezone.now() - ago
    notice: Notice = NoticeFactory(notified=True, notified_at=at - HOUR)
    said = [Answer(notice.reference, "already_gone")]
    answer_many(provider_id=notice.provider_id, answers=said, by=SYSTEM, now=at)
    for number, outcome in enumerate(outcomes, start=1):
        see(notice, outcome, at + number * timedelta(minutes=1), vantage=f"checker-{number}")
    return notice


def see(notice: Notice, outcome: str, at: timedelta | None = None, *, vantage: str = "checker-nl") -> None:
    """A look, just now unless said otherwise."""
    at = at or timezone.now()
    seen = Seen(notice.reference, at, outcome, vantage, http_status=200 if outcome == "online" else None)
    observe(sightings=[seen], by=SYSTEM, now=at)


def text(client: Client, address: str = DESK) -> str:
    return " ".join(client.get(address).content.decode().split())


def test_it_shows_who_says_what_since_when_and_what_was_seen_from_where(sending: Client) -> None:
    notice = claimed("gone", "online")
    claimed("gone")
    said = text(sending)

    assert notice.reference in said
    assert "was already gone" in said
    assert "checker-2 · HTTP 200" in said
    assert "checker-1" in said
    assert said.count("<tr") == 2
    assert notice.content.url not in said


def test_the_start_page_counts_them_and_they_leave_when_a_look_finds_it_gone(sending: Client) -> None:
    notice = claimed("online")
    assert "said removed, seen since" in text(sending, "/staff/")
    assert f"{DESK}?tray=seen" in text(sending, "/staff/")

    see(notice, "gone")
    assert notice.reference not in text(sending)


def test_what_no_check_could_answer_waits_with_the_moment_by_which_a_person_looks(sending: Client) -> None:
    early, late, unseen = claimed("blocked"), claimed("unknown", ago=5 * HOUR), claimed(ago=6 * HOUR)
    fresh = claimed()
    said = text(sending, f"{DESK}?tray=untold")

    assert said.index(unseen.reference) < said.index(late.reference) < said.index(early.reference)
    assert said.count("a person must look") == 2
    assert said.count("a person looks by") == 1
    assert fresh.reference not in said
    assert f"{DESK}?tray=untold" in text(sending, "/staff/")


def test_accepting_moves_it_to_the_accepted_and_a_check_is_asked_for_at_once(sending: Client) -> None:
    notice = claimed("online")
    sending.post(f"{DESK}{notice.pk}/check/", {"tray": "seen"})
    due = Notice.objects.get(pk=notice.pk).next_check_at
    assert due is not None
    assert due <= timezone.now()

    answer = sending.post(f"{DESK}{notice.pk}/accept/", {"tray": "seen"}, follow=True)
    assert "Accepted: it stays open" in answer.content.decode()
    assert notice.reference not in text(sending)
    assert notice.reference in text(sending, f"{DESK}?tray=accepted")
    again = sending.post(f"{DESK}{notice.pk}/accept/", {"tray": "//evil.example"}, follow=True)
    assert "No claim of removal waits for an answer here." in again.content.decode()


def test_the_desk_asks_as_often_for_ten_as_for_one(sending: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as spent:
            assert sending.get(DESK).status_code == 200
        return len(spent)

    claimed("gone", "online")
    statements()
    one = statements()
    for _ in range(9):
        claimed("gone", "online")
    assert statements() == one
