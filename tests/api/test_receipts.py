"""Receipts by machine: a provider's own, in the order in which they were signed."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.formats import signed_receipt
from cases.models import Notice, Verdict
from cases.services.answers import Answer, answer_many
from cases.services.observe import Seen, observe
from providers.models import Provider
from tests.api.test_notices import Machine
from tests.factories import SYSTEM, NoticeFactory, ProviderFactory
from vault.signing import signer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def alfa() -> Provider:
    """The provider whose machine asks."""
    return ProviderFactory(code="alfa")


@pytest.fixture
def machine(alfa: Provider) -> Machine:
    """Alfa's, with a key that reads."""
    return Machine("notices:read", provider=alfa)


def answered(provider: Provider, *outcomes: str) -> Notice:
    """A notice whose claim of an hour ago was answered, a minute after the other."""
    at = timezone.now() - timedelta(hours=1)
    notice: Notice = NoticeFactory(notified=True, provider=provider, notified_at=at - MINUTE)
    said = [Answer(notice.reference, "removed")]
    answer_many(provider_id=provider.pk, answers=said, by=SYSTEM, now=at)
    for number, outcome in enumerate(outcomes, start=1):
        seen = Seen(notice.reference, at + number * MINUTE, outcome, "checker-nl")
        observe(sightings=[seen], by=SYSTEM, now=at + number * MINUTE)
    return notice


def test_the_receipts_of_a_notice_come_with_what_checks_them(machine: Machine, alfa: Provider) -> None:
    notice = answered(alfa, "online", "gone")
    results = machine.get(f"/api/v1/notices/{notice.reference}/receipts/").json()["results"]

    assert [each["verdict"] for each in results] == ["still_reachable", "confirmed"]
    first = Verdict.objects.order_by("pk").first()
    assert first is not None
    assert results[0] == {
        "receipt": first.reference,
        "notice": notice.reference,
        "claimed_at": first.reply.at.isoformat().replace("+00:00", "Z"),
        "decided_at": first.at.isoformat().replace("+00:00", "Z"),
        "verdict": "still_reachable",
        "key_id": signer().key_id,
        "signed": first.receipt.signed,
        "address_key": signed_receipt.address_key(first.reference).hex(),
    }
    told = machine.get(f"/api/v1/notices/{notice.reference}/").json()
    assert told["claim_answer"] == "confirmed"


def test_a_providers_receipts_are_read_page_by_page_and_from_an_instant_on(
    machine: Machine, alfa: Provider
) -> None:
    for _ in range(3):
        answered(alfa, "online", "gone")
    answered(ProviderFactory(code="beta"), "gone")
    kept = list(Verdict.objects.filter(provider=alfa).order_by("at", "reference"))

    seen, address = [], "/api/v1/receipts/?page_size=4"
    while address:
        page = machine.get(address).json()
        seen += [each["receipt"] for each in page["results"]]
        address = page["next"]
    assert seen == [verdict.reference for verdict in kept]

    later = machine.get("/api/v1/receipts/", {"since": kept[3].at.isoformat()}).json()["results"]
    assert [each["receipt"] for each in later] == [v.reference for v in kept if v.at >= kept[3].at]


def test_anothers_receipts_are_those_of_no_notice(machine: Machine) -> None:
    foreign = answered(ProviderFactory(code="beta"), "gone")
    never: Any = machine.get("/api/v1/notices/N-0000000000/receipts/")
    answer = machine.get(f"/api/v1/notices/{foreign.reference}/receipts/")

    assert (answer.status_code, answer.content) == (404, never.content)
    assert machine.get("/api/v1/notices/x/receipts/").content == never.content
    assert machine.get("/api/v1/receipts/").json()["results"] == []


def test_receipts_are_for_keys_of_a_provider_that_read() -> None:
    for machine in (
        Machine("notices:read"),
        Machine("notices:answer", provider=ProviderFactory(code="beta")),
    ):
        assert machine.get("/api/v1/receipts/").status_code == 403
        assert machine.get("/api/v1/notices/N-0000000000/receipts/").status_code == 403


@pytest.mark.parametrize("place", ["p=hello", "p=2026-13-45", "p=%00", "o=1&p=x"])
def test_a_cursor_that_is_none_is_told_so(machine: Machine, alfa: Provider, place: str) -> None:
    answered(alfa, "gone")
    cursor = b64encode(place.encode()).decode()
    assert machine.get("/api/v1/receipts/", {"cursor": cursor}).status_code == 404
