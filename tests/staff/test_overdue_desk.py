"""The supervisors' desk, and the start page: each counter opens exactly the rows that it counted."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from audit.record import Actor
from cases.intake.mailbox import reading
from cases.models import Dispatch, Notice, Step
from cases.services import conversation, origins, receipts
from cases.services.answers import Answer, answer_many
from cases.services.ladder.taking import finish
from providers.models import ContactHealth, Proposal
from tests.factories import (
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    MailSenderFactory,
    NoticeFactory,
    ProviderFactory,
    RegistrationFactory,
    ReplyMailFactory,
    ReportFactory,
    ReportLineFactory,
    SecondLookFactory,
    StepFactory,
)
from tests.mailbox import MX, PARTNER, arrive
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
THEM = Actor("user", "7")


def with_provider(hours: float, **fields: Any) -> Notice:
    """A notice that its provider got so many hours ago."""
    return NoticeFactory(notified=True, notified_at=timezone.now() - hours * HOUR, **fields)


def escalated(hours: float, **fields: Any) -> Notice:
    return NoticeFactory(escalated=True, notified_at=timezone.now() - hours * HOUR, **fields)


def waiting_step(**fields: Any) -> Step:
    """A reminder that needs a supervisor's yes."""
    notice = escalated(30)
    step: Step = notice.steps.get(code="reminder-1")
    Step.objects.filter(pk=step.pk).update(taken_at=None, waits_for="sighting")
    return step


def test_overdue_notices_are_grouped_by_provider_the_oldest_first(in_charge: Client) -> None:
    beta = ProviderFactory(code="beta")
    with_provider(25)  # not recorded by any sweep yet
    escalated(26)
    escalated(90, provider=beta)
    with_provider(2, provider=beta)

    rows = in_charge.get("/staff/overdue/").context["rows"]

    assert [(row["provider__name"], row["overdue"], row["open"]) for row in rows] == [
        ("Beta Hosting", 1, 2),
        ("Alfa Hosting", 2, 2),
    ]


def test_each_figure_of_a_provider_opens_exactly_its_rows(in_charge: Client) -> None:
    now = timezone.now()
    escalated(30, acknowledged_at=now)
    escalated(31, disputed_at=now, acknowledged_at=now)
    escalated(32, last_seen_online_at=now - 2 * HOUR)
    with_provider(2, last_seen_online_at=now)
    provider = ProviderFactory(code="alfa")

    (row,) = in_charge.get("/staff/overdue/").context["rows"]

    assert (row["overdue"], row["silent"], row["disputed"], row["online"], row["open"]) == (3, 1, 1, 1, 4)
    for query, figure in (
        ("due=over", row["overdue"]),
        ("due=over&fact=silent", row["silent"]),
        ("due=over&fact=disputed", row["disputed"]),
        ("due=over&fact=online", row["online"]),
        ("fact=open", row["open"]),
    ):
        page = in_charge.get(f"/staff/cases/notice/?provider={provider.pk}&{query}")
        assert len(page.context["rows"]) == figure, query


def test_a_supervisor_lets_a_reminder_go_that_nobody_dared_to_send(
    in_charge: Client, supervisor: User
) -> None:
    step = waiting_step()

    answer = in_charge.post(f"/staff/overdue/steps/{step.pk}/send/", follow=True)

    assert "The reminder is in the outbox." in answer.content.decode()
    assert Dispatch.objects.filter(kind="reminder", lines__notice=step.notice).exists()
    event = Event.objects.get(act="send_anyway")
    assert (event.actor, event.subject_id) == (f"user:{supervisor.pk}", step.notice_id)


def test_a_supervisor_sees_to_the_ticked_steps(in_charge: Client, supervisor: User) -> None:
    steps = [
        StepFactory(notice=escalated(80), code=code, taken_at=timezone.now()) for code in ("call", "dossier")
    ]

    in_charge.post("/staff/overdue/steps/acknowledge/", {"step": [step.pk for step in steps]})

    done = Step.objects.filter(pk__in=[step.pk for step in steps])
    assert {step.acknowledged_by for step in done} == {f"user:{supervisor.pk}"}
    assert Event.objects.filter(act="acknowledge_step").count() == 2


def test_a_step_that_somebody_sees_to_already_is_refused_and_the_rest_goes_on(in_charge: Client) -> None:
    first, second = (
        StepFactory(notice=escalated(80), code="call", taken_at=timezone.now()) for _ in range(2)
    )
    in_charge.post("/staff/overdue/steps/acknowledge/", {"step": [first.pk]})

    answer = in_charge.post(
        "/staff/overdue/steps/acknowledge/", {"step": [first.pk, second.pk, "x", "999999"]}, follow=True
    )

    text = answer.content.decode()
    assert "Somebody sees to this already." in text
    assert "You see to 1 step." in text


def test_an_analyst_has_no_say_in_it(at_work: Client) -> None:
    step = waiting_step()

    assert at_work.get("/staff/overdue/").status_code == 403
    assert at_work.post(f"/staff/overdue/steps/{step.pk}/send/").status_code == 403


def test_the_second_reminder_that_went_out_by_itself_needs_nobody(in_charge: Client) -> None:
    notice = escalated(60)
    first = notice.steps.get(code="reminder-1")
    unheard = StepFactory(notice=escalated(60), code="reminder-2")
    finish([(first.pk, "reminded")], now=timezone.now())
    finish([(StepFactory(notice=notice, code="reminder-2").pk, "reminded")], now=timezone.now())
    finish([(unheard.pk, "no_contact")], now=timezone.now())

    rows = in_charge.get("/staff/overdue/steps/?show=unacknowledged").context["rows"]

    assert {row["step"] for row in rows} == {first, unheard}


@pytest.fixture
def busy(db: None, host: Callable[..., None]) -> None:
    """A day on which every counter has something."""
    now = timezone.now()
    NoticeFactory(attributed=True, received_at=now - 2 * HOUR)
    NoticeFactory(attributed=True, received_at=now - 3 * HOUR)
    NoticeFactory(attributed=True, received_at=now - 30 * HOUR)
    NoticeFactory(attributed=True, held=True, hold_until=now - HOUR, received_at=now - 4 * HOUR)
    NoticeFactory(attributed=True, held=True, hold_until=now + HOUR, received_at=now - HOUR)
    NoticeFactory(
        assessed=True, hold="contact_review", hold_review="no_contact", received_at=now - 5 * HOUR,
        assessed_at=now - 4 * HOUR,
    )  # fmt: skip
    with_provider(22)
    escalated(30, disputed_at=now - HOUR)
    escalated(30, claimed_removed_at=now - 2 * HOUR, last_seen_online_at=now - HOUR)
    escalated(30, claimed_removed_at=now - 5 * HOUR)
    waiting_step()
    StepFactory(notice=escalated(80), code="call", taken_at=now)
    ReportLineFactory(quarantined=True, raw="http://a@b.test/x")
    beta = ContactFactory(provider=ProviderFactory(code="beta"), unknown=True)
    DispatchFactory(contact=beta, approval_reason="new_contact")
    DispatchFactory(parked=True)
    DispatchFactory(failures=2, trouble="later", gathering=False)
    taken = DispatchFactory(relayed=True, created_at=now - 9 * HOUR, contact=beta)
    taken.attempts.create(number=1, started_at=now - 9 * HOUR, ended_at=now - 8 * HOUR, accepted=True)
    ContactFactory(provider=ProviderFactory(code="gamma"))
    ContactFactory(suspended=True, suspended_at=now - 2 * HOUR, provider=ProviderFactory(code="delta"))
    silent = ContactFactory(approved=True, provider=ProviderFactory(code="epsilon"))
    ContactHealth.objects.create(contact=silent, word="bad", since=now - HOUR, counted_at=now)
    ReplyMailFactory(kind="answer", state="waiting", reason="answer", received_at=now - HOUR)
    ReplyMailFactory(dispatch=None, matched_by="", kind="answer", state="waiting", reason="unmatched")
    RegistrationFactory()
    ReportFactory(finished_at=None, done=0, received_at=now)
    SecondLookFactory(differing=True)
    SecondLookFactory(due_at=now - HOUR)
    SecondLookFactory(due_at=now + HOUR)
    NoticeFactory(
        assessed=True,
        hold="second_assessment",
        hold_review="second",
        received_at=now - 2 * HOUR,
        assessed_at=now - HOUR,
    )
    # What providers write, object and propose.
    asking, objecting = with_provider(3), with_provider(4)
    conversation.ask(notice_id=asking.pk, text="Which server?", by=THEM, now=now - HOUR)
    said = Answer(objecting.reference, "not_ours", reason="Beta has it")
    answer_many(provider_id=objecting.provider_id, answers=[said], by=THEM, now=now - HOUR)
    Proposal.objects.create(provider=silent.provider, kind="end", contact=silent, state="waits",
                            proposed_at=now - HOUR, proposed_by=str(THEM))  # fmt: skip
    # A CDN that was asked what stands behind it, and says nothing.
    cdn = ContactFactory(provider=ProviderFactory(code="shield", cdn=True), approved=True)
    NoticeFactory(assessed=True, provider=cdn.provider, hold="contact_review", hold_review="cdn_origin",
                  received_at=now - 27 * HOUR, assessed_at=now - 26 * HOUR)  # fmt: skip
    origins.ask_due(by=SYSTEM, now=now - 25 * HOUR)
    arrive(1)
    # A partner's mail, whose receipt their server refuses.
    MailSenderFactory()
    host(mailbox_authserv_id=MX)
    reading.take_in(mail_id=arrive(2, sender=PARTNER).pk, by=SYSTEM, now=now)
    (receipt,) = receipts.claim(now=now, limit=1)
    receipts.settle(receipt, receipts.Failed("550 no", permanent=True), by=SYSTEM, now=now)


def _rows(page: Any) -> int:
    """How many rows a page lists."""
    context = page.context
    if "cl" in context:
        return len(context["cl"].result_list)
    return len(context["holders" if "holders" in context else "rows"])


@pytest.mark.usefixtures("busy")
def test_each_counter_of_the_start_page_opens_exactly_the_rows_it_counted(in_charge: Client) -> None:
    counters = in_charge.get("/staff/").context["counters"]

    empty = [str(counter.name) for counter in counters if not counter.count]
    assert empty == []
    assert len(counters) >= 27
    for counter in counters:
        assert _rows(in_charge.get(unescape(counter.href))) == counter.count, str(counter.name)
        assert counter.oldest is not None, str(counter.name)


@pytest.mark.usefixtures("busy")
def test_the_start_page_shows_each_role_its_own(
    at_work: Client, browser: Browser, functional_admin: User
) -> None:
    analysts = {str(counter.name) for counter in at_work.get("/staff/").context["counters"]}

    assert "to judge" in analysts
    assert "reminders that need a yes" not in analysts
    assert "messages to approve" not in analysts
    assert browser(functional_admin).get("/staff/").context["counters"] == []


@pytest.mark.usefixtures("busy")
def test_a_counter_shrinks_when_its_row_is_handled(in_charge: Client) -> None:
    def to_judge() -> int:
        counters = in_charge.get("/staff/").context["counters"]
        return next(counter.count for counter in counters if str(counter.name) == "to judge")

    before, notice = to_judge(), Notice.objects.to_assess(now=timezone.now())[0]
    in_charge.post(f"/staff/work/{notice.pk}/assess/", {"version": notice.version, "legal_class": "baseline"})

    assert to_judge() == before - 1


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/staff/", 47),  # one for each counter
        ("/staff/overdue/", 24),
        ("/staff/overdue/steps/?show=unacknowledged", 20),
    ],
)
def test_a_desk_asks_the_database_as_often_for_many_rows_as_for_few(
    in_charge: Client, address: str, most: int
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert in_charge.get(address).status_code == 200
        return len(asked)

    StepFactory(notice=escalated(80), code="call", taken_at=timezone.now())
    queries()
    few = queries()
    for number in range(12):
        provider = ProviderFactory(code=f"p{number}")
        StepFactory(notice=escalated(80, provider=provider), code="call", taken_at=timezone.now())

    assert queries() == few <= most
