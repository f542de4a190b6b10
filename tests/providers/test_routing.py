"""Who hosts it: a person's rule first, then the most specific network, and always a reason."""

from datetime import timedelta

import pytest

from providers.models import Attribution, Provider
from providers.routing import attribute
from tests.conftest import FixedResolver
from tests.factories import NOON, HostRuleFactory, NetworkFactory, ProviderFactory


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
