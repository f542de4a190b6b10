"""The notice desk: each message with its reason, and the buttons that fit."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from cases.models import Dispatch, Notice
from tests.factories import ContactFactory, DispatchFactory, NoticeFactory, ProviderFactory

pytestmark = pytest.mark.django_db


def to_approve() -> Dispatch:
    """The first message to a contact, with one notice on it."""
    contact = ContactFactory(unknown=True)
    dispatch = DispatchFactory(contact=contact, approval_reason="new_contact")
    NoticeFactory(routed=True, provider=contact.provider, contact=contact, dispatch=dispatch)
    return dispatch


def press(client: Client, dispatch: Dispatch, verb: str) -> str:
    return client.post(f"/staff/cases/dispatch/{dispatch.pk}/{verb}/", follow=True).content.decode()


def state(dispatch: Dispatch) -> str:
    return str(Dispatch.objects.get(pk=dispatch.pk).state)


def last_act(dispatch: Dispatch) -> tuple[str, str]:
    event = Event.objects.filter(subject="dispatch", subject_id=dispatch.pk).order_by("-pk")[0]
    return event.act, event.actor


def test_what_needs_a_yes_is_shown_first_with_its_reason(in_charge: Client) -> None:
    dispatch = to_approve()
    DispatchFactory(contact=ContactFactory(provider=ProviderFactory(code="beta"), approved=True))

    text = in_charge.get("/staff/outbox/").content.decode()

    assert dispatch.number in text
    assert "This is the first message to this contact. A supervisor looks before it goes." in text


def test_a_supervisor_approves(in_charge: Client, supervisor: User) -> None:
    dispatch = to_approve()

    press(in_charge, dispatch, "approve")

    assert Dispatch.objects.get(pk=dispatch.pk).approved_by == f"user:{supervisor.pk}"
    assert last_act(dispatch) == ("approve", f"user:{supervisor.pk}")


def test_an_analyst_does_not_approve_and_is_not_offered_to(at_work: Client) -> None:
    dispatch = to_approve()

    assert "/approve/" not in at_work.get("/staff/outbox/").content.decode()
    assert at_work.post(f"/staff/cases/dispatch/{dispatch.pk}/approve/").status_code == 403
    assert Dispatch.objects.get(pk=dispatch.pk).approved_by == ""


def test_cancelling_returns_the_notices_to_the_work_desk(at_work: Client, analyst: User) -> None:
    dispatch = to_approve()

    press(at_work, dispatch, "cancel")

    assert state(dispatch) == "cancelled"
    assert last_act(dispatch) == ("cancel", f"user:{analyst.pk}")
    assert Notice.objects.get().assessed_at is None


def test_what_is_set_aside_says_why_and_what_to_do_and_can_be_tried_again(
    at_work: Client, analyst: User
) -> None:
    dispatch = DispatchFactory(parked=True)

    text = at_work.get("/staff/outbox/?show=parked").content.decode()
    assert "five times in a row" in text
    assert "451 later" in text
    assert "Try again; if it fails again, call them" in text

    press(at_work, dispatch, "retry")
    assert state(dispatch) == "pending"
    assert last_act(dispatch) == ("retry", f"user:{analyst.pk}")


def test_pressing_twice_is_refused_in_words(at_work: Client) -> None:
    dispatch = DispatchFactory(parked=True)

    press(at_work, dispatch, "retry")

    assert "This message is not parked." in press(at_work, dispatch, "retry")


def test_a_button_leads_back_to_the_outbox_and_nowhere_else(at_work: Client) -> None:
    def after(back: str) -> str:
        dispatch = DispatchFactory(parked=True, contact=ContactFactory(address=f"a{len(back)}@alfa.example"))
        return at_work.post(f"/staff/cases/dispatch/{dispatch.pk}/retry/", {"back": back})["Location"]

    assert after("/staff/outbox/?show=parked") == "/staff/outbox/?show=parked"
    assert after("https://evil.example/staff/outbox/").startswith("/staff/cases/dispatch/")
    assert after("//evil.example/staff/outbox/").startswith("/staff/cases/dispatch/")


def test_the_text_is_shown_as_it_went_out_and_that_it_was_read_is_written_down(
    at_work: Client, analyst: User
) -> None:
    dispatch = DispatchFactory(accepted=True, subject="[NTD] Notice")
    dispatch.body = "Dear Alfa,\nhxxps://forum[.]example/secret-picture.jpg <b>"
    dispatch.save()

    before = at_work.get(f"/staff/cases/dispatch/{dispatch.pk}/change/").content.decode()
    assert "secret-picture" not in before
    assert dispatch.message_id.strip("<>") in before

    shown = press(at_work, dispatch, "text")
    assert "Dear Alfa,\nhxxps://forum[.]example/secret-picture.jpg &lt;b&gt;" in shown
    assert last_act(dispatch) == ("read", f"user:{analyst.pk}")


def test_a_message_that_was_never_written_has_no_text(at_work: Client) -> None:
    assert "This message has no text yet" in press(at_work, DispatchFactory(), "text")


def test_waiting_messages_say_until_when_they_can_be_stopped(at_work: Client) -> None:
    DispatchFactory(next_attempt_at=timezone.now() + timedelta(minutes=8))

    text = at_work.get("/staff/outbox/?show=waiting").content.decode()

    assert "until then it can be cancelled" in text
    assert "in 7 min" in text


def test_the_desk_asks_the_database_as_often_for_many_messages_as_for_few(at_work: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            at_work.get("/staff/outbox/?show=parked")
        return len(asked)

    contact = ContactFactory(approved=True)
    DispatchFactory(parked=True, contact=contact)
    queries()
    few = queries()
    for _ in range(20):
        DispatchFactory(parked=True, contact=contact)

    assert queries() == few <= 5
