"""The factories keep the rules that the database holds everybody to."""

from datetime import timedelta

import pytest

from audit.models import Event
from cases.models import Dispatch, Notice, Step
from tests.factories import (
    NOON,
    ContactFactory,
    DispatchFactory,
    NetworkFactory,
    NoticeFactory,
    ReportLineFactory,
    SightingFactory,
    StepFactory,
    UserFactory,
    api_key,
)

TRAITS = {
    "assessed": "received",
    "routed": "received",
    "sent": "received",
    "held": "received",
    "notified": "notified",
    "escalated": "escalated",
    "removed": "removed",
    "dismissed": "dismissed",
    "withdrawn": "withdrawn",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("trait", "state"), TRAITS.items())
def test_every_trait_makes_a_notice_that_the_database_accepts(trait: str, state: str) -> None:
    notice = NoticeFactory(**{trait: True})

    assert Notice.objects.get(pk=notice.pk).state == state
    last = Event.objects.filter(subject="notice", subject_id=notice.pk).last()
    assert last is not None
    assert last.became == state


@pytest.mark.django_db(transaction=True)
def test_a_notified_notice_stands_on_a_message_that_was_accepted_and_waits_for_its_hint() -> None:
    notice = NoticeFactory(notified=True, notified_at=NOON - timedelta(hours=30))

    line = notice.dispatch_lines.get()
    assert line.dispatch.state == Dispatch.State.ACCEPTED
    assert line.dispatch.accepted_at == notice.notified_at
    assert notice.due_at == NOON - timedelta(hours=6)
    assert Step.objects.get(notice=notice).due_at == NOON - timedelta(hours=10)


@pytest.mark.django_db
def test_notices_of_one_provider_share_a_message_when_told_to() -> None:
    dispatch = DispatchFactory(accepted=True)
    for _ in range(2):
        NoticeFactory(notified=True, provider=dispatch.contact.provider, dispatch=dispatch)

    assert dispatch.lines.count() == 2


@pytest.mark.django_db
def test_the_other_rows_can_be_made() -> None:
    NetworkFactory()
    ContactFactory(suspended=True)
    SightingFactory()
    StepFactory(code="reminder-1", notice=NoticeFactory(notified=True))
    ReportLineFactory(raw="https://forum.example/1")
    ReportLineFactory(quarantined=True)
    DispatchFactory(parked=True)
    for role in (
        "intake",
        "analyst",
        "lead",
        "notice_desk",
        "contact_manager",
        "supervisor",
        "auditor",
        "functional_admin",
        "provider_contact",
        "provider_admin",
    ):
        UserFactory(**{role: True})
    key, secret = api_key()
    assert secret.startswith(key.prefix)
