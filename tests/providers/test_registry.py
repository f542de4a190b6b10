"""Registries are asked last, a little at a time, and name nobody by themselves."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from providers import services
from providers.fetch import Answer, Fetcher, NoAnswer
from providers.models import Attribution, Contact, Provider, Registration, RegistryIndex, RegistryQuestion
from providers.rdap import Unreadable, asking, read
from providers.rdap.index import Servers
from providers.rdap.questions import ASK_EVERY, HOLDS_FOR, want
from providers.routes import import_routes
from providers.routing import attribute
from providers.services.registry import BATCH, PER_SERVER, SLICE, ask_due
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AsnRuleFactory,
    ContactFactory,
    HolderRuleFactory,
    HostRuleFactory,
    NetworkFactory,
    ProviderFactory,
    RegistrationFactory,
)
from tests.hostile import Behaviour, breaks_after, drips, floods, says
from tests.registry import HOLDER, Registry, entity, network, tells

ADDRESS = "203.0.113.9"  # of which nothing but the registry knows
BY: dict[str, Any] = {"by": SYSTEM, "now": NOON}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def registry(settings: Settings, db: None) -> Iterator[Registry]:
    """The one server that is asked."""
    with Registry() as running:
        settings.HOST = dataclasses.replace(settings.HOST, rdap=running.base)
        yield running


@pytest.fixture
def found(static_resolver: FixedResolver) -> Callable[..., Attribution]:
    """What is kept of a look-up of unknown.example."""
    static_resolver.know("unknown.example", ADDRESS)

    def look(now: datetime = NOON) -> Attribution:
        made = attribute(["unknown.example"], resolver=static_resolver, by="system:test", now=now)
        return Attribution.objects.get(pk=made["unknown.example"].pk)

    return look


def decided(place: Attribution) -> tuple[str, str]:
    """(code of the provider, by which source)."""
    return place.provider.code if place.provider else "", place.source


def ask(registry: Registry, now: datetime = NOON) -> int:
    """One sweep."""
    fetcher = Fetcher(also={("127.0.0.1", registry.port)})
    return ask_due(fetcher=fetcher, by=SYSTEM, clock=lambda: now)


# -- what it says ------------------------------------------------------------------------------------------


def said(**other: Any) -> bytes:
    return json.dumps(network(**other)).encode()


def test_of_an_answer_the_network_its_holder_and_the_mailbox_for_abuse_are_kept() -> None:
    answer = read(said(), ADDRESS)

    assert (str(answer.prefix), answer.name, answer.country) == ("203.0.113.0/24", "BETA-NET", "NL")
    # The organisation, not the account that maintains its entry; the mailbox of an entity within it.
    assert (answer.holder_handle, answer.holder_name) == (HOLDER, "Beta Hosting B.V.")
    assert answer.abuse_mailbox == "abuse@beta.example"


def test_of_a_range_that_is_no_prefix_the_part_around_the_address_is_kept() -> None:
    answer = read(said(startAddress="203.0.113.4", endAddress="203.0.113.20"), ADDRESS)
    assert str(answer.prefix) == "203.0.113.8/29"
    six = read(
        said(startAddress="2001:db8::", endAddress="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), "2001:db8::1"
    )
    assert str(six.prefix) == "2001:db8::/32"


@pytest.mark.parametrize(
    "other",
    [
        {"startAddress": "198.51.100.0", "endAddress": "198.51.100.255"},
        {"startAddress": "0.0.0.0", "endAddress": "255.255.255.255"},
        {"startAddress": "2001:db8::", "endAddress": "2001:db8::ffff"},
    ],
)
def test_an_answer_about_another_network_is_not_an_answer(other: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as fault:
        read(said(**other), ADDRESS)
    assert fault.value.is_elsewhere


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"null", b"[]", b'{"objectClassName": "domain"}', b"\xff\xfe", b"[" * 100_000, b"1" * 10_000,
        said(startAddress=None), said(startAddress="203.0.113.9", endAddress="203.0.113.1"), said(endAddress=[1]),
        said(startAddress="x"), said()[:-5],
    ],
)  # fmt: skip
def test_what_is_no_ip_network_is_not_read(body: bytes) -> None:
    with pytest.raises(Unreadable) as fault:
        read(body, ADDRESS)
    assert not fault.value.is_elsewhere


def test_what_a_registry_writes_is_kept_short_printable_and_only_where_it_is_what_it_should_be() -> None:
    nested: Any = entity("DEEP", "abuse", fn="x", email="deep@beta.example")
    for _ in range(50):
        nested = entity("LEVEL", "technical", fn="x", entities=[nested])
    answer = read(
        said(
            name="N\0A\u202e<script>\n" + "x" * 500,
            country="Nederland",
            handle=7,
            entities=[
                None,
                {"roles": "abuse", "vcardArray": "no"},
                entity("A", "abuse", fn="x", email="a@b.example\r\nBcc: c@d.example"),
                {
                    "roles": ["abuse"],
                    "vcardArray": ["vcard", [["email", {}, "text", ["a@b.example"]], 5, []]],
                },
                nested,
            ],
        ),
        ADDRESS,
    )

    assert answer.name.startswith("NA<script> xxx")
    assert len(answer.name) == 100
    assert (answer.country, answer.handle, answer.holder_handle, answer.abuse_mailbox) == ("", "", "", "")


# -- when it is asked --------------------------------------------------------------------------------------


def test_what_nobody_else_knows_waits_for_the_registry_and_is_asked_for_once(
    registry: Registry, found: Callable[..., Attribution]
) -> None:
    assert found().trouble == "asking"
    assert found().trouble == "asking"
    assert registry.heads == []  # looking up asks nobody

    assert ask(registry) == 1
    assert ask(registry) == 0

    assert registry.asked() == [f"/ip/{ADDRESS}"]
    assert "accept: application/rdap+json" in registry.heads[0].lower()
    assert not RegistryQuestion.objects.exists()
    kept = Registration.objects.get()
    assert (str(kept.prefix), kept.holder, kept.abuse_mailbox, kept.asked_at, kept.server) == (
        "203.0.113.0/24",
        f"Beta Hosting B.V. ({HOLDER})",
        "abuse@beta.example",
        NOON,
        "127.0.0.1",
    )


def test_a_registry_names_nobody_until_a_person_says_whose_its_holder_is(
    registry: Registry, found: Callable[..., Attribution]
) -> None:
    found()
    ask(registry)

    place = found()
    assert (place.provider, place.trouble, place.country) == (None, "no_holder_rule", "NL")
    assert place.why == (
        "Nobody has said which provider the holder is that the registry names."
        f" The registry has 203.0.113.0/24 (BETA-NET) for Beta Hosting B.V. ({HOLDER})."
    )

    rule = services.add_holder_rule(
        handle=HOLDER.lower(), provider_id=ProviderFactory(code="beta").pk, country="NL", reason="KvK", **BY
    )
    place = found()
    assert (place.provider, place.source, place.confidence, place.country) == (
        rule.provider,
        "rdap",
        "low",
        "NL",
    )
    assert place.why == (
        f"203.0.113.0/24 (BETA-NET) is where the registry has {ADDRESS}, for Beta Hosting B.V. ({HOLDER});"
        " a rule says whose that holder is: KvK"
    )


def test_a_rule_beats_the_table_and_the_table_beats_the_registry_and_each_explains_itself(
    registry: Registry, found: Callable[..., Attribution], tmp_path: Path
) -> None:
    found()
    ask(registry)
    HolderRuleFactory(handle=HOLDER, provider=ProviderFactory(code="by-registry"))
    assert decided(found()) == ("by-registry", "rdap")

    routes = tmp_path / "routes.txt"
    routes.write_text("203.0.113.0 24 64501\n")
    import_routes([routes], source="collector", **BY)
    assert found().source == "rdap"  # a table without a rule for the AS names nobody
    AsnRuleFactory(asn=64501, provider=ProviderFactory(code="by-table"))
    assert (*decided(found()), found().confidence) == ("by-table", "routes", "medium")
    assert "is the most specific route" in found().why

    NetworkFactory(prefix="203.0.112.0/23", asn=64501, provider=ProviderFactory(code="by-network"))
    assert (*decided(found()), found().confidence) == ("by-network", "network", "high")

    HostRuleFactory(pattern="unknown.example", provider=ProviderFactory(code="by-host"))
    assert decided(found()) == ("by-host", "host_rule")
    assert "A rule for this host" in found().why


def test_what_another_source_settles_is_not_asked_for(
    registry: Registry, static_resolver: FixedResolver, found: Callable[..., Attribution]
) -> None:
    NetworkFactory(prefix="203.0.113.0/24")
    HostRuleFactory(pattern="ruled.example")
    static_resolver.know("ruled.example", "198.51.100.1")

    found()
    attribute(["ruled.example"], resolver=static_resolver, by="system:test", now=NOON)

    assert not RegistryQuestion.objects.exists()


def test_switched_off_nobody_is_asked_and_nothing_that_was_said_counts(
    registry: Registry, found: Callable[..., Attribution], settings: Settings
) -> None:
    found()
    ask(registry)
    HolderRuleFactory(handle=HOLDER)
    assert found().source == "rdap"

    settings.HOST = dataclasses.replace(settings.HOST, rdap="")

    assert (found().source, found().trouble) == ("none", "no_network")
    assert not RegistryQuestion.objects.exists()
    with pytest.raises(services.Unfit):
        services.ask_about(provider_id=ProviderFactory().pk, **BY)


def test_one_network_is_asked_for_once_a_day_whichever_of_its_addresses_come_up(
    registry: Registry, found: Callable[..., Attribution]
) -> None:
    registry.otherwise = tells()
    want([ADDRESS, "203.0.113.10", "203.0.113.11"], now=NOON)
    assert ask(registry) == 1
    assert len(registry.heads) == 1
    assert not RegistryQuestion.objects.exists()

    HolderRuleFactory(handle=HOLDER)
    found(NOON + ASK_EVERY - MINUTE)
    assert not RegistryQuestion.objects.exists()
    # A day later it is asked again, and meanwhile what was said still counts.
    assert found(NOON + ASK_EVERY).source == "rdap"
    assert ask(registry, NOON + ASK_EVERY) == 1
    assert Registration.objects.count() == 2
    assert Registration.objects.get(is_newest=True).asked_at == NOON + ASK_EVERY


def test_what_was_said_a_week_ago_names_nobody(registry: Registry, found: Callable[..., Attribution]) -> None:
    RegistrationFactory(prefix="203.0.113.0/24", holder_handle=HOLDER, asked_at=NOON - HOLDS_FOR)
    HolderRuleFactory(handle=HOLDER)

    assert found(NOON - MINUTE).source == "rdap"
    assert (found().provider, found().trouble) == (None, "asking")


def test_a_smaller_network_that_is_gone_gives_way_to_the_larger_one(registry: Registry) -> None:
    for prefix in ("203.0.113.8/29", "203.0.113.128/25", "203.0.0.0/16"):
        RegistrationFactory(prefix=prefix, asked_at=NOON - 2 * ASK_EVERY)
    want([ADDRESS], now=NOON)
    ask(registry)

    newest = Registration.objects.filter(is_newest=True)
    assert {str(row.prefix) for row in newest} == {"203.0.113.0/24", "203.0.113.128/25", "203.0.0.0/16"}


# -- when it does not answer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "trouble"),
    [
        (drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), "too_slow"),
        (floods(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000), "too_large"),
        (breaks_after(b""), "no_answer"),
        (says(200, b"<html>"), "not_understood"),
        (says(200, said(), Content_Encoding="gzip"), "not_understood"),
        (says(500, b"oops"), "not_understood"),
        (says(302, Location="http://127.0.0.1:1/"), "refused"),
        (says(302, Location="https://10.0.0.1/"), "refused"),
        (tells(network(startAddress="198.51.100.0", endAddress="198.51.100.9")), "elsewhere"),
    ],
)
def test_a_registry_that_lies_or_drips_or_floods_stops_nothing_and_is_said(
    behaviour: Behaviour,
    trouble: str,
    registry: Registry,
    found: Callable[..., Attribution],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "_WITHIN", timedelta(seconds=0.3))
    registry.behaviours[f"/ip/{ADDRESS}"] = behaviour
    found()

    assert ask(registry) == 0

    question = RegistryQuestion.objects.get()
    assert (question.trouble, question.attempts, question.asked_at) == (trouble, 1, NOON)
    assert not Registration.objects.exists()
    assert found().trouble == "registry_silent"
    assert "no registry gave a usable answer" in found().why


def test_what_the_registry_knows_nothing_of_is_as_if_it_had_not_been_asked(
    registry: Registry, found: Callable[..., Attribution]
) -> None:
    registry.behaviours.clear()
    found()
    ask(registry)

    assert found().trouble == "no_network"
    assert RegistryQuestion.objects.get().due_at is None
    # On another day it is asked again.
    assert found(NOON + ASK_EVERY).trouble == "asking"
    ask(registry, NOON + ASK_EVERY)
    assert len(registry.heads) == 2


def test_a_silent_server_gets_one_question_a_sweep_and_each_question_three_tries(registry: Registry) -> None:
    registry.otherwise = registry.behaviours[f"/ip/{ADDRESS}"] = breaks_after(b"")
    want([ADDRESS, "203.0.113.10"], now=NOON)

    ask(registry)
    assert len(registry.heads) == 1
    assert sorted(RegistryQuestion.objects.values_list("attempts", flat=True)) == [0, 1]

    at = NOON
    for _ in range(10):
        at += timedelta(hours=1)
        ask(registry, at)
    assert list(RegistryQuestion.objects.values_list("attempts", "due_at")) == [(3, None), (3, None)]
    assert len(registry.heads) == 6


def test_a_server_that_wants_us_to_wait_is_left_alone_until_then(registry: Registry) -> None:
    registry.otherwise = registry.behaviours[f"/ip/{ADDRESS}"] = says(429, Retry_After="600")
    want([ADDRESS, "203.0.113.10", "198.51.100.1"], now=NOON)
    ask(registry)
    want(["198.51.100.2"], now=NOON + MINUTE)
    ask(registry, NOON + MINUTE)

    assert len(registry.heads) == 1
    assert set(RegistryQuestion.objects.values_list("due_at", flat=True)) == {NOON + timedelta(minutes=10)}

    registry.otherwise = tells(network(startAddress="198.51.100.0", endAddress="198.51.100.255"))
    registry.behaviours.clear()
    ask(registry, NOON + timedelta(minutes=10))
    assert Registration.objects.filter(prefix="198.51.100.0/24").exists()


def test_a_sweep_asks_a_bounded_number_and_leaves_the_rest_for_the_next(registry: Registry) -> None:
    registry.behaviours.clear()
    want([f"198.51.100.{n}" for n in range(BATCH + 10)], now=NOON)

    ask(registry)
    assert len(registry.heads) == PER_SERVER
    assert RegistryQuestion.objects.filter(due_at__lte=NOON).count() == BATCH + 10 - PER_SERVER
    ask(registry)
    ask(registry)
    assert RegistryQuestion.objects.filter(due_at=None).count() == BATCH + 10


def test_a_sweep_ends_with_its_time_and_what_it_did_not_come_to_waits(registry: Registry) -> None:
    want([ADDRESS, "198.51.100.1"], now=NOON)
    instants = iter([NOON, NOON, NOON + SLICE, NOON + SLICE])
    fetcher = Fetcher(also={("127.0.0.1", registry.port)})

    ask_due(fetcher=fetcher, by=SYSTEM, clock=lambda: next(instants))

    assert registry.asked() == ["/ip/198.51.100.1"]
    assert RegistryQuestion.objects.get(address=ADDRESS).due_at == NOON + SLICE


@pytest.mark.django_db(transaction=True)
def test_no_row_is_locked_while_a_registry_is_asked(registry: Registry) -> None:
    inside: list[bool] = []

    class Watched(Fetcher):
        def get(self, url: str, **how: Any) -> Answer:
            inside.append(connection.in_atomic_block)
            # What is under way is nobody else's.
            assert ask_due(fetcher=self, by=SYSTEM, clock=lambda: NOON) == 0
            return super().get(url, **how)

    want([ADDRESS], now=NOON)
    ask_due(fetcher=Watched(also={("127.0.0.1", registry.port)}), by=SYSTEM, clock=lambda: NOON)

    assert inside == [False]
    assert Registration.objects.count() == 1


# -- which server ------------------------------------------------------------------------------------------

INDEX = {
    "version": "1.0",
    "services": [
        [["192.0.2.0/24", "203.0.0.0/8"], ["http://plain.example/", "https://rdap.one.example/base"]],
        [["203.0.113.0/24"], ["https://rdap.two.example/"]],
        [["198.51.100.0/24"], ["http://only-plain.example/"]],
        "nonsense",
        [["not a prefix"], [5]],
    ],
}


class Iana(Fetcher):
    """Answers with the index, or does not."""

    def __init__(self, body: bytes | None) -> None:
        super().__init__()
        self.body, self.asked = body, 0

    def get(self, url: str, **how: Any) -> Answer:
        self.asked += 1
        if self.body is None:
            raise NoAnswer("nobody listens there")
        return Answer(200, {}, self.body, is_whole=True)


@pytest.mark.django_db
def test_the_server_is_that_of_the_most_specific_prefix_and_https() -> None:
    body = json.dumps(INDEX).replace("203.0.0.0/8", "203.0.0.0/16").encode()
    servers = Servers("", fetcher=Iana(body), now=NOON)

    assert servers.of("192.0.2.1") == "https://rdap.one.example/base/"
    assert servers.of("203.0.113.1") == "https://rdap.two.example/"
    assert servers.of("203.0.112.1") == "https://rdap.one.example/base/"
    assert servers.of("198.51.100.1") == ""
    assert servers.of("10.0.0.1") == ""


@pytest.mark.django_db
def test_the_index_is_fetched_once_a_week_and_an_old_one_is_better_than_none() -> None:
    first = Iana(json.dumps(INDEX).encode())
    for days in (0, 0, 6):
        Servers("", fetcher=first, now=NOON + timedelta(days=days)).of("192.0.2.1")
    assert first.asked == 1

    for body in (None, b"<html>", b'{"services": {}}', b"[" * 100_000):
        later = Iana(body)
        servers = Servers("", fetcher=later, now=NOON + timedelta(days=8))
        assert servers.of("192.0.2.1") == "https://rdap.one.example/base/"
        assert (later.asked, RegistryIndex.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_an_address_of_no_registry_is_said_to_have_none(settings: Settings) -> None:
    settings.HOST = dataclasses.replace(settings.HOST, rdap="on")
    want(["198.51.100.1"], now=NOON)

    ask_due(fetcher=Iana(json.dumps(INDEX).encode()), by=SYSTEM, clock=lambda: NOON)

    assert RegistryQuestion.objects.get().trouble == "no_registry"


# -- what is made of it ------------------------------------------------------------------------------------


def test_the_mailbox_for_abuse_is_proposed_for_a_provider_that_we_know_and_approved_by_nobody(
    registry: Registry, found: Callable[..., Attribution]
) -> None:
    beta: Provider = HolderRuleFactory(handle=HOLDER, provider=ProviderFactory(code="beta")).provider
    found()
    ask(registry)

    contact = Contact.objects.get(provider=beta)
    assert (contact.address, contact.role, contact.channel, contact.added_by, contact.usable) == (
        "abuse@beta.example",
        "abuse",
        "smtp",
        "system:rdap",
        False,
    )
    # Once: what people have made of it since stays.
    services.approve_contact(contact_id=contact.pk, **BY)
    found(NOON + ASK_EVERY)
    ask(registry, NOON + ASK_EVERY)
    assert Contact.objects.get(provider=beta).approved_at == NOON


def test_a_provider_whose_networks_we_know_can_be_asked_about(registry: Registry) -> None:
    beta: Provider = NetworkFactory(prefix="203.0.113.8/29", provider=ProviderFactory(code="beta")).provider
    registry.behaviours["/ip/203.0.113.8"] = tells()

    assert services.ask_about(provider_id=beta.pk, **BY) == 0
    assert ask(registry) == 1
    assert [contact.address for contact in Contact.objects.filter(provider=beta)] == ["abuse@beta.example"]

    # What was said today is not asked again.
    Contact.objects.all().delete()
    assert services.ask_about(provider_id=beta.pk, **BY) == 1
    assert not RegistryQuestion.objects.exists()
    with pytest.raises(services.Unfit):
        services.ask_about(provider_id=ContactFactory(provider__code="gamma").provider_id, **BY)
