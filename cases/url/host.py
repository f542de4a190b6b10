"""What can be said of a host without asking anybody: public or not, ambiguous or not."""

import unicodedata
from contextlib import suppress
from functools import cache, lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

import can_ada
import idna
from publicsuffixlist import PublicSuffixList

# Written out, because `ipaddress.is_global` calls 6to4, NAT64 and multicast global (Python 3.11). Sources:
# IANA's special-purpose address registries. Documentation ranges (RFC 5737, 3849, 9637) are not in it: they
# belong to nobody, so nobody can be accused by them, and the demo world and the tests live in them.
_NOT_PUBLIC_V4: Final = tuple(
    IPv4Network(prefix)
    for prefix in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3",
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_IETF_PROTOCOLS: Final = IPv6Network("2001::/23")  # Teredo, ORCHID, benchmarking
_6TO4: Final = IPv6Network("2002::/16")
_NAT64: Final = IPv6Network("64:ff9b::/96")

# RFC 6762 (.local), 8375 (home.arpa), 9476 (.alt), 6761 (.localhost, .invalid); .internal by ICANN, 2024.
_LOCAL: Final = (
    "local",
    "localhost",
    "localdomain",
    "internal",
    "lan",
    "home",
    "corp",
    "home.arpa",
    "alt",
    "invalid",
)
# RFC 2606: reserved for tests and examples. Treated as public names for the same reason as the documentation
# ranges above.
_EXAMPLES: Final = ("test", "example")

# Scripts that one writing system mixes (UTS 39, "highly restrictive").
_SYSTEMS: Final = (
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


@lru_cache(maxsize=65_536)
def doubt(host: str) -> str:
    """The code of the reason why a person must look at a canonical `host` (WHATWG form), or ""."""
    if host.startswith("["):
        return "" if _is_public_v6(IPv6Address(host[1:-1])) else "non_public_address"
    try:
        return "" if _is_public_v4(IPv4Address(host)) else "non_public_address"
    except AddressValueError:
        return _doubt_of_name(host)


def is_ambiguous(spelling: str, host: str) -> bool:
    """Whether programs make another host than `host` of an international name as it was written.

    `faß.de` is `fass.de` by IDNA 2003 and `xn--fa-hia.de` by IDNA 2008. A program that refuses the name
    has no say: it accuses nobody.
    """
    answers = {host}
    with suppress(UnicodeError):
        answers.add(spelling.encode("idna").decode().lower())
    with suppress(idna.IDNAError):
        answers.add(idna.encode(spelling, uts46=True).decode().lower())
    return len({answer.rstrip(".") for answer in answers}) > 1


def is_too_long(host: str) -> bool:
    """Longer than the DNS can carry (RFC 1035): 63 octets a label, 253 in all."""
    return len(host) > 253 or any(len(label) > 63 for label in host.split("."))


def is_invisible(character: str) -> bool:
    """Direction marks, zero-width characters and variation selectors: nothing to see, another name."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    """An address that carries an IPv4 address is as public as that one."""
    carried = address.ipv4_mapped
    if carried is None and address in _6TO4:
        carried = IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    if carried is None and address in _NAT64:
        carried = IPv4Address(int(address) & 0xFFFF_FFFF)
    if carried is not None:
        return _is_public_v4(carried)
    return address in _GLOBAL_UNICAST and address not in _IETF_PROTOCOLS


def _doubt_of_name(host: str) -> str:
    if "xn--" in host:
        written: str = can_ada.idna_decode(host.encode())  # type: ignore[arg-type]  # the stub says str
        if any(map(_mixes_scripts, written.split("."))):
            return "mixed_scripts"
    if _ends_in(host, ("onion",)):
        return "onion"
    if _ends_in(host, _LOCAL):
        return "local_name"
    if "." not in host:
        return "single_label"
    if _ends_in(host, _EXAMPLES):
        return ""
    suffix = _suffixes().publicsuffix(host)
    if suffix is None:
        return "unknown_suffix"
    return "public_suffix" if suffix == host else ""


def _ends_in(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)


@cache
def _suffixes() -> PublicSuffixList:
    # Only ICANN's part: a private suffix (a blog host) is a real site with a real owner.
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def _mixes_scripts(label: str) -> bool:
    # The first word of a letter's Unicode name is its script; the standard library has no better source.
    scripts = {
        unicodedata.name(letter, "?").split()[0] for letter in label if unicodedata.category(letter)[0] == "L"
    }
    return len(scripts) > 1 and not any(scripts <= system for system in _SYSTEMS)
