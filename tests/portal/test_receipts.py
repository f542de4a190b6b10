"""A provider's receipts: who may fetch them, and the keys that everybody may have."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.formats import signed_receipt
from cases.models import Notice, Verdict
from cases.services.answers import Answer, answer_many
from cases.services.observe import Seen, observe
from providers.models import Provider
from tests.factories import AMONG_OWN_ROWS, SYSTEM
from tests.portal.world import notified
from vault.signing import signer


def test_the_public_keys_are_for_everybody_and_may_be_kept() -> None:
    answer = Client().get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/jwk-set+json"
    assert answer["Cache-Control"] == "public, max-age=3600"
    (key,) = answer.json()["keys"]
    assert key["kid"] == signer().key_id
    assert set(key) == {"kty", "crv", "x", "use", "alg", "kid"}


@pytest.fixture
def verdict(alfa: Provider) -> Verdict:
    """A claim of alfa that a look confirmed."""
    notice = notified(provider=alfa)
    return answered(notice, "gone").verdicts.get()


def answered(notice: Notice, outcome: str) -> Notice:
    """The provider says that it is gone, and a second later a look is taken."""
    now = timezone.now()
    said = [Answer(notice.reference, "removed")]
    answer_many(provider_id=notice.provider_id, answers=said, by=SYSTEM, now=now - timedelta(minutes=1))
    observe(sightings=[Seen(notice.reference, now, outcome, "checker-nl")], by=SYSTEM, now=now)
    return Notice.objects.get(pk=notice.pk)


def test_a_receipt_is_a_file_that_is_the_same_each_time(portal: Client, verdict: Verdict) -> None:
    address = f"/portal/notices/{verdict.notice.reference}/receipts/{verdict.reference}/"
    first, second = portal.get(address), portal.get(address)

    assert first.content == second.content == verdict.receipt.signed.encode()
    assert first["Content-Type"] == "application/jwt"
    name = f"{verdict.notice.reference}-{verdict.reference}.jwt"
    assert first["Content-Disposition"] == f'attachment; filename="{name}"'
    page = portal.get(f"/portal/notices/{verdict.notice.reference}/").content.decode()
    assert address in page
    assert f"verify_receipt.py {name} jwks.json" in page
    assert signed_receipt.address_key(verdict.reference).hex() in page


def test_anothers_receipt_is_none_and_neither_is_one_under_another_notice(
    portal: Client, alfa: Provider, beta: Provider, verdict: Verdict
) -> None:
    foreign = answered(notified(provider=beta), "gone")
    own = notified(provider=alfa)
    never = portal.get(f"/portal/notices/{own.reference}/receipts/V-0000000000/")
    for notice, receipt in (
        (foreign, foreign.verdicts.get()),
        (own, foreign.verdicts.get()),
        (own, verdict),
    ):
        answer = portal.get(f"/portal/notices/{notice.reference}/receipts/{receipt.reference}/")
        assert (answer.status_code, answer.content) == (404, never.content)


@pytest.mark.parametrize(
    ("outcome", "says", "is_settled"),
    [
        ("gone", "no longer finds it", True),
        ("online", "still sees it", True),
        ("unknown", "cannot tell", False),
    ],
)
def test_a_page_asks_on_until_the_claim_is_answered(
    portal: Client, alfa: Provider, outcome: str, says: str, is_settled: bool
) -> None:
    notice = answered(notified(provider=alfa), outcome)
    answer = portal.get("/portal/claims/", {"notice": notice.reference})

    said = answer.content.decode()
    assert f'data-claim="{notice.reference}"' in said
    assert says in said
    assert ("data-settled" in said) is is_settled
    assert "<html" not in said


def test_who_asks_about_many_claims_hears_of_its_own_only_and_as_often_as_about_one(
    portal: Client, alfa: Provider, beta: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    own = [answered(notified(provider=alfa), "gone") for _ in range(3)]
    unclaimed, foreign = notified(provider=alfa), answered(notified(provider=beta), "gone")
    asked = [*own, unclaimed, foreign]
    query = {"notice": [notice.reference for notice in asked] + ["N-0", "'"], "as": "cell"}
    portal.get("/portal/claims/", query)

    with django_assert_num_queries(4 + AMONG_OWN_ROWS):  # the session, the person, the notices, the verdicts
        said = portal.get("/portal/claims/", query).content.decode()
    assert re.findall(r'data-claim="(N-\w+)"', said) == sorted(notice.reference for notice in own)
