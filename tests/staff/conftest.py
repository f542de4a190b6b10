"""The staff, logged in."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import STAFF_ROLES, Role
from tests.factories import UserFactory

Browser = Callable[[User], Client]


@pytest.fixture
def browser() -> Browser:
    """The browser of a person. It sends no CSRF token."""

    def of(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return of


@pytest.fixture
def analyst(db: None) -> User:
    """Judges notices."""
    return UserFactory(analyst=True, name="Noor")


@pytest.fixture
def lead(db: None) -> User:
    """Judges, and settles where two judgements differ."""
    return UserFactory(lead=True, name="Jip")


@pytest.fixture
def supervisor(db: None) -> User:
    """Sees to what is overdue."""
    return UserFactory(supervisor=True, name="Sam")


@pytest.fixture
def notice_desk(db: None) -> User:
    """Sees that messages leave, arrive and are answered."""
    return UserFactory(notice_desk=True, name="Fenna")


@pytest.fixture
def contact_manager(db: None) -> User:
    """Keeps who hosts what, and where to write."""
    return UserFactory(contact_manager=True, name="Teun")


@pytest.fixture
def auditor(db: None) -> User:
    """Reads the record."""
    return UserFactory(auditor=True, name="Isa")


@pytest.fixture
def functional_admin(db: None) -> User:
    """Manages people, keys and terms; sees no case."""
    return UserFactory(functional_admin=True, name="Robin")


@pytest.fixture
def everyone(db: None) -> User:
    """Somebody with all roles of the staff, who sees every page."""
    person: User = UserFactory(roles=sorted(STAFF_ROLES), email="all@hotline.example", name="Noor de Vries")
    return person


@pytest.fixture
def everybody(db: None) -> dict[Role, User]:
    """One person of each role."""
    return {
        Role.INTAKE: UserFactory(intake=True),
        Role.ANALYST: UserFactory(analyst=True),
        Role.LEAD: UserFactory(lead=True),
        Role.NOTICE_DESK: UserFactory(notice_desk=True),
        Role.CONTACT_MANAGER: UserFactory(contact_manager=True),
        Role.SUPERVISOR: UserFactory(supervisor=True),
        Role.AUDITOR: UserFactory(auditor=True),
        Role.FUNCTIONAL_ADMIN: UserFactory(functional_admin=True),
        Role.PROVIDER_MEMBER: UserFactory(provider_contact=True),
        Role.PROVIDER_ADMIN: UserFactory(provider_admin=True),
    }


@pytest.fixture
def at_work(browser: Browser, analyst: User) -> Client:
    """The analyst's browser."""
    return browser(analyst)


@pytest.fixture
def in_charge(browser: Browser, supervisor: User) -> Client:
    """The supervisor's browser."""
    return browser(supervisor)


@pytest.fixture
def sending(browser: Browser, notice_desk: User) -> Client:
    """The notice desk's browser."""
    return browser(notice_desk)


@pytest.fixture
def keeping(browser: Browser, contact_manager: User) -> Client:
    """The contact manager's browser."""
    return browser(contact_manager)
