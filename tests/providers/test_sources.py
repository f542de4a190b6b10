"""What every source of attribution keeps to, whoever adds the next one."""

import dataclasses
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from providers.models import Attribution
from providers.routes import import_routes
from providers.sources import SOURCES
from providers.sources.finding import ADDRESS, HOST, Finding, Source
from tests.factories import (
    NOON,
    SYSTEM,
    AsnRuleFactory,
    HolderRuleFactory,
    HostRuleFactory,
    NetworkFactory,
    RegistrationFactory,
)

every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.code)
#: What the world below knows, and what nobody knows.
KNOWN = {HOST: "img.forum.example", ADDRESS: "192.0.2.10"}
UNKNOWN = {HOST: "nobody.example", ADDRESS: "203.0.113.9"}


@pytest.fixture
def registries_asked(settings: Settings) -> None:
    """RDAP is on."""
    settings.HOST = dataclasses.replace(settings.HOST, rdap="on")


@pytest.fixture
def world(registries_asked: None, db: None, tmp_path: Path) -> None:
    """Every source knows something."""
    RegistrationFactory()
    HolderRuleFactory()
    HostRuleFactory(pattern="forum.example")
    NetworkFactory()
    AsnRuleFactory()
    path = tmp_path / "routes.txt"
    path.write_text("192.0.2.0 24 64500\n2001:db8:: 32 64500\n")
    import_routes([path], source="collector", by=SYSTEM, now=NOON)


def test_a_persons_word_on_a_host_comes_before_all_that_is_known_of_addresses() -> None:
    assert [source.about for source in SOURCES] == sorted((source.about for source in SOURCES), reverse=True)
    assert len({source.code for source in SOURCES}) == len(SOURCES)
    # Nobody after it would hear of what it was not asked about.
    assert not any(source.is_last_resort for source in SOURCES[:-1])


@every_source
def test_a_source_has_a_word_in_the_records(source: Source) -> None:
    assert source.code in Attribution.Source.values
    assert source.code != Attribution.Source.NONE
    assert source.about in {HOST, ADDRESS}


@every_source
def test_a_source_answers_in_the_order_of_the_question(source: Source, world: None) -> None:
    known, unknown = KNOWN[source.about], UNKNOWN[source.about]
    answers = source.ask([unknown, known, unknown, known])

    assert len(answers) == 4
    assert [answer is not None for answer in answers] == [False, True, False, True]
    assert answers[1] == answers[3]


@every_source
def test_a_source_explains_itself_and_says_how_sure_it_is(source: Source, world: None) -> None:
    (answer,) = source.ask([KNOWN[source.about]])

    assert isinstance(answer, Finding)
    assert answer.source == source.code
    assert answer.confidence in Attribution.Confidence.values
    assert answer.provider is not None
    assert answer.country == "NL"
    assert len(answer.said) > 20


@every_source
def test_a_source_without_anything_knows_nothing(source: Source, registries_asked: None, db: None) -> None:
    assert list(source.ask([KNOWN[source.about]])) == [None]
    assert list(source.ask([])) == []


@every_source
def test_a_source_asks_the_database_as_often_for_many_as_for_few(source: Source, world: None) -> None:
    def queries(count: int) -> int:
        names = [KNOWN[source.about], *(f"192.0.2.{n}" for n in range(1, count))]
        with CaptureQueriesContext(connection) as asked:
            list(source.ask(names))
        return len(asked)

    queries(2)  # what it holds in memory is read once
    assert queries(2) == queries(200) <= 2
