"""The steps that ask for a person, and the telephone: who sees what, and what a button does."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from cases.models import Call, Notice, Step
from cases.services import ladder
from tests.factories import SYSTEM, ContactFactory, NoticeFactory, ProviderFactory, StepFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
STEPS, CALLS = "/staff/overdue/steps/", "/staff/overdue/calls/"


def hinted(hours: float = 21, **fields: Any) -> Notice:
    """A notice whose hint has fired."""
    notice = NoticeFactory(notified=True, notified_at=timezone.now() - hours * HOUR, **fields)
    ladder.take_steps_due(by=SYSTEM, now=timezone.now())
    return notice


def to_call(hours: float = 50, **fields: Any) -> Step:
    """A notice that its provider is to be called about."""
    notice = NoticeFactory(escalated=True, notified_at=timezone.now() - hours * HOUR, **fields)
    step: Step = StepFactory(notice=notice, code="call", taken_at=timezone.now() - HOUR)
    return step


def rows(page: Any) -> list[str]:
    """The references and steps of a page."""
    return [f"{row['step'].notice.reference} {row['step'].code}" for row in page.context["rows"]]


def test_a_hint_stands_with_the_notice_desk_until_somebody_sees_to_it(
    sending: Client, notice_desk: User
) -> None:
    notice = hinted()
    counters = {str(each.name): each for each in sending.get("/staff/").context["counters"]}
    counter = counters["steps nobody sees to: notice desk"]
    assert counter.count == 1
    assert rows(sending.get(counter.href)) == [f"{notice.reference} hint"]

    step = notice.steps.get(code="hint")
    sending.post(f"{STEPS}acknowledge/", {"step": [step.pk]})

    assert rows(sending.get(counter.href)) == []
    assert rows(sending.get(f"{STEPS}?show=mine")) == [f"{notice.reference} hint"]
    assert Step.objects.get(pk=step.pk).acknowledged_by == f"user:{notice_desk.pk}"


def test_a_step_that_was_passed_on_says_so_and_stands_with_the_next_role(in_charge: Client) -> None:
    notice = hinted()
    ladder.pass_on_due(by=SYSTEM, now=timezone.now() + 2 * HOUR)

    page = in_charge.get(f"{STEPS}?role=supervisor")
    assert rows(page) == [f"{notice.reference} hint"]
    assert "passed on once" in page.content.decode()
    assert rows(in_charge.get(f"{STEPS}?role=notice_desk")) == []
    history = in_charge.get(f"/staff/cases/notice/{notice.pk}/change/").content.decode()
    assert "Nobody saw to a step: it goes to the next role" in history


def test_the_notice_desk_sends_no_reminder_without_a_sighting(sending: Client) -> None:
    notice = NoticeFactory(notified=True, notified_at=timezone.now() - 25 * HOUR)
    ladder.run_out_due(by=SYSTEM, now=timezone.now())
    ladder.take_steps_due(by=SYSTEM, now=timezone.now())
    step = notice.steps.get(code="reminder-1")

    assert "Send anyway" not in sending.get(f"{STEPS}?show=waiting").content.decode()
    assert sending.post(f"{STEPS}{step.pk}/send/").status_code == 403


def test_a_call_shows_whom_to_call_and_keeps_what_came_of_it(in_charge: Client, supervisor: User) -> None:
    contact = ContactFactory(approved=True, role="24x7")
    number = ContactFactory(
        approved=True, channel="phone", address="+31 20 000 00 00", provider=contact.provider
    )
    first = to_call(provider=contact.provider)
    second = to_call(provider=contact.provider)

    page = in_charge.get(CALLS)
    text = page.content.decode()
    assert text.index(number.address) < text.index(contact.address)
    assert "About 2 notices" in text
    (provider,) = page.context["providers"]
    answer = in_charge.post(
        f"{CALLS}{contact.provider_id}/",
        {"until": provider.form["until"].value(), "outcome": "promised", "note": "By noon, says the desk"},
        follow=True,
    )

    assert "The call is written down." in answer.content.decode()
    call = Call.objects.get()
    assert (call.outcome, call.note, call.by) == (
        "promised",
        "By noon, says the desk",
        f"user:{supervisor.pk}",
    )
    assert set(call.steps.values_list("pk", flat=True)) == {first.pk, second.pk}
    assert "Nobody is to be called" in answer.content.decode()
    history = in_charge.get(f"/staff/cases/notice/{first.notice_id}/change/").content.decode()
    assert "The provider was called" in history
    assert "they will remove it" in history


def test_a_call_without_an_outcome_is_not_written_down(in_charge: Client) -> None:
    step = to_call()

    in_charge.post(f"{CALLS}{step.notice.provider_id}/", {"until": "yesterday", "outcome": ""})

    assert not Call.objects.exists()
    assert Step.objects.to_call().count() == 1


@pytest.mark.parametrize("address", [f"{STEPS}?show=mine", f"{STEPS}?show=waiting", CALLS])
def test_a_desk_asks_the_database_as_often_for_many_rows_as_for_few(
    in_charge: Client, supervisor: User, address: str
) -> None:
    def fill(provider: str) -> None:
        step = to_call(provider=ProviderFactory(code=provider))
        seen_to = Step.objects.filter(notice=step.notice, code="reminder-1")
        seen_to.update(acknowledged_at=timezone.now(), acknowledged_by=f"user:{supervisor.pk}")
        other = to_call(provider=step.notice.provider)
        Step.objects.filter(notice=other.notice, code="reminder-1").update(waits_for="sighting")
        ContactFactory(provider=step.notice.provider, approved=True)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert in_charge.get(address).status_code == 200
        return len(asked)

    fill("p1")
    queries()
    few = queries()
    for number in range(2, 6):
        fill(f"p{number}")

    assert queries() == few <= 12
