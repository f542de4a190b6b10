"""The notice desk: each message with its reason, and the buttons that fit."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from cases.models import Dispatch, DispatchLine, Notice, Pace
from cases.services.retry import retry_many
from tests.factories import (
    NOON,
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    ReplyMailFactory,
)

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
    assert "This is the first message to this contact. Somebody looks at it before it goes." in text


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


def test_a_message_with_what_is_about_to_leave_is_looked_at_before_it_is_let_go(sending: Client) -> None:
    dispatch = to_approve()

    assert f"/dispatch/{dispatch.pk}/approve/" not in sending.get("/staff/outbox/").content.decode()
    page = sending.get(f"/staff/cases/dispatch/{dispatch.pk}/change/").content.decode()

    assert "What is about to leave" in page
    assert "never written to" in page
    assert "[NTD-2026-" in page  # the subject
    assert "forum.example/" in page
    assert "secret" not in page
    assert "192.0.2.0/24 (AS64500, ALFA-NET-1)" in page  # why this addressee
    press(sending, dispatch, "approve")
    assert Dispatch.objects.get(pk=dispatch.pk).approved_by


def test_a_pending_message_to_a_suspended_contact_says_what_stops_it(sending: Client) -> None:
    DispatchFactory(contact=ContactFactory(suspended=True))

    page = sending.get("/staff/outbox/?show=waiting").content.decode()

    assert "The contact is not approved, or is suspended." in page
    assert "Approve the contact or end its suspension" in page


def test_a_message_that_waits_for_its_contacts_pace_or_server_says_so_and_until_when(sending: Client) -> None:
    now = timezone.now()
    dispatch = DispatchFactory()
    pace = Pace.objects.create(
        name=f"contact:{dispatch.contact_id}", rests_until=now + timedelta(minutes=4), asked=True
    )

    def shown() -> str:
        return sending.get("/staff/outbox/?show=waiting").content.decode()

    assert "Their server asked us to wait." in shown()
    assert "in 3 min" in shown()
    Pace.objects.filter(pk=pace.pk).update(asked=False)
    assert "had trouble with another message" in shown()
    Dispatch.objects.update(urgent=True)
    assert "It goes out with the next round." in shown()
    Pace.objects.update(rests_until=None, paid_until=now + timedelta(hours=2))
    assert "at a pace that their server can bear" in shown()


def test_the_chosen_are_tried_again_and_the_desk_says_how_far_they_are(
    sending: Client, notice_desk: User
) -> None:
    contact = ContactFactory(approved=True)
    first, second, third = (DispatchFactory(parked=True, contact=contact) for _ in range(3))
    retried = retry_many(dispatch_ids=[third.pk], by=SYSTEM, now=NOON)  # a colleague was faster
    assert retried == [third.pk]

    answer = sending.post(
        "/staff/outbox/retry/", {"message": [first.pk, third.pk, "x"]}, follow=True
    ).content.decode()

    assert "1 message is tried again with the next round." in answer
    assert [state(each) for each in (first, second, third)] == ["pending", "parked", "pending"]
    assert last_act(first) == ("retry", f"user:{notice_desk.pk}")
    assert "/staff/outbox/pressed/" in answer
    assert "data-live-done" not in sending.get("/staff/outbox/pressed/").content.decode()

    Dispatch.objects.filter(pk=first.pk).update(state="parked", trouble="no_luck")
    assert "data-live-done" in sending.get("/staff/outbox/pressed/").content.decode()


def test_all_of_one_cause_are_tried_again_and_no_others(sending: Client) -> None:
    contact = ContactFactory(approved=True)
    unlucky = [DispatchFactory(parked=True, contact=contact) for _ in range(2)]
    refused = DispatchFactory(parked=True, contact=contact, trouble="refused")
    page = sending.get("/staff/outbox/?show=parked").content.decode()
    assert "cause=refused" in page

    sending.post("/staff/outbox/retry/", {"everything": "yes", "cause": "no_luck"})

    assert [state(each) for each in (*unlucky, refused)] == ["pending", "pending", "parked"]


def test_the_desk_is_narrowed_by_whom_it_is_for_kind_urgency_and_age(sending: Client) -> None:
    alfa, beta = (
        ContactFactory(approved=True, provider=ProviderFactory(code=code)) for code in ("alfa", "beta")
    )
    old = DispatchFactory(contact=alfa, parked=True, urgent=True)
    fresh = DispatchFactory(contact=beta, parked=True, created_at=timezone.now(), kind="reminder")

    def numbers(query: str) -> list[str]:
        rows = sending.get(f"/staff/outbox/?show=parked&{query}").context["rows"]
        return [row["dispatch"].number for row in rows]

    assert numbers("") == [old.number, fresh.number]
    assert numbers("to=beta+host") == numbers("to=abuse@beta") == numbers("kind=reminder") == [fresh.number]
    assert numbers("urgent=yes") == numbers("age=1h") == [old.number]
    assert sending.get("/staff/outbox/?age=forever").status_code == 400


def test_a_number_leads_to_its_message_and_a_reference_to_all_messages_about_it(sending: Client) -> None:
    dispatch = DispatchFactory(accepted=True)
    notice = NoticeFactory(notified=True, provider=dispatch.contact.provider, dispatch=dispatch)
    DispatchFactory(accepted=True, contact=dispatch.contact)
    desk = "/staff/cases/dispatch/"

    assert sending.get(desk, {"q": dispatch.number.lower()})["Location"] == f"{desk}{dispatch.pk}/change/"
    listed = sending.get(desk, {"q": notice.reference}).context["cl"].result_list
    assert [each.number for each in listed] == [dispatch.number]
    assert not sending.get(desk, {"q": "NTD-2026-999999"}).context["cl"].result_list


def test_what_our_relay_took_hours_ago_without_any_proof_is_counted_and_shown(sending: Client) -> None:
    now = timezone.now()
    dispatch, recent = (
        DispatchFactory(state="relayed", created_at=now - timedelta(hours=9), attempt=1) for _ in range(2)
    )
    for each, hours in ((dispatch, 8), (recent, 1)):
        at = now - timedelta(hours=hours)
        each.attempts.create(number=1, started_at=at, ended_at=at, accepted=True, answer="250 queued")

    rows = sending.get("/staff/outbox/?show=unproven").context["rows"]
    counters = {str(counter.name): counter for counter in sending.get("/staff/").context["counters"]}

    assert [row["dispatch"].pk for row in rows] == [dispatch.pk]
    assert rows[0]["reason"].since == now - timedelta(hours=8)
    assert counters["messages without proof of arrival"].count == 1


def test_the_page_of_a_message_keeps_five_facts_apart_and_shows_its_thread(sending: Client) -> None:
    dispatch = DispatchFactory(accepted=True)
    told, silent = (
        NoticeFactory(notified=True, provider=dispatch.contact.provider, dispatch=dispatch) for _ in range(2)
    )
    Notice.objects.filter(pk=told.pk).update(acknowledged_at=NOON)
    reminder = DispatchFactory(contact=dispatch.contact, kind="reminder")
    DispatchLine.objects.create(dispatch=reminder, notice=silent, contact=dispatch.contact, step="reminder-1")

    page = sending.get(f"/staff/cases/dispatch/{dispatch.pk}/change/")

    assert page.context["facts"]["accepted"] == dispatch.accepted_at
    assert page.context["facts"]["answered"] == NOON
    assert page.context["facts"]["answered_note"] == "1 of 2 notices"
    assert [each.number for each in page.context["around"]] == [reminder.number]


def test_what_came_back_says_their_words_and_leads_to_the_contact(sending: Client) -> None:
    dispatch = DispatchFactory(bounced=True, contact=ContactFactory(suspended=True))
    ReplyMailFactory(dispatch=dispatch, ticket="TT-77")

    (row,) = sending.get("/staff/outbox/?show=bounced").context["rows"]
    page = sending.get(f"/staff/cases/dispatch/{dispatch.pk}/change/")

    assert (row["dispatch"], row["reason"].since) == (dispatch, dispatch.bounced_at)
    assert row["reason"].next_step == "See to its contact: it is suspended."
    assert page.context["facts"]["accepted_note"] == "it came back later"
    assert (page.context["facts"]["receipt"], page.context["facts"]["receipt_note"]) == (NOON, "TT-77")
    assert "550 5.1.1 no such mailbox" in page.content.decode()


@pytest.mark.parametrize("pile", ["approval", "parked", "late", "waiting", "unproven", "bounced", "accepted"])
def test_no_list_of_the_desk_counts_or_skips_rows(sending: Client, pile: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        sending.get(f"/staff/outbox/?show={pile}")

    messages = [query["sql"] for query in asked if '"cases_dispatch"' in query["sql"]]
    assert all("LIMIT" in sql and "OFFSET" not in sql for sql in messages), messages


@pytest.mark.parametrize("pile", ["parked", "accepted"])
def test_pages_of_a_pile_go_on_where_the_one_before_ended(sending: Client, pile: str) -> None:
    contact = ContactFactory(approved=True)
    made = [DispatchFactory(contact=contact, **{pile: True}).number for _ in range(53)]

    seen, address = [], f"/staff/outbox/?show={pile}"
    while address:
        context = sending.get(address).context
        seen += [row["dispatch"].number for row in context["rows"]]
        address = f"/staff/outbox/{context['next_url']}" if context["next_url"] else ""

    assert seen == (made if pile == "parked" else made[::-1])


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

    assert queries() == few <= 7
