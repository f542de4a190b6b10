"""People of two providers, logged in."""

import pytest
from django.test import Client

from accounts.models import User
from providers.models import Provider
from tests.factories import ProviderFactory, UserFactory


@pytest.fixture
def alfa(db: None) -> Provider:
    """The provider whose people look."""
    return ProviderFactory(code="alfa")


@pytest.fixture
def beta(db: None) -> Provider:
    """Another one."""
    return ProviderFactory(code="beta")


@pytest.fixture
def contact(alfa: Provider) -> User:
    """A contact of alfa."""
    return UserFactory(provider_contact=True, provider=alfa)


@pytest.fixture
def portal(contact: User) -> Client:
    """The contact's browser; it sends no CSRF token (one test has its own that does)."""
    client = Client()
    client.force_login(contact)
    return client
