"""A message that comes back never started a clock; one that is reported to have arrived does, from when we know."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection

from audit.models import Event
from audit.record import Actor, record
from cases import tasks
from cases.models import Dispatch, DispatchLine, Notice, ReplyMail, Step
from cases.services import bounces, clocks, ladder, replies, reroute, retention, verify
from cases.services.answers import Answer, answer_many
from cases.services.sending import deliver_due
from providers.models import Contact
from providers.services import approve_contact, resume_contact
from tests.conftest import FixedResolver
from tests.factories import (
    HOUR,
    NOON,
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    NetworkFactory,
    NoticeFactory,
    ProviderFactory,
    many,
)
from tests.mailserver import MailServer

pytestmark = pytest.mark.django_db

State, Dropped = Notice.State, DispatchLine.Dropped
THREE = NOON + 3 * HOUR
GONE = "550 5.1.1 no such mailbox"


def now_of(notice: Notice) -> Notice:
    return Notice.objects.select_related("rule").get(pk=notice.pk)


def message(notice: Notice) -> Dispatch:
    """The last message about a notice."""
    return Dispatch.objects.filter(lines__notice=notice).latest("pk")


def at(instant: datetime) -> Callable[[], datetime]:
    """A clock that stands still."""
    return lambda: instant


def come_back(dispatch: Dispatch, now: datetime = THREE) -> Dispatch:
    return bounces.bounce(dispatch_id=dispatch.pk, words=GONE, by=SYSTEM, now=now)


def broken(now: datetime) -> list[str]:
    """The invariants that the database breaks now."""
    found: list[verify.Finding] = []
    verify.verify(found.append, now=now)
    return [finding.says for finding in found if finding.broken]


# -- the bounce ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sent", "notified", "escalated"])
def test_a_message_that_came_back_leaves_no_clock_and_suspends_its_contact(state: str) -> None:
    notice = NoticeFactory(**{state: True})
    dispatch = message(notice)

    come_back(dispatch)

    after = now_of(notice)
    assert (after.state, after.notified_at, after.due_at, after.rule, after.sent_at, after.routed_at) == (
        State.RECEIVED, None, None, None, None, None,
    )  # fmt: skip
    assert after.assessed_at is not None, "nobody has to judge it again"
    assert (after.escalated_at, after.next_check_at) == (None, None)
    bounced = Dispatch.objects.get(pk=dispatch.pk)
    assert (bounced.state, bounced.bounced_at, bounced.trouble_answer) == (
        Dispatch.State.BOUNCED,
        THREE,
        GONE,
    )
    assert bounced.lines.get().dropped_because == Dropped.BOUNCED
    contact = Contact.objects.get()
    assert contact.suspended_at == THREE
    assert contact.suspended_reason == f"{dispatch.number} came back: {GONE}"
    assert not Step.objects.filter(taken_at__isnull=True).exists()
    connection.check_constraints()
    assert broken(THREE) == []


def test_the_history_of_a_voided_clock_stays(  # and so can be told to a judge
) -> None:
    notice = NoticeFactory(escalated=True)
    come_back(message(notice), NOON + 25 * HOUR)

    moves = Event.objects.filter(subject="notice", subject_id=notice.pk).exclude(became="")
    assert [event.became for event in moves.order_by("pk")] == [
        "received",
        "notified",
        "escalated",
        "received",
    ]
    assert message(notice).accepted_at == NOON
    assert list(Step.objects.filter(notice=notice).values_list("voided", flat=True)) == [1, 1]


def test_the_same_bounce_twice_changes_nothing() -> None:
    notice = NoticeFactory(notified=True)
    come_back(message(notice))
    events = Event.objects.count()
    come_back(message(notice), THREE + HOUR)
    assert Event.objects.count() == events
    assert message(notice).bounced_at == THREE


def person_opens(notice: Notice) -> None:
    clocks.shown(notice_id=notice.pk, by=Actor("user", "7"), now=NOON + HOUR)


def person_answers(notice: Notice) -> None:
    said = [Answer(notice.reference, "acknowledged")]
    answer_many(provider_id=notice.provider_id or 0, answers=said, by=Actor("key", "7"), now=NOON + HOUR)


def person_writes(notice: Notice) -> None:
    mail = ReplyMail(
        reference="B-1", message_key=b"1", content_key=b"1", received_at=NOON, size_bytes=1, kind="answer",
        state="waiting", reason="answer", dispatch=message(notice), matched_by="reply_path", from_provider=True,
    )  # fmt: skip
    mail.save(force_insert=True)
    record("receive", "reply_mail", mail.pk, by=SYSTEM, at=NOON, became="waiting")


@pytest.mark.parametrize("reach", [person_opens, person_answers, person_writes])
def test_a_clock_stands_when_a_person_of_the_provider_had_it(reach: Callable[[Notice], None]) -> None:
    notice = NoticeFactory(notified=True)
    reach(notice)
    come_back(message(notice))

    after = now_of(notice)
    assert (after.state, after.notified_at) == (State.NOTIFIED, NOON)
    assert message(notice).state == Dispatch.State.BOUNCED
    assert Contact.objects.get().suspended_at == THREE
    assert broken(THREE) == []


def test_a_clock_that_only_the_portal_started_stands() -> None:
    notice = NoticeFactory(sent=True)
    clocks.shown(notice_id=notice.pk, by=Actor("user", "7"), now=NOON + HOUR)
    come_back(message(notice))
    assert now_of(notice).notified_at == NOON + HOUR
    assert broken(THREE) == []


def test_a_second_look_in_the_portal_is_not_written_down_again() -> None:
    notice = NoticeFactory(notified=True)
    for _look in range(2):
        clocks.shown(notice_id=notice.pk, by=Actor("user", "7"), now=NOON + HOUR)
    assert Event.objects.filter(subject="notice", act="show").count() == 1


def test_a_clock_that_runs_on_the_word_of_a_message_that_came_back_is_found() -> None:
    notice = NoticeFactory(notified=True)
    dispatch = message(notice)
    Dispatch.objects.filter(pk=dispatch.pk).update(state="bounced", bounced_at=THREE)
    record("cheat", "dispatch", dispatch.pk, by=SYSTEM, at=THREE, was="accepted", became="bounced")
    assert [says.endswith(notice.reference) for says in broken(THREE)] == [True]


@pytest.mark.parametrize("end", ["removed", "withdrawn"])
def test_what_is_over_stays_over(end: str) -> None:
    notice = NoticeFactory(**{end: True})
    come_back(message(notice), NOON + 30 * HOUR)
    assert now_of(notice).state == end
    assert broken(NOON + 30 * HOUR) == []


def test_many_notices_on_one_message_are_voided_together() -> None:
    notices = many(30, notified=True)
    person_answers(notices[0])
    come_back(message(notices[0]))
    assert Notice.objects.filter(state=State.RECEIVED, notified_at=None).count() == 29
    assert Notice.objects.filter(state=State.NOTIFIED).count() == 1


def test_a_message_that_a_crash_hides_is_kept_from_going_there_again() -> None:
    notice = NoticeFactory(routed=True)
    come_back(message(notice))
    assert message(notice).state == Dispatch.State.PENDING
    assert Contact.objects.get().suspended_at == THREE


def test_a_reminder_that_came_back_leaves_the_clock_and_goes_to_the_other_contact() -> None:
    notice = NoticeFactory(escalated=True)
    reminder = DispatchFactory(contact=Contact.objects.get(), reminder=True, accepted=True, lines_of=[notice])
    other = ContactFactory(provider=notice.provider, approved=True, address="noc@alfa.example")

    come_back(reminder, NOON + 25 * HOUR)

    assert now_of(notice).state == State.ESCALATED
    assert (message(notice).kind, message(notice).contact, message(notice).state) == (
        "reminder",
        other,
        "pending",
    )


# -- where it goes then ------------------------------------------------------------------------------------


def test_accepted_then_back_after_three_hours_the_other_contact_has_it_within_the_hour(
    mail_server: MailServer, static_resolver: FixedResolver, host: Callable[..., None]
) -> None:
    host(relay_is_final_hop=True, grouping_window=timedelta(minutes=10))
    NetworkFactory()
    ContactFactory(provider=ProviderFactory(), approved=True, address="noc@alfa.example")
    notice = NoticeFactory(notified=True)
    first = message(notice)
    come_back(first)

    tick = THREE
    while not mail_server.accepted and tick < THREE + HOUR:
        tick += timedelta(minutes=1)
        reroute.leave_suspended(by=SYSTEM, now=tick)
        tasks.route.route_due(resolver=static_resolver, by=SYSTEM, now=tick)
        deliver_due(resolver=static_resolver, by=SYSTEM, clock=at(tick))
        assert broken(tick) == []

    (received,) = mail_server.accepted
    after = now_of(notice)
    assert received.recipient == "noc@alfa.example"
    assert received.id != first.message_id, "another message to somebody else"
    assert (after.state, after.notified_at) == (State.NOTIFIED, tick)
    assert after.due_at == tick + 24 * HOUR
    assert tick <= THREE + timedelta(minutes=15)
    ladder.take_steps_due(by=SYSTEM, now=tick + 21 * HOUR)
    assert list(Step.objects.filter(notice=notice, voided=0).values_list("code", flat=True)) == ["hint"]
    connection.check_constraints()


def test_without_another_contact_it_waits_for_one_and_goes_on_by_itself(
    static_resolver: FixedResolver,
) -> None:
    NetworkFactory()
    notice = NoticeFactory(notified=True)
    come_back(message(notice))
    tasks.sweep_routes()
    held = now_of(notice)
    assert (held.hold, held.hold_review) == (Notice.Hold.CONTACT_REVIEW, Notice.Review.NO_CONTACT)
    assert broken(THREE) == []

    tasks.sweep_routes()
    assert now_of(notice).hold, "still nobody"
    other = ContactFactory(provider=notice.provider, address="noc@alfa.example")
    approve_contact(contact_id=other.pk, by=SYSTEM, now=THREE)
    tasks.sweep_routes()

    after = now_of(notice)
    assert (after.hold, message(notice).contact) == ("", other)
    assert after.routed_at is not None


def test_a_contact_that_is_good_again_gets_it_too(static_resolver: FixedResolver) -> None:
    NetworkFactory()
    notice = NoticeFactory(notified=True)
    come_back(message(notice))
    tasks.sweep_routes()
    resume_contact(contact_id=Contact.objects.get().pk, by=SYSTEM, now=THREE)
    tasks.sweep_routes()
    assert (message(notice).contact, message(notice).state) == (Contact.objects.get(), "pending")


def test_what_is_parked_for_a_suspended_contact_leaves_it() -> None:
    notice = NoticeFactory(routed=True, dispatch=DispatchFactory(parked=True, trouble="contact"))
    Contact.objects.update(suspended_at=NOON)

    assert reroute.leave_suspended(by=SYSTEM, now=NOON) == 1

    assert now_of(notice).routed_at is None
    assert message(notice).state == Dispatch.State.CANCELLED
    assert message(notice).lines.get().dropped_because == Dropped.SUSPENDED
    connection.check_constraints()


def test_what_may_be_with_a_suspended_contact_already_waits_for_a_person() -> None:
    notice = NoticeFactory(routed=True, dispatch=DispatchFactory(parked=True, trouble="contact"))
    message(notice).attempts.create(number=1, started_at=NOON)
    Contact.objects.update(suspended_at=NOON)
    assert reroute.leave_suspended(by=SYSTEM, now=NOON) == 0
    assert now_of(notice).routed_at is not None


# -- the report that it arrived ------------------------------------------------------------------------------


def test_a_report_of_delivery_starts_the_clock_from_when_we_know() -> None:
    notice = NoticeFactory(sent=True)
    dispatch = bounces.arrived(
        dispatch_id=message(notice).pk, evidence="delivered 2.0.0", by=SYSTEM, now=THREE
    )

    after = now_of(notice)
    assert (dispatch.state, dispatch.accepted_at, dispatch.evidence) == ("accepted", THREE, "delivered 2.0.0")
    assert (after.state, after.notified_at, after.notified_estimated) == (State.NOTIFIED, THREE, False)
    assert after.due_at == THREE + 24 * HOUR
    assert broken(THREE) == []


@pytest.mark.parametrize("state", ["notified", "removed"])
def test_a_report_of_what_is_known_changes_nothing(state: str) -> None:
    notice = NoticeFactory(**{state: True})
    bounces.arrived(dispatch_id=message(notice).pk, evidence="delivered", by=SYSTEM, now=THREE)
    assert (now_of(notice).notified_at, message(notice).accepted_at) == (NOON, NOON)


def test_a_report_after_a_bounce_is_too_late() -> None:
    notice = NoticeFactory(notified=True)
    come_back(message(notice))
    bounces.arrived(dispatch_id=message(notice).pk, evidence="delivered", by=SYSTEM, now=THREE + HOUR)
    assert message(notice).state == Dispatch.State.BOUNCED
    assert now_of(notice).state == State.RECEIVED


def test_a_report_after_the_portal_showed_it_leaves_the_clock_as_it_is() -> None:
    notice = NoticeFactory(sent=True)
    clocks.shown(notice_id=notice.pk, by=Actor("user", "7"), now=NOON + HOUR)
    bounces.arrived(dispatch_id=message(notice).pk, evidence="delivered", by=SYSTEM, now=THREE)
    assert now_of(notice).notified_at == NOON + HOUR
    assert message(notice).state == Dispatch.State.ACCEPTED


def test_a_mail_that_came_back_is_erased_after_a_year_and_not_before() -> None:
    notice = NoticeFactory(notified=True)
    person_writes(notice)
    mail = ReplyMail.objects.get()
    mail.text = "Gone"
    mail.save()
    year = NOON + timedelta(days=365)
    assert retention.due(now=year)["reply_mails"] == 0, "it waits"
    replies.set_aside(mail_id=mail.pk, by=SYSTEM, now=NOON)
    assert retention.due(now=year - timedelta(seconds=1))["reply_mails"] == 0
    assert retention.erase(by=SYSTEM, now=year)["reply_mails"] == 1
    assert ReplyMail.objects.get().text == ""
