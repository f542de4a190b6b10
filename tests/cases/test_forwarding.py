"""Passed on to a customer: a clock of the provider's own, beside the one that stays."""

from datetime import timedelta
from typing import Any

import pytest

from cases.models import Dispatch, Forwarding, Message, Notice
from cases.services import conversation, forwarding
from cases.services.answers import Answer, Outcome, answer_many
from providers.models import Relation
from tests.factories import HOUR, NOON, SYSTEM, NoticeFactory, ProviderFactory

pytestmark = pytest.mark.django_db


def forward(notice: Notice, now: Any = NOON + HOUR, **more: Any) -> Outcome:
    """The provider says that it passed a notice on."""
    said = Answer(notice.reference, "forwarded", **more)
    (outcome,) = answer_many(provider_id=notice.provider_id, answers=[said], by=SYSTEM, now=now)
    return outcome


def see(notice: Notice, at: Any) -> None:
    """The last check that saw it online."""
    Notice.objects.filter(pk=notice.pk).update(last_seen_online_at=at)


def test_whom_and_until_when_is_kept_and_the_notices_own_clock_does_not_move() -> None:
    notice = NoticeFactory(notified=True)
    forward(notice, forwarded_to="Klant BV", expected_by=NOON + 6 * HOUR)

    row = Forwarding.objects.get()
    assert (row.name, row.expected_by, row.at) == ("Klant BV", NOON + 6 * HOUR, NOON + HOUR)
    after = Notice.objects.get(pk=notice.pk)
    assert (after.due_at, after.state, after.acknowledged_at) == (notice.due_at, "notified", NOON + HOUR)


def test_a_customer_that_is_known_may_be_named_and_no_other_provider() -> None:
    notice, customer, other = (
        NoticeFactory(notified=True),
        ProviderFactory(code="reseller", name="Reseller"),
        ProviderFactory(code="other"),
    )
    Relation.objects.create(
        provider=customer,
        kind="reseller_of",
        other=notice.provider,
        valid_from=NOON.date(),
        reason="told",
        by="user:1",
    )
    assert list(forwarding.customers_of(notice.provider_id, now=NOON)) == [customer.pk]

    assert forward(notice, customer=other.pk).outcome == "refused"
    assert forward(notice, customer=customer.pk).outcome == "recorded"
    assert Forwarding.objects.get().name == "Reseller"


def test_what_is_expected_after_the_notice_is_due_must_be_said_to_be_known() -> None:
    notice = NoticeFactory(notified=True)
    late = NOON + 30 * HOUR

    refused = forward(notice, expected_by=late)
    assert (refused.outcome, "after your own due moment" in refused.reason) == ("refused", True)
    assert forward(notice, expected_by=NOON).reason.startswith("Expect your customer")
    assert not Forwarding.objects.exists()

    assert forward(notice, expected_by=late, knows_late=True).outcome == "recorded"
    # Once the term is over, everybody knows.
    over = NoticeFactory(escalated=True)
    assert forward(over, now=NOON + 25 * HOUR, expected_by=late).outcome == "recorded"


def test_another_moment_or_another_customer_is_another_answer_and_the_same_again_is_none() -> None:
    notice = NoticeFactory(notified=True)
    first = {"forwarded_to": "Klant BV", "expected_by": NOON + 6 * HOUR}
    assert [forward(notice, **first).outcome for _ in range(2)] == ["recorded", "unchanged"]
    assert forward(notice, **first | {"expected_by": NOON + 7 * HOUR}).outcome == "recorded"
    assert forward(notice, **first | {"forwarded_to": "Een ander"}).outcome == "recorded"
    assert Forwarding.objects.open().get().name == "Een ander"


@pytest.mark.parametrize(
    ("next_answer", "ended"),
    [
        ("forwarded", "replaced"),
        ("removed", "answered"),
        ("dispute", "answered"),
        ("acknowledged", ""),
        ("need_information", ""),
    ],
)
def test_another_answer_ends_the_wait_unless_it_says_nothing_of_it(next_answer: str, ended: str) -> None:
    notice = NoticeFactory(notified=True)
    forward(notice, forwarded_to="Klant BV")
    first = Forwarding.objects.get()
    said = Answer(notice.reference, next_answer, reason="because")
    answer_many(provider_id=notice.provider_id, answers=[said], by=SYSTEM, now=NOON + 2 * HOUR)

    assert Forwarding.objects.get(pk=first.pk).ended_because == ended
    assert Forwarding.objects.open().count() == (1 if ended in {"", "replaced"} else 0)


def test_they_are_told_once_when_the_customers_time_is_over_and_a_check_still_sees_it() -> None:
    notice, soon = NoticeFactory(notified=True), NoticeFactory(notified=True)
    forward(notice, forwarded_to="Klant BV", expected_by=NOON + 6 * HOUR)
    forward(soon, expected_by=NOON + 9 * HOUR)
    see(notice, NOON + 5 * HOUR)
    see(soon, NOON + 8 * HOUR)
    # Nobody has looked since: whether it is still there is not known.
    assert forwarding.remind_due(by=SYSTEM, now=NOON + 7 * HOUR) == 0

    see(notice, NOON + 7 * HOUR)
    assert forwarding.remind_due(by=SYSTEM, now=NOON + 8 * HOUR) == 1
    assert forwarding.remind_due(by=SYSTEM, now=NOON + 9 * HOUR) == 0

    message = Message.objects.get()
    assert (message.notice, message.side, message.forwarding) == (
        notice,
        "hotline",
        Forwarding.objects.get(notice=notice),
    )
    assert not conversation.waiting().exists()
    mail = Dispatch.objects.get(kind="message")
    assert (mail.lines.get().notice, mail.contact.provider) == (notice, notice.provider)
    assert Notice.objects.get(pk=notice.pk).due_at == notice.due_at


def test_nobody_waits_for_the_customer_of_a_notice_that_is_closed() -> None:
    removed = NoticeFactory(removed=True)
    notice = NoticeFactory(notified=True)
    forward(notice, expected_by=NOON + 2 * HOUR)
    row = Forwarding.objects.get()
    Forwarding.objects.filter(pk=row.pk).update(notice=removed)
    see(removed, NOON + 3 * HOUR)

    assert forwarding.remind_due(by=SYSTEM, now=NOON + timedelta(days=2)) == 0
    assert Forwarding.objects.get(pk=row.pk).ended_because == "closed"
