"""The sweeps wake the services, leave a beat, and can be run by hand without a broker."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from audit.models import Link
from cases import tasks
from cases.clock import database_now
from cases.models import Beat, Dispatch, Notice, Step
from tests.conftest import FixedResolver
from tests.factories import AttributionFactory, ContactFactory, NoticeFactory
from tests.mailserver import MailServer

HOUR = timedelta(hours=1)


def test_the_databases_clock_is_now_and_in_utc(db: None) -> None:
    assert abs(database_now() - timezone.now()) < timedelta(seconds=5)
    assert database_now().utcoffset() == timedelta(0)


def test_every_sweep_is_woken_by_the_clock_and_expires_with_its_period() -> None:
    schedule = settings.CELERY["beat_schedule"]

    assert {f"cases.tasks.{task.__name__}" for task in tasks.SWEEPS.values()} == {
        each["task"] for each in schedule.values()
    }
    for each in schedule.values():
        assert each["options"]["expires"] <= max(settings.HOST.sweep_every.total_seconds(), 1)


@pytest.mark.django_db
@pytest.mark.parametrize("skew", [2 * HOUR, -2 * HOUR], ids=["ahead", "behind"])
def test_a_server_whose_clock_is_wrong_neither_hurries_nor_delays_the_end_of_a_term(
    skew: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = database_now()
    ends_soon = NoticeFactory(notified=True, notified_at=now - 23 * HOUR)
    ended = NoticeFactory(notified=True, notified_at=now - 25 * HOUR)
    monkeypatch.setattr(timezone, "now", lambda: database_now() + skew)

    tasks.sweep_deadlines()
    tasks.sweep_steps()

    states = dict(Notice.objects.values_list("pk", "state"))
    assert states == {ends_soon.pk: Notice.State.NOTIFIED, ended.pk: Notice.State.ESCALATED}
    hint = Step.objects.get(notice=ends_soon, code="hint")
    assert hint.taken_at is not None
    assert abs(hint.taken_at - now) < timedelta(minutes=1)
    assert not Step.objects.filter(taken_at__lt=F("due_at")).exists()


@pytest.mark.django_db(transaction=True)
def test_one_pass_by_hand_takes_a_notice_from_judged_to_its_provider_and_an_old_one_up_the_ladder(
    mail_server: MailServer, static_resolver: FixedResolver, capsys: pytest.CaptureFixture[str]
) -> None:
    now = timezone.now()
    contact = ContactFactory(approved=True, known_since=now, approved_at=now - HOUR)
    place = AttributionFactory(provider=contact.provider, at=now)
    fields = {"provider": contact.provider, "attribution": place}
    fresh = NoticeFactory(
        assessed=True, urgent=True, received_at=now - 2 * HOUR, assessed_at=now - HOUR, **fields
    )
    old = NoticeFactory(notified=True, notified_at=now - 25 * HOUR, last_seen_online_at=now, **fields)

    call_command("sweep", "all")

    assert Notice.objects.get(pk=fresh.pk).state == Notice.State.NOTIFIED
    assert Notice.objects.get(pk=old.pk).state == Notice.State.ESCALATED
    assert Step.objects.get(notice=old, code="reminder-1").outcome == Step.Outcome.REMINDED
    assert Link.objects.exists()
    assert set(Beat.objects.values_list("name", flat=True)) == {
        task.__name__ for task in tasks.SWEEPS.values()
    }
    assert "routes: done" in capsys.readouterr().out

    call_command("sweep", "dispatches")
    assert Dispatch.objects.get(kind="reminder").state == Dispatch.State.ACCEPTED
    assert len(mail_server.accepted) == 2
