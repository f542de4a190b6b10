"""The most specific prefix: against trying them all, at every edge of every prefix."""

import random
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest

from providers.prefixes import NOWHERE, PrefixTable


def _networks(seed: int) -> list[IPv4Network | IPv6Network]:
    """Nested, touching and overlapping ones of every length, in no order."""
    chance = random.Random(seed)
    few_bits = 0xFF << 120 | 0xFF << 56 | 0xFF  # so that many share their beginnings
    four = {IPv4Network((chance.getrandbits(32), chance.randrange(33)), strict=False) for _ in range(150)}
    six = {
        IPv6Network((chance.getrandbits(128) & few_bits, length), strict=False)
        for length in [0, 1, 16, 63, 64, 65, 127, 128, *(chance.randrange(129) for _ in range(150))]
    }
    return [*four, *six, ip_network("255.255.255.255/32"), ip_network("ffff::/16")]


def _edges(network: IPv4Network | IPv6Network) -> list[str]:
    """Its first and last address, and those before and after it."""
    first, last = int(network.network_address), int(network.broadcast_address)
    make = IPv4Address if network.version == 4 else IPv6Address
    return [str(make(n)) for n in (first - 1, first, last, last + 1) if 0 <= n < 1 << network.max_prefixlen]


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_trying_them_all_finds(seed: int) -> None:
    networks = _networks(seed)
    addresses = [address for network in networks for address in _edges(network)]
    table, order = PrefixTable.of([str(network) for network in networks])

    for address, place in zip(addresses, table.find(addresses), strict=True):
        at = ip_address(address)
        best = max((n for n in networks if at in n), key=lambda n: n.prefixlen, default=None)
        if best is None:
            assert place == NOWHERE
        else:
            assert (table.prefix(int(place)), networks[order[place]]) == (str(best), best)
    assert len(table) == len(networks)


def test_an_empty_table_knows_nothing_and_an_empty_question_has_an_empty_answer() -> None:
    table, _order = PrefixTable.of([])

    assert list(table.find(["192.0.2.1", "2001:db8::1"])) == [NOWHERE, NOWHERE]
    assert list(PrefixTable.of(["192.0.2.0/24"])[0].find([])) == []


@pytest.mark.parametrize("text", ["", "forum.example", "192.0.2.256", "2001:db8::g", "192.0.2.0/24"])
def test_what_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no IP address"):
        PrefixTable.of(["192.0.2.0/24"])[0].find([text])
