"""A few hundred calls and visits that nobody should make; the drill of the same name makes twenty thousand."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.api import fuzzing
from tests.factories import NoticeFactory, ProviderFactory, UserFactory


@pytest.mark.django_db(transaction=True)
def test_the_api_does_what_its_description_says_and_refuses_the_rest(live_server: LiveServer) -> None:
    keys, findings = fuzzing.world(tenants=2), fuzzing.Findings()

    fuzzing.by_description(live_server.url, keys, findings, each=4)
    fuzzing.around(live_server.url, keys, findings, count=60)

    assert findings.wrong == {}
    assert findings.sent > 90


@pytest.mark.django_db
@pytest.mark.parametrize("count", [120, pytest.param(1_000, marks=pytest.mark.drill)])
def test_no_form_of_the_public_or_of_providers_stumbles(settings: Settings, count: int) -> None:
    settings.RATES = {
        door: dict.fromkeys(rates, (10**6, timedelta(hours=1))) for door, rates in settings.RATES.items()
    }
    provider = ProviderFactory(code="alfa")
    references = [
        NoticeFactory(provider=provider, **{state: True}).reference for state in ("notified", "removed")
    ]
    member, admin = Client(), Client()
    member.force_login(UserFactory(provider_contact=True, provider=provider))
    admin.force_login(UserFactory(provider_admin=True, provider=provider))

    findings = fuzzing.in_forms([Client(), member, admin], references, count)

    assert findings.wrong == {}
    assert findings.sent > count * 0.9
