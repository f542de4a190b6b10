"""Health says what is so, and nothing of the cases."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Scope
from audit.models import Event
from cases import tasks
from cases.models import Attempt, Beat, Step
from cases.services.beat import leave_beat
from cases.services.keep import keep
from cases.services.receive import Line
from takedown import health
from tests.factories import (
    SYSTEM,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    SourceFactory,
    StepFactory,
    api_key,
)

MINUTE = timedelta(minutes=1)
#: Who must beat.
SWEEPS: Any = django_settings.CELERY["beat_schedule"]


def ago(span: timedelta) -> datetime:
    """So long before now."""
    return timezone.now() - span


def all_beat(at: datetime) -> None:
    """Every sweep came to its end then."""
    for name in SWEEPS:
        leave_beat(name=name, now=at)


@pytest.fixture
def beating(db: None) -> None:
    """The sweeps run."""
    all_beat(timezone.now())


def ready(client: Client) -> dict[str, Any]:
    """What /readyz says."""
    answer = client.get("/readyz")
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_process_lives_whatever_else_does(client: Client) -> None:
    # No `db` fixture: a query would fail the test.
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_house_at_rest_is_ok(client: Client, beating: None) -> None:
    said = ready(client)
    assert said["status"] == "ok"
    assert said["checks"].keys() == {
        "database",
        "broker",
        "oldest_unsent_dispatch",
        "oldest_due_step",
        "oldest_due_check",
        "oldest_unread_report",
        "oldest_late_judgement",
        "oldest_late_arrival",
        "oldest_ended_hold",
        "last_beat",
    }


@pytest.mark.parametrize(
    ("minutes", "status", "alarm"), [(14, "ok", 0), (16, "degraded", 15), (61, "degraded", 60)]
)
def test_work_left_lying_raises_an_alarm_after_15_and_60_minutes(
    client: Client, beating: None, minutes: int, status: str, alarm: int
) -> None:
    lying = ago(minutes * MINUTE)
    DispatchFactory(created_at=lying, next_attempt_at=lying)
    notice = NoticeFactory(notified=True, notified_at=ago(timedelta(hours=2)), next_check_at=lying)
    StepFactory(notice=notice, code="call", due_at=lying)
    keep(source=SourceFactory(), way="file", lines=[Line("x")], digest=None, by=SYSTEM, now=lying)

    said = ready(client)
    assert said["status"] == status
    for name in ("oldest_unsent_dispatch", "oldest_due_step", "oldest_due_check", "oldest_unread_report"):
        check = said["checks"][name]
        assert (check["status"], check["alarm_min"]) == (status, alarm)
        assert abs(check["age_s"] - 60 * minutes) < 30


def test_a_message_that_keeps_failing_is_as_old_as_its_first_attempt(client: Client, beating: None) -> None:
    dispatch = DispatchFactory(next_attempt_at=timezone.now() + 30 * MINUTE, attempt=2)
    for number, minutes in ((1, 90), (2, 30)):
        Attempt.objects.create(dispatch=dispatch, number=number, started_at=ago(minutes * MINUTE))
    assert ready(client)["checks"]["oldest_unsent_dispatch"]["alarm_min"] == 60


def test_a_message_that_waits_for_a_person_or_for_its_window_is_not_late(
    client: Client, beating: None
) -> None:
    DispatchFactory(needs_approval=True, next_attempt_at=ago(90 * MINUTE))
    DispatchFactory(created_at=ago(90 * MINUTE), next_attempt_at=timezone.now() + MINUTE)
    assert ready(client)["status"] == "ok"


def test_a_term_that_ended_unrecorded_counts_as_a_step(client: Client, beating: None) -> None:
    NoticeFactory(notified=True, notified_at=ago(timedelta(hours=24, minutes=20)), next_check_at=None)
    Step.objects.update(taken_at=timezone.now())
    assert ready(client)["checks"]["oldest_due_step"]["alarm_min"] == 15


def test_sweeps_that_stop_are_seen_within_a_minute(client: Client, db: None) -> None:
    all_beat(ago(timedelta(seconds=30)))
    assert ready(client)["checks"]["last_beat"]["status"] == "ok"
    # One that hangs is enough, although the others go on.
    Beat.objects.filter(name="sweep_dispatches").update(at=ago(timedelta(seconds=59)))
    said = ready(client)
    assert (said["status"], said["checks"]["last_beat"]["status"]) == ("degraded", "degraded")
    assert 55 <= said["checks"]["last_beat"]["age_s"] <= 65


def test_sweeps_that_never_ran_are_not_taken_for_sweeps_that_run(client: Client, db: None) -> None:
    assert ready(client)["checks"]["last_beat"] == {"status": "degraded"}


def test_slow_sweeps_by_choice_are_not_late(client: Client, host: Callable[..., None], db: None) -> None:
    host(sweep_every=timedelta(seconds=60))
    all_beat(ago(timedelta(seconds=100)))
    assert ready(client)["status"] == "ok"


def test_every_sweep_leaves_its_beat(static_resolver: object, db: None) -> None:
    for sweep in tasks.SWEEPS.values():
        sweep()
    assert set(Beat.objects.values_list("name", flat=True)) == set(SWEEPS)
    assert set(Beat.objects.values_list("name", flat=True)) == {f"sweep_{name}" for name in tasks.SWEEPS}
    assert not Event.objects.exclude(act="retain").exists()  # the one daily run of retention


def test_a_broker_that_is_away_degrades_and_closes_nothing(
    client: Client, host: Callable[..., None], beating: None
) -> None:
    host(redis_url="redis://127.0.0.1:9/0")
    said = ready(client)
    assert (said["status"], said["checks"]["broker"]) == ("degraded", {"status": "down"})


def test_without_the_database_the_house_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> datetime:
        raise OperationalError("connection to server at 10.0.0.7 failed: password authentication failed")

    monkeypatch.setattr(health, "database_now", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    said = answer.json()
    assert said["status"] == said["checks"]["database"]["status"] == "down"
    assert "10.0.0.7" not in answer.content.decode()


def test_health_names_no_case_and_counts_none(client: Client, beating: None) -> None:
    references = [NoticeFactory(notified=True, notified_at=ago(MINUTE)).reference for _ in range(7)]
    for path in ("/readyz", "/metrics"):
        page = client.get(path).content.decode()
        assert not any(reference in page for reference in references)
        assert "example" not in page
    # Seven notices, and one more: no figure moves but the ages.
    before = {name: set(check) for name, check in ready(client)["checks"].items()}
    NoticeFactory(notified=True, notified_at=ago(MINUTE))
    assert {name: set(check) for name, check in ready(client)["checks"].items()} == before
    assert set().union(*before.values()) == {"status", "age_s", "alarm_min"}


def test_health_costs_few_queries(
    client: Client, beating: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Clock, messages, steps, terms, checks, reports, our own three clocks, beats.
    with django_assert_num_queries(10):
        ready(client)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_is_only_looked_at(client: Client, path: str, beating: None) -> None:
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200


# -- /metrics ----------------------------------------------------------------------------------------


def from_elsewhere(secret: str = "", address: str = "192.0.2.80", forwarded_for: str = "") -> Any:
    """What a caller from another machine gets."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    headers |= {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    return Client(headers=headers).get("/metrics", REMOTE_ADDR=address)


def test_figures_are_for_this_machine_and_for_our_keys(beating: None) -> None:
    _key, ours = api_key(Scope.NOTICES_READ)
    _key, theirs = api_key(provider=ProviderFactory())
    assert from_elsewhere(address="127.0.0.1").status_code == 200
    assert from_elsewhere(address="::1").status_code == 200
    assert from_elsewhere(ours).status_code == 200
    assert from_elsewhere().status_code == 401
    assert from_elsewhere(theirs).status_code == 401
    assert from_elsewhere("td_nonsense").status_code == 401


def test_a_proxy_on_this_machine_does_not_pass_for_it(
    settings: Settings, host: Callable[..., None], beating: None
) -> None:
    assert from_elsewhere(address="127.0.0.1", forwarded_for="192.0.2.80").status_code == 401
    assert from_elsewhere(forwarded_for="127.0.0.1").status_code == 401
    host(trusted_proxies=1)
    assert from_elsewhere(address="127.0.0.1").status_code == 401


def test_the_figures_are_in_the_words_of_prometheus(beating: None) -> None:
    DispatchFactory(next_attempt_at=ago(20 * MINUTE))
    answer = from_elsewhere(address="127.0.0.1")
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.content.decode().splitlines()
    assert "takedown_up 1" in lines
    assert 'takedown_check_ok{check="oldest_unsent_dispatch"} 0' in lines
    assert 'takedown_check_ok{check="database"} 1' in lines
    assert any(line.startswith('takedown_age_seconds{check="oldest_unsent_dispatch"} 1') for line in lines)


@pytest.mark.parametrize("which", ["mailbox", "replies"])
def test_a_mailbox_that_was_not_read_to_its_end_for_five_minutes_degrades(
    client: Client, beating: None, host: Callable[..., None], which: str
) -> None:
    from cases.intake.mailbox import server
    from cases.models import Mailbox
    from takedown.env import Mailbox as There

    there = There("127.0.0.1", 9, "us", "pw", "", "INBOX")
    host(**{which: there})
    assert ready(client)["checks"][which] == {"status": "degraded"}

    row = Mailbox.objects.create(name=server.name(there), read_at=ago(4 * MINUTE))
    assert ready(client)["checks"][which]["status"] == "ok"
    assert ready(client)["status"] == "ok"

    Mailbox.objects.filter(pk=row.pk).update(read_at=ago(6 * MINUTE))
    assert ready(client)["checks"][which]["status"] == "degraded"
