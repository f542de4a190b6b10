"""What every test may ask for: the rows of the first migration, a mail server, a resolver."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models.signals import post_migrate
from django.utils import translation
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker, Settings

from providers.models import Attribution
from providers.sources.resolver import Answer
from takedown.env import Mail
from tests.browsing import running
from tests.mailserver import MailServer

if TYPE_CHECKING:
    from tests.mailbox import ImapServer

AUDIT_TABLES = ("audit_event", "audit_link")


def _first_rows(**_signal: Any) -> None:
    """What the migrations add and a flush between two tests removes."""
    from cases.models import DeadlineRule, MessageTemplate, Source, Term, Vocabulary
    from tests.factories import FIRST_RULE, FIRST_SOURCES

    DeadlineRule.objects.get_or_create(version=1, defaults=FIRST_RULE)
    for code, name in FIRST_SOURCES.items():
        Source.objects.get_or_create(code=code, defaults={"name": name})
    if not Vocabulary.objects.exists():
        words = "cases.migrations.0016_add_the_first_words_and_let_judgements_name_theirs"
        import_module(words).add_first_words(Vocabulary, Term)
    if not MessageTemplate.objects.exists():
        for name in (
            "0023_add_the_first_words_of_messages",
            "0039_carry_over_objections_and_word_that_a_message_waits",
        ):
            import_module(f"cases.migrations.{name}").add_first_words(MessageTemplate)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests that commit are cleaned up by TRUNCATE, which the audit refuses: lift only that, only here.

    After each such clean-up Django says post_migrate: the rows of the migrations come back then.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in AUDIT_TABLES:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass"
                " AND tgname LIKE 'pgtrigger_never_emptied%%'",
                [table],
            )
            (name,) = cursor.fetchone()
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')
        connection.close()
    post_migrate.connect(_first_rows, dispatch_uid="tests")
    yield
    post_migrate.disconnect(dispatch_uid="tests")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Tests read English, whatever the settings say; one that reads Dutch says so."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser."""
    with running() as started:
        yield started


@pytest.fixture
def host(settings: Settings) -> Callable[..., None]:
    """`host(grouping_window=..., relay_is_final_hop=True)`: what the environment says, for one test."""

    def say(**chosen: Any) -> None:
        settings.HOST = dataclasses.replace(django_settings.HOST, **chosen)

    return say


@pytest.fixture
def mail_server(host: Callable[..., None]) -> Iterator[MailServer]:
    """A real SMTP server as our relay, which is the providers' own (RELAY_IS_FINAL_HOP)."""
    server = MailServer()
    server.start()
    host(mail=Mail(host="127.0.0.1", port=server.port, user="", password="", tls=""), relay_is_final_hop=True)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def imap_process() -> "Iterator[ImapServer]":
    """A real IMAP server; each test empties it first."""
    from tests.mailbox import ImapServer

    server = ImapServer()
    server.start()
    yield server
    server.stop()


class FixedResolver:
    """Knows what it is told: `know(host, *addresses)`; every other host leads to 192.0.2.10."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    def know(self, host: str, *addresses: str) -> None:
        """From now on `host` leads there; without addresses, nowhere."""
        trouble = "" if addresses else str(Attribution.Trouble.NO_ADDRESS)
        self._answers[host] = Answer(addresses, trouble)

    def be_silent(self, host: str) -> None:
        """From now on the name servers of `host` do not answer."""
        self._answers[host] = Answer((), str(Attribution.Trouble.NO_ANSWER))

    def resolve(self, hosts: Iterable[str]) -> Mapping[str, Answer]:
        names = list(hosts)
        self.asked += names
        return {name: self._answers.get(name, Answer(("192.0.2.10",))) for name in names}


@pytest.fixture
def static_resolver(monkeypatch: pytest.MonkeyPatch) -> FixedResolver:
    """A resolver for services, and the one that the sweeps get."""
    fixed = FixedResolver()
    for module in ("cases.tasks", "providers.sources.resolver"):
        monkeypatch.setattr(f"{module}.resolver", lambda: fixed)
    return fixed
