"""The answer to a question for an address: an object of class "ip network" (RFC 9083, section 5.4).

Whoever runs the server wrote it. What we keep of it is short, printable, and about the address that was asked for.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from providers.models import Prefix

#: Shorter ones are whole registries' own: nobody hosts anything in all of it.
_SHORTEST: Final = {4: 8, 6: 16}
_DEPTH: Final = 3  # entities within entities
_ENTITIES: Final = 50


class Unreadable(Exception):
    """It is not such an object. `is_elsewhere`: it is one, of a network that the address is not in."""

    def __init__(self, *, is_elsewhere: bool = False) -> None:
        super().__init__("the registry's answer cannot be used")
        self.is_elsewhere = is_elsewhere


@dataclass(frozen=True)
class Network:
    """What we keep of it; a text that the registry does not give is ""."""

    prefix: Prefix
    handle: str
    name: str
    country: str
    holder_handle: str
    holder_name: str
    abuse_mailbox: str


def read(body: bytes, address: str) -> Network:
    """The network of an address. Raises Unreadable."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(found, dict) or found.get("objectClassName") != "ip network":
        raise Unreadable
    entities = list(_entities(found))
    holder = _holder(entities)
    country = _text(found, "country", 100).upper()
    return Network(
        prefix=_prefix(found, ip_address(address)),
        handle=_text(found, "handle", 100),
        name=_text(found, "name", 100),
        country=country if re.fullmatch("[A-Z]{2}", country) else "",
        holder_handle=_text(holder, "handle", 100).upper(),
        holder_name=_card(holder).get("fn", "")[:200],
        abuse_mailbox=_mailbox(entities),
    )


def _prefix(found: dict[str, Any], address: IPv4Address | IPv6Address) -> Prefix:
    """The part of the range that holds the address: a range need not be one prefix. Raises Unreadable."""
    try:
        first, last = ip_address(found["startAddress"]), ip_address(found["endAddress"])
        if first.version != address.version or last.version != address.version:
            raise Unreadable(is_elsewhere=True)
        parts = summarize_address_range(first, last)
        prefix = next((part for part in parts if address in part), None)
    except (KeyError, ValueError, TypeError):
        raise Unreadable from None
    if prefix is None or prefix.prefixlen < _SHORTEST[address.version]:
        raise Unreadable(is_elsewhere=True)
    return ip_network(str(prefix))


def _entities(found: dict[str, Any], depth: int = _DEPTH) -> Iterator[dict[str, Any]]:
    """Those of an object and of its entities, so many at most."""
    listed = found.get("entities")
    for entity in listed[:_ENTITIES] if depth and isinstance(listed, list) else ():
        if isinstance(entity, dict):
            yield entity
            yield from _entities(entity, depth - 1)


def _has(entity: dict[str, Any], role: str) -> bool:
    roles = entity.get("roles")
    return isinstance(roles, list) and role in roles


def _holder(entities: list[dict[str, Any]]) -> dict[str, Any]:
    """The registrant; an organisation before a person or the account that maintains the entry, which some list as well."""
    registrants = [entity for entity in entities if _has(entity, "registrant")]
    return min(registrants, key=lambda entity: _card(entity).get("kind") != "org", default={})


def _mailbox(entities: list[dict[str, Any]]) -> str:
    """The address of whoever has the role "abuse"; "" when there is none that is one."""
    for entity in entities:
        mailbox = _card(entity).get("email", "") if _has(entity, "abuse") else ""
        with suppress(ValidationError):
            validate_email(mailbox)
            return mailbox.lower() if len(mailbox) <= 254 else ""
    return ""


def _card(entity: dict[str, Any]) -> dict[str, str]:
    """The first text of each property of its jCard (RFC 7095): ["vcard", [[name, parameters, type, value, ...], ...]]."""
    card = entity.get("vcardArray")
    if not isinstance(card, list) or len(card) < 2 or not isinstance(card[1], list):
        return {}
    texts: dict[str, str] = {}
    for entry in card[1][:_ENTITIES]:
        if (
            isinstance(entry, list)
            and len(entry) > 3
            and isinstance(entry[0], str)
            and isinstance(entry[3], str)
        ):
            texts.setdefault(entry[0].lower(), _clean(entry[3]))
    return texts


def _text(found: dict[str, Any], name: str, longest: int) -> str:
    value = found.get(name)
    return _clean(value)[:longest] if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """One line of it, without what cannot be seen."""
    spaced = " ".join(text[:1_000].split())
    return "".join(character for character in spaced if character.isprintable()).strip()
