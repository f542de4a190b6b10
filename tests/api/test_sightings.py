"""Checks out, sightings in."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Scope
from cases.models import Notice, Sighting, Vantage
from tests.api.test_notices import SECRET, Machine
from tests.factories import HOUR, NoticeFactory, ProviderFactory, SightingFactory

DUE = "/api/v1/checks/due/"
SIGHTINGS = "/api/v1/sightings/"


@pytest.fixture
def checker(db: None) -> Machine:
    """The checker's key."""
    return Machine(Scope.SIGHTINGS_WRITE)


def waiting(at: datetime | None = None, **fields: Any) -> Notice:
    """A notice whose check is due."""
    return NoticeFactory(notified=True, notified_at=at or timezone.now() - HOUR, **fields)


def seen(notice: Notice, at: datetime, outcome: str = "gone", **more: Any) -> dict[str, Any]:
    """A sighting as the checker writes it."""
    return {
        "notice": notice.reference,
        "seen_at": at.isoformat(),
        "outcome": outcome,
        "vantage": "checker-nl",
    } | more


def test_due_checks_are_handed_out_oldest_first_and_to_one_checker_only(checker: Machine) -> None:
    younger, older = waiting(), waiting(timezone.now() - 2 * HOUR, content__url=SECRET)
    waiting(next_check_at=timezone.now() + HOUR)
    answer = checker.get(DUE)
    assert answer.status_code == 200
    first, second = answer.json()["checks"]
    assert (first["notice"], second["notice"]) == (older.reference, younger.reference)
    assert first["url"] == SECRET
    assert "expect_digest" not in first
    assert datetime.fromisoformat(first["lease_until"]) > timezone.now()
    assert Machine(Scope.SIGHTINGS_WRITE).get(DUE).json() == {"checks": []}


def test_the_first_page_that_was_seen_is_what_later_looks_are_compared_with(checker: Machine) -> None:
    notice = waiting()
    for minutes, digest in ((1, "a" * 64), (2, "b" * 64)):
        SightingFactory(
            notice=notice, seen_at=timezone.now() - HOUR + timedelta(minutes=minutes), digest=digest
        )
    (check,) = checker.get(DUE).json()["checks"]
    assert check["expect_digest"] == "a" * 64


def test_as_many_are_handed_out_as_were_asked_for(checker: Machine) -> None:
    for _ in range(3):
        waiting()
    assert len(checker.get(DUE, {"limit": 2}).json()["checks"]) == 2
    assert len(checker.get(DUE, {"limit": 500}).json()["checks"]) == 1


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=-1", "limit=1_0", "limit=٣", "limit=x", "limit=1&limit=2", "n=1"]
)
def test_a_limit_is_one_number_of_1_to_500(checker: Machine, query: str) -> None:
    notice = waiting()
    answer = checker.get(f"{DUE}?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert Notice.objects.get(pk=notice.pk).check_leased_until is None


def test_a_checker_may_say_where_it_looks_from(checker: Machine) -> None:
    waiting()

    assert len(checker.get(f"{DUE}?vantage=Delft%20%2F%20NL").json()["checks"]) == 1
    assert checker.get(f"{DUE}?vantage=").status_code == 400
    assert checker.get(f"{DUE}?vantage={'x' * 61}").status_code == 400
    assert Vantage.objects.get(name="Delft / NL").asked_at is not None


def test_a_provider_learns_nothing_about_checks(db: None) -> None:
    machine = Machine(provider=ProviderFactory())
    notice = waiting()
    assert machine.get(DUE).status_code == 403
    assert machine.post(SIGHTINGS, {"sightings": [seen(notice, timezone.now())]}).status_code == 403
    assert not Sighting.objects.exists()


def test_three_looks_that_say_gone_remove_a_notice(checker: Machine) -> None:
    notice, start = waiting(), timezone.now() - timedelta(minutes=30)
    looks = [seen(notice, start + timedelta(minutes=minutes)) for minutes in (0, 5, 10)]
    answer = checker.post(SIGHTINGS, {"sightings": looks})
    assert answer.status_code == 200
    assert answer.json() == {"results": [{"notice": notice.reference, "outcome": "recorded"}] * 3}
    after = Notice.objects.get(pk=notice.pk)
    assert (after.state, after.gone_since) == (Notice.State.REMOVED, start)


def test_a_report_that_is_sent_again_counts_once(checker: Machine) -> None:
    notice = waiting()
    body = {"sightings": [seen(notice, timezone.now() - timedelta(minutes=5), "online", http_status=200)]}
    assert checker.post(SIGHTINGS, body).json()["results"][0]["outcome"] == "recorded"
    assert checker.post(SIGHTINGS, body).json()["results"][0]["outcome"] == "known"
    assert Sighting.objects.count() == 1


def test_what_cannot_be_taken_is_refused_by_line(checker: Machine) -> None:
    notice, now = waiting(), timezone.now()
    stranger = seen(notice, now) | {"notice": "N-0000000000"}
    body = {"sightings": [stranger, seen(notice, now + HOUR), seen(notice, now - timedelta(minutes=5))]}
    results = checker.post(SIGHTINGS, body).json()["results"]
    assert [each["outcome"] for each in results] == ["refused", "refused", "recorded"]
    assert results[0]["reason"] == "There is no such notice."


LOOK = {"notice": "N-0000000000", "seen_at": "2026-01-05T12:00:00Z", "outcome": "gone", "vantage": "nl"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"sightings": []}, "#/sightings"),
        ({"sightings": [LOOK] * 501}, "#/sightings"),
        ({"sightings": [LOOK], "more": 1}, "#/more"),
        ({"sightings": [LOOK | {"state": "removed"}]}, "#/sightings/0/state"),
        ({"sightings": [LOOK | {"outcome": "vanished"}]}, "#/sightings/0/outcome"),
        ({"sightings": [LOOK | {"seen_at": "2026-01-05T12:00:00"}]}, "#/sightings/0/seen_at"),
        ({"sightings": [LOOK | {"http_status": "200"}]}, "#/sightings/0/http_status"),
        ({"sightings": [LOOK | {"http_status": True}]}, "#/sightings/0/http_status"),
        ({"sightings": [LOOK | {"http_status": 200.0}]}, "#/sightings/0/http_status"),
        ({"sightings": [LOOK | {"http_status": 99}]}, "#/sightings/0/http_status"),
        ({"sightings": [LOOK | {"http_status": 10**20}]}, "#/sightings/0/http_status"),
        ({"sightings": [LOOK | {"digest": "zz"}]}, "#/sightings/0/digest"),
        ({"sightings": [LOOK | {"vantage": ""}]}, "#/sightings/0/vantage"),
        ({"sightings": [LOOK | {"vantage": "x" * 61}]}, "#/sightings/0/vantage"),
        ({"sightings": [LOOK | {"note": "x" * 1_001}]}, "#/sightings/0/note"),
    ],
)
def test_a_report_of_another_shape_is_refused_where_it_is_wrong(
    checker: Machine, body: Any, pointer: str
) -> None:
    answer = checker.post(SIGHTINGS, body)
    assert answer.status_code == 400
    said = {error["pointer"] for error in answer.json().get("errors", [])}
    assert pointer in said or "20" in answer.json()["detail"] or "large" in answer.json()["detail"]
    assert not Sighting.objects.exists()


def test_handing_out_five_checks_asks_the_database_as_often_as_one(
    checker: Machine, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    checker.get(DUE)
    for _ in range(5):
        waiting()
    # Key, how often (3), begin, lease, who asked, commit.
    with django_assert_num_queries(8):
        assert len(checker.get(DUE).json()["checks"]) == 5
