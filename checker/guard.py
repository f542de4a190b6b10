"""Which addresses the checker may touch, and the connection to the very address that was checked.

A reported name is hostile: it may resolve to our own network, to the cloud's metadata service, or to
something else at the second question (DNS rebinding). So a name is resolved once, refused if any of its
answers is not public, and the socket is connected to the checked address, never to the name.
"""

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Sequence

from checker.wire import Deadline

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Own tables, because `is_global` of Python 3.11 says yes to 6to4, NAT64, multicast and 192.0.0.9.
# From the special-purpose registries of IANA (RFC 6890 and later), as of 2025.
_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, on every virtual machine there
        "169.254.0.0/16",  # link-local, with the metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocols: DS-Lite, NAT64 discovery, one more metadata service
        "192.0.2.0/24",
        "192.31.196.0/24",  # AS112: answered by whoever is nearest
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Everything outside global unicast is refused, and with it loopback, mapped and compatible IPv4, NAT64,
# unique local, link-local, site-local and multicast. Inside it:
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocols: Teredo, ORCHID, benchmarks, anycast
        "2001:db8::/32",
        "2002::/16",  # 6to4: any IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the 6bone, given back
        "3fff::/20",
    )
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # upper half of an interface identifier that hides IPv4

_TRIED_ADDRESSES = 4
_PER_ADDRESS_S = 5.0  # so that one dead address leaves time for the next


class NotAllowed(OSError):
    """The name has an answer that is not public, or none at all."""


def is_public(address: Address) -> bool:
    """Whether an address is an ordinary host on the Internet, in no disguise."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None or address not in _GLOBAL_UNICAST:
        return False
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return not any(address in network for network in _NOT_PUBLIC_6)


def system_resolver(host: str) -> list[str]:
    """All addresses of a name by the resolver of this machine. Raises OSError or UnicodeError."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


class Guard:
    """The address rules, and connections that keep to them.

    Tests give another resolver or another rule here. There is deliberately no option for either.
    """

    def __init__(
        self,
        resolve: Callable[[str], Sequence[str]] = system_resolver,
        allows: Callable[[Address], bool] = is_public,
    ) -> None:
        self._resolve = resolve
        self._allows = allows

    def connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """A connection to the first address of `host` that answers.

        Raises NotAllowed before anything is sent, TimeoutError, or OSError when none answers.
        """
        fault: OSError = NotAllowed("no address")
        for address in self._addresses(host, deadline)[:_TRIED_ADDRESSES]:
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(min(deadline.left_s(), _PER_ADDRESS_S))
                connection.connect((str(address), port))
            except OSError as error:
                connection.close()
                fault = error
            else:
                return connection
        raise fault

    def _addresses(self, host: str, deadline: Deadline) -> list[Address]:
        if host.endswith(".onion"):
            raise NotAllowed("no onion names outside Tor")  # RFC 7686: they must not leak into DNS
        try:
            addresses = [ipaddress.ip_address(answer) for answer in self._answers(host, deadline)]
        except ValueError:
            raise NotAllowed("the resolver gave something that is no address") from None
        if not addresses:
            raise NotAllowed("no address")
        # One bad answer spoils the name: whoever publishes it beside a good one wants us to pick it.
        if not all(self._allows(address) for address in addresses):
            raise NotAllowed("an address that is not public")
        return addresses

    def _answers(self, host: str, deadline: Deadline) -> Sequence[str]:
        """The resolver's answers, none when it fails. Raises TimeoutError.

        A thread of its own, since `getaddrinfo` knows no time limit. A late one ends by the resolver's
        own limits; there are never more of them than looks within that time.
        """
        answer: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self._resolve(host))
            except (OSError, ValueError):
                answer.put(())

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        try:
            return answer.get(timeout=deadline.left_s())
        except queue.Empty:
            raise TimeoutError("the resolver took too long") from None
