"""What became of the latest messages to a contact, counted set-based, and the word that follows."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from cases.models import Dispatch, Notice
from cases.services import contact_health
from providers import health
from providers.models import Contact, ContactHealth
from tests.factories import (
    HOUR,
    NOON,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    ReplyMailFactory,
)

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=30)


@pytest.fixture
def contact() -> Contact:
    """In use; addresses of content go in the mail itself, so nobody needs the portal."""
    made: Contact = ContactFactory(approved=True, mode="attachment")
    return made


def told(contact: Contact, at: datetime, **facts: object) -> Dispatch:
    """A first message that was accepted then, with one notice on it, of which `facts` are true."""
    dispatch: Dispatch = DispatchFactory(accepted=True, contact=contact, created_at=at, next_attempt_at=at)
    notice = NoticeFactory(notified=True, notified_at=at, provider=contact.provider, dispatch=dispatch)
    Notice.objects.filter(pk=notice.pk).update(**facts)
    return dispatch


def counted(contact: Contact, *, now: datetime = LATER) -> ContactHealth:
    contact_health.count(now=now)
    return ContactHealth.objects.get(contact=contact)


def test_a_contact_that_was_never_written_to_is_unknown(contact: Contact) -> None:
    found = counted(contact)

    assert (found.word, found.messages, found.last_success_at) == ("unknown", 0, None)


def test_silence_is_counted_from_the_latest_message_back_and_an_answer_ends_it(contact: Contact) -> None:
    told(contact, NOON)
    told(contact, NOON + HOUR, acknowledged_at=NOON + 3 * HOUR)
    for hours in (2, 3, 4):
        told(contact, NOON + hours * HOUR)

    found = counted(contact)

    assert (found.messages, found.unanswered, found.word) == (5, 3, "doubtful")
    assert found.last_answered_at == NOON + 3 * HOUR
    assert found.last_accepted_at == NOON + 4 * HOUR
    assert found.median_answer == 2 * HOUR
    told(contact, NOON + 5 * HOUR, acknowledged_at=NOON + 6 * HOUR)
    assert (counted(contact).unanswered, counted(contact).word) == (0, "good")


def test_a_removal_without_a_word_is_no_silence_and_neither_is_a_message_of_an_hour_ago(
    contact: Contact,
) -> None:
    dispatch = DispatchFactory(accepted=True, contact=contact, created_at=NOON, next_attempt_at=NOON)
    NoticeFactory(removed=True, notified_at=NOON, provider=contact.provider, dispatch=dispatch)
    assert counted(contact).unanswered == 0

    told(contact, LATER - HOUR)
    assert counted(contact).unanswered == 0
    assert counted(contact, now=LATER + timedelta(days=2)).unanswered == 1


def test_enough_silence_is_bad_and_says_since_when(contact: Contact) -> None:
    for hours in range(9):
        told(contact, NOON + hours * HOUR)

    found = counted(contact)
    assert (found.word, found.since) == ("bad", LATER)
    assert counted(contact, now=LATER + HOUR).since == LATER
    with translation.override("en"):
        assert [str(reason.text) for reason in health.reasons(found, mode=contact.mode)] == [
            "The last 9 first notices brought neither an answer nor a removal."
        ]


def test_a_refusal_is_bad_until_something_works_again(contact: Contact) -> None:
    refused = DispatchFactory(parked=True, trouble="refused", contact=contact)
    refused.attempts.create(
        number=1, started_at=NOON, ended_at=NOON, accepted=False, answer="550 no such user"
    )
    assert (counted(contact).word, counted(contact).bounced_hard) == ("bad", 1)

    told(contact, NOON + HOUR, acknowledged_at=NOON + 2 * HOUR)
    assert counted(contact).word == "doubtful"


def test_a_message_that_came_back_counts_as_refused_and_not_as_accepted(contact: Contact) -> None:
    bounced = DispatchFactory(bounced=True, contact=contact)

    found = counted(contact)

    assert (found.word, found.bounced_hard, found.last_accepted_at) == ("bad", 1, None)
    assert found.last_bounced_at == bounced.bounced_at
    assert found.unanswered == 0


def test_delays_and_what_people_wrote_back_are_told_apart(contact: Contact) -> None:
    dispatch = told(contact, NOON)
    for count, kind in enumerate(("delayed", "delayed", "delayed", "receipt", "away")):
        ReplyMailFactory(dispatch=dispatch, kind=kind, received_at=NOON + count * HOUR)
    found = counted(contact)
    assert (found.bounced_soft, found.unanswered, found.last_answered_at) == (3, 1, None)

    answer = {"dispatch": dispatch, "kind": "answer"}
    ReplyMailFactory(**answer, received_at=NOON + 9 * HOUR)  # anybody may write
    assert counted(contact).unanswered == 1
    ReplyMailFactory(**answer, received_at=NOON + 10 * HOUR, from_provider=True)
    assert (counted(contact).unanswered, counted(contact).median_answer) == (0, 10 * HOUR)


def test_a_portal_that_nobody_opened_is_said_of_contacts_that_need_it() -> None:
    contact = ContactFactory(approved=True, mode="portal")
    told(contact, NOON)

    found = counted(contact)

    assert found.word == "doubtful"
    assert health.word(found, mode="attachment") == "good"
    found.portal_opened_at = NOON
    assert health.word(found, mode="portal") == "good"
    found.portal_opened_at, found.last_answered_at = None, NOON  # by the API
    assert health.word(found, mode="portal") == "good"


def test_only_the_latest_messages_count(contact: Contact) -> None:
    DispatchFactory(parked=True, trouble="refused", contact=contact, created_at=NOON - HOUR)
    for minutes in range(contact_health.LATEST):
        DispatchFactory(
            accepted=True, contact=contact, kind="reminder", created_at=NOON + minutes * timedelta(minutes=1)
        )

    assert (counted(contact).messages, counted(contact).bounced_hard) == (contact_health.LATEST, 0)


def test_all_contacts_are_counted_by_as_many_queries_as_one(contact: Contact) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            contact_health.count(now=LATER)
        return len(asked)

    told(contact, NOON)
    few = queries()
    for number in range(12):
        told(ContactFactory(approved=True, provider=ProviderFactory(code=f"p{number}")), NOON)

    assert queries() == few
    assert ContactHealth.objects.count() == 13


def test_fresh_figures_are_left_as_they_are(contact: Contact) -> None:
    contact_health.keep(now=LATER)
    contact_health.keep(now=LATER + timedelta(minutes=4))
    assert ContactHealth.objects.get().counted_at == LATER
    contact_health.keep(now=LATER + timedelta(minutes=6))
    assert ContactHealth.objects.get().counted_at > LATER
