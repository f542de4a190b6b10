"""Which addresses may be reached, and which of them a name has.

ssrfguard holds the tables of IANA, checks each answer of a lookup, and connects to an address and never to a name.
What its tables call reachable and we do not (measured with 0.4.1) is refused here as well.
"""

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import ssrfguard
from ssrfguard import AddressTable, Block, BlockedAddressError, Policy, Reach

from providers.fetch.answer import NoAnswer, Refused
from providers.fetch.deadline import Deadline

Resolver = Callable[[str], Sequence[str]]

PORTS = frozenset({443, 8443})
TRIED_ADDRESSES = 3  # each has its share of the time that is left

_REFUSED_TOO = {
    "168.63.129.16/32": "Azure's own services",
    "3ffe::/16": "the 6bone, given back",
    # All that is not 2000::/3, and so every disguise of IPv4 that no table has an entry for.
    "::/3": "not global unicast",
    "4000::/2": "not global unicast",
    "8000::/1": "not global unicast",
}
# An address that carries another (6to4, NAT64, mapped) is refused whatever it carries, and so is every anycast
# service that belongs to nobody.
_TABLE = AddressTable(
    (
        *(replace(block, reach=Reach.DENIED) for block in ssrfguard.DEFAULT_DENIED.blocks),
        *(Block(ip_network(prefix), name, "", Reach.DENIED) for prefix, name in _REFUSED_TOO.items()),
    )
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # upper half of an interface identifier that hides IPv4
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

# A name server that never answers holds a thread for as long as the system's own limits say.
_LOOKUPS = threading.BoundedSemaphore(64)


class Rules(Policy):
    """The library's policy, and what a table of prefixes cannot say."""

    def check_address(
        self, address: str | IPv4Address | IPv6Address
    ) -> None:  # the library's name for it, asked for every answer and again before connecting
        super().check_address(address)
        parsed = ip_address(address) if isinstance(address, str) else address
        if isinstance(parsed, IPv6Address) and (
            parsed.scope_id is not None or (int(parsed) >> 32) & 0xFFFFFFFF in _ISATAP
        ):
            raise BlockedAddressError(str(parsed), "it is not an address on the Internet")


def _rules(schemes: set[str], ports: frozenset[int], allowed: tuple[IPv4Network | IPv6Network, ...]) -> Rules:
    return Rules(
        allowed_schemes=frozenset(schemes),
        denied_networks=_TABLE,
        allowed_networks=allowed,
        allowed_ports=ports,
        on_partial_block="reject",
        max_connection_attempts=TRIED_ADDRESSES,
    )


#: For everything, unless a developer's machine names it.
PUBLIC = _rules({"https"}, PORTS, ())


def loopback(port: int) -> Rules:
    """For a peer on this very machine: everything that is public, loopback, this port, and plain HTTP."""
    return _rules({"http", "https"}, frozenset({port}), _LOOPBACK)


def system_resolver(host: str) -> list[str]:
    """All addresses of a name by the resolver of this machine. Raises OSError or UnicodeError."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def look_up(
    target: ssrfguard.Target, rules: Rules, resolve: Resolver, deadline: Deadline
) -> tuple[ssrfguard.Address, ...]:
    """The addresses of a host, asked for once, each of them allowed. Raises Refused, NoAnswer or TooSlow."""
    if target.host.rstrip(".").endswith(".onion"):
        raise Refused("it is a name of Tor")  # RFC 7686: they must not leak into DNS
    answers = [target.host] if target.is_literal_address else _ask(resolve, target.host, deadline)
    if not answers:
        raise NoAnswer("the name leads to no address")
    try:
        return ssrfguard.resolve(target, policy=rules, resolver=lambda *_, **__: _rows(answers, target.port))
    except BlockedAddressError:
        raise Refused("it leads to an address that is not public") from None
    except ValueError:
        raise Refused("the resolver gave something that is no address") from None


def _rows(answers: Sequence[str], port: int) -> list[tuple[int, int, int, str, tuple[str | int, ...]]]:
    """In the shape of socket.getaddrinfo, which the library reads."""
    return [
        (socket.AF_INET6, socket.SOCK_STREAM, 0, "", (answer, port, 0, 0))
        if ip_address(answer).version == 6
        else (socket.AF_INET, socket.SOCK_STREAM, 0, "", (answer, port))
        for answer in answers
    ]


def _ask(resolve: Resolver, host: str, deadline: Deadline) -> Sequence[str]:
    """The resolver's answers, none when it fails. A thread of its own, since `getaddrinfo` knows no time limit."""
    if not _LOOKUPS.acquire(timeout=deadline.left_s()):
        raise NoAnswer("too many name servers are silent")
    answer: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(resolve(host))
        except (OSError, ValueError):
            answer.put(())
        finally:
            _LOOKUPS.release()

    threading.Thread(target=ask, name="fetch-resolver", daemon=True).start()
    try:
        return answer.get(timeout=deadline.left_s())
    except queue.Empty:
        raise deadline.passed() from None
