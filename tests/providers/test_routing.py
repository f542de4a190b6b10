"""Who hosts it: a person's rule first, then the most specific network, and always a reason."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from providers.models import Attribution, Network, Provider, RoutingTable
from providers.routes import import_routes
from providers.routing import attribute
from tests.conftest import FixedResolver
from tests.factories import NOON, SYSTEM, AsnRuleFactory, HostRuleFactory, NetworkFactory, ProviderFactory


@pytest.fixture
def alfa(db: None) -> Provider:
    """The holder of 192.0.2.0/24."""
    provider: Provider = NetworkFactory().provider
    return provider


@pytest.fixture
def beta(db: None) -> Provider:
    """Another hoster."""
    provider: Provider = ProviderFactory(code="beta")
    return provider


def found(resolver: FixedResolver, host: str) -> Attribution:
    """What is kept of a look-up."""
    made = attribute([host], resolver=resolver, by="system:test", now=NOON)
    return Attribution.objects.get(pk=made[host].pk)


def test_a_host_belongs_to_the_network_of_its_address(alfa: Provider, static_resolver: FixedResolver) -> None:
    place = found(static_resolver, "forum.example")

    assert (place.provider, place.source, place.address, place.asn, place.country) == (
        alfa,
        "network",
        "192.0.2.10",
        64500,
        "NL",
    )
    assert place.host == "forum.example"
    assert place.at == NOON
    assert place.why == "192.0.2.0/24 (AS64500, ALFA-NET-1) is the most specific network of 192.0.2.10."


def test_the_most_specific_prefix_wins(
    alfa: Provider, beta: Provider, static_resolver: FixedResolver
) -> None:
    NetworkFactory(prefix="192.0.2.0/28", provider=beta, name="BETA-NET")
    NetworkFactory(prefix="192.0.0.0/16", provider=ProviderFactory(code="gamma"))

    assert found(static_resolver, "forum.example").provider == beta


def test_ipv6_counts_as_ipv4_does(alfa: Provider, beta: Provider, static_resolver: FixedResolver) -> None:
    NetworkFactory(prefix="2001:db8::/32", provider=beta)
    static_resolver.know("six.example", "2001:db8::1")

    assert found(static_resolver, "six.example").provider == beta


def test_all_addresses_are_kept_and_one_provider_for_all_is_an_answer(
    alfa: Provider, static_resolver: FixedResolver
) -> None:
    NetworkFactory(prefix="2001:db8::/32", provider=alfa)
    static_resolver.know("both.example", "192.0.2.9", "2001:db8::9", "198.51.100.1")
    place = found(static_resolver, "both.example")

    assert place.addresses == ["192.0.2.9", "2001:db8::9", "198.51.100.1"]
    assert place.provider == alfa


def test_addresses_of_two_providers_lead_to_nobody(
    alfa: Provider, beta: Provider, static_resolver: FixedResolver
) -> None:
    NetworkFactory(prefix="198.51.100.0/24", provider=beta)
    static_resolver.know("torn.example", "192.0.2.1", "198.51.100.1")
    place = found(static_resolver, "torn.example")

    assert (place.provider, place.source, place.trouble) == (None, "none", "several")
    assert place.why == "Its addresses are in networks of more than one provider."


def test_a_persons_rule_beats_the_network_and_covers_what_is_under_it(
    alfa: Provider, beta: Provider, static_resolver: FixedResolver
) -> None:
    HostRuleFactory(provider=beta, pattern="forum.example", reason="Their customer", country="DE")

    for host in ("forum.example", "img.forum.example", "a.b.forum.example"):
        place = found(static_resolver, host)
        assert (place.provider, place.source, place.country) == (beta, "host_rule", "DE")
        assert place.why == "A rule for this host or a domain above it: Their customer"
    assert found(static_resolver, "notforum.example").provider == alfa


def test_the_longest_rule_wins(alfa: Provider, beta: Provider, static_resolver: FixedResolver) -> None:
    HostRuleFactory(provider=alfa, pattern="forum.example")
    HostRuleFactory(provider=beta, pattern="img.forum.example")

    assert found(static_resolver, "x.img.forum.example").provider == beta
    assert found(static_resolver, "forum.example").provider == alfa


def test_a_rule_holds_also_for_a_host_that_leads_nowhere(
    beta: Provider, static_resolver: FixedResolver
) -> None:
    HostRuleFactory(provider=beta, pattern="forum.example")
    static_resolver.know("forum.example")

    assert found(static_resolver, "forum.example").provider == beta


@pytest.mark.parametrize("host", ["192.0.2.77", "[2001:db8::77]"])
def test_an_address_in_place_of_a_name_asks_no_name_server_for_the_truth(
    alfa: Provider, static_resolver: FixedResolver, host: str
) -> None:
    NetworkFactory(prefix="2001:db8::/32", provider=alfa)
    static_resolver.know(host, "198.51.100.9")

    assert found(static_resolver, host).address == host.strip("[]")


def test_a_rule_for_an_address_covers_that_address_only(
    alfa: Provider, beta: Provider, static_resolver: FixedResolver
) -> None:
    HostRuleFactory(provider=beta, pattern="192.0.2.77")

    assert found(static_resolver, "192.0.2.77").provider == beta
    assert found(static_resolver, "192.0.2.78").provider == alfa


@pytest.mark.parametrize(
    ("addresses", "trouble", "why"),
    [
        ((), "no_address", "The host name leads to no address."),
        (("203.0.113.1",), "no_network", "None of its addresses is in a network that we know."),
    ],
)
def test_nobody_found_says_why(
    alfa: Provider,
    static_resolver: FixedResolver,
    addresses: tuple[str, ...],
    trouble: str,
    why: str,
) -> None:
    static_resolver.know("lost.example", *addresses)
    place = found(static_resolver, "lost.example")

    assert (place.provider, place.trouble, place.why) == (None, trouble, why)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., RoutingTable]:
    """`table("192.0.2.0/24 64500", ...)` is imported; of several origins: "64500_64501"."""

    def bring(*routes: str) -> RoutingTable:
        path = tmp_path / "routes.txt"
        path.write_text("\n".join(route.replace("/", " ") for route in routes))
        return import_routes([path], source="collector", even_if_smaller=True, by=SYSTEM, now=NOON)

    return bring


def test_a_route_and_a_rule_for_its_as_lead_to_a_provider(
    beta: Provider, static_resolver: FixedResolver, table: Callable[..., RoutingTable]
) -> None:
    imported = table("192.0.2.0/24 64499", "192.0.2.0/25 64500")
    AsnRuleFactory(asn=64500, provider=beta, country="DE", reason="Their own word")
    place = found(static_resolver, "forum.example")

    assert (place.provider, place.source, place.confidence) == (beta, "routes", "medium")
    assert (str(place.prefix), place.asn, place.origins) == ("192.0.2.0/25", 64500, [64500])
    assert (place.country, place.table, place.rule_reason) == ("DE", imported, "Their own word")
    assert place.why == (
        "192.0.2.0/25 (AS64500) is the most specific route to 192.0.2.10 (routing table collector 2026-11-24);"
        " a rule says whose that AS is: Their own word"
    )


def test_the_route_of_an_as_that_nobody_knows_is_kept_as_evidence(
    beta: Provider, static_resolver: FixedResolver, table: Callable[..., RoutingTable]
) -> None:
    table("192.0.2.0/24 64500")
    AsnRuleFactory(asn=64499, provider=beta)
    place = found(static_resolver, "forum.example")

    assert (place.provider, place.source, place.trouble, place.asn) == (None, "none", "no_asn_rule", 64500)
    assert place.why == (
        "Nobody has said whose the AS is that announces its network. 192.0.2.0/24 (AS64500) is the most specific"
        " route to 192.0.2.10 (routing table collector 2026-11-24)."
    )


@pytest.mark.parametrize(
    ("owners", "provider", "trouble"),
    [
        ({64500: "alfa", 64501: "alfa"}, "alfa", ""),
        ({64500: "alfa", 64501: "beta"}, None, "several_origins"),
        ({64500: "alfa"}, None, "several_origins"),
        ({}, None, "no_asn_rule"),
    ],
    ids=["all of one", "of two", "one unknown", "all unknown"],
)
def test_a_route_of_several_ases_leads_somewhere_only_when_all_are_of_one_provider(
    db: None,
    static_resolver: FixedResolver,
    table: Callable[..., RoutingTable],
    owners: dict[int, str],
    provider: str | None,
    trouble: str,
) -> None:
    table("192.0.2.0/24 64500_64501")
    for asn, code in owners.items():
        AsnRuleFactory(asn=asn, provider=ProviderFactory(code=code))
    place = found(static_resolver, "forum.example")

    assert (place.provider and place.provider.code, place.trouble) == (provider, trouble)
    assert (place.asn, place.origins) == (None, [64500, 64501])
    assert "192.0.2.0/24 (AS64500, AS64501)" in place.why


def test_a_persons_word_on_a_network_beats_the_routing_table_and_says_when_they_differ(
    alfa: Provider, beta: Provider, static_resolver: FixedResolver, table: Callable[..., RoutingTable]
) -> None:
    AsnRuleFactory(asn=64501, provider=beta)
    table("192.0.2.0/25 64500")
    agreed = found(static_resolver, "forum.example")
    table("192.0.2.0/25 64501")
    differing = found(static_resolver, "forum.example")

    assert (agreed.provider, agreed.source, agreed.confidence) == (alfa, "network", "high")
    assert (differing.provider, differing.source, differing.confidence) == (alfa, "network", "medium")
    assert agreed.response_digest != differing.response_digest


def test_two_addresses_that_two_sources_lead_to_two_providers_lead_to_nobody(
    alfa: Provider, beta: Provider, static_resolver: FixedResolver, table: Callable[..., RoutingTable]
) -> None:
    table("2001:db8::/32 64501")
    AsnRuleFactory(asn=64501, provider=beta)
    static_resolver.know("torn.example", "192.0.2.1", "2001:db8::1")

    assert found(static_resolver, "torn.example").trouble == "several"


def test_a_rule_for_the_host_keeps_what_the_table_says_as_evidence(
    beta: Provider, static_resolver: FixedResolver, table: Callable[..., RoutingTable]
) -> None:
    table("192.0.2.0/25 64500")
    HostRuleFactory(provider=beta, pattern="forum.example", country="DE")
    place = found(static_resolver, "forum.example")

    assert (place.provider, place.source, place.country, place.confidence) == (
        beta,
        "host_rule",
        "DE",
        "high",
    )
    assert (str(place.prefix), place.asn) == ("192.0.2.0/25", 64500)


def test_a_change_of_a_rule_or_a_network_is_seen_at_the_next_look_up(
    alfa: Provider, beta: Provider, static_resolver: FixedResolver
) -> None:
    assert found(static_resolver, "forum.example").provider == alfa
    Network.objects.update(provider=beta)
    assert found(static_resolver, "forum.example").provider == beta
    Network.objects.all().delete()
    assert found(static_resolver, "forum.example").provider is None


def test_the_host_stands_sealed_and_every_look_up_is_a_row_of_its_own(
    alfa: Provider, static_resolver: FixedResolver
) -> None:
    first = found(static_resolver, "forum.example")
    static_resolver.know("forum.example", "198.51.100.1")
    attribute(["forum.example"], resolver=static_resolver, by="system:test", now=NOON + timedelta(hours=1))

    assert b"forum" not in bytes(first.host_sealed)
    assert Attribution.objects.get(pk=first.pk).address == "192.0.2.10"
    assert Attribution.objects.filter(host_key=first.host_key).count() == 2


def test_one_host_twice_is_looked_up_once(alfa: Provider, static_resolver: FixedResolver) -> None:
    attribute(["forum.example"] * 3, resolver=static_resolver, by="system:test", now=NOON)

    assert static_resolver.asked == ["forum.example"]
    assert Attribution.objects.count() == 1
