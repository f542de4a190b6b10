"""Which server is to be asked for an address: by IANA's index (RFC 9224), or one of our own for everything."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final

from providers.fetch import Fetcher, FetchFailed
from providers.models import RegistryIndex

_FILES: Final = {4: "https://data.iana.org/rdap/ipv4.json", 6: "https://data.iana.org/rdap/ipv6.json"}
_FAMILIES: Final = {4: RegistryIndex.Family.IPV4, 6: RegistryIndex.Family.IPV6}
_KEPT: Final = timedelta(days=7)  # IANA gives out a block a few times a year
_WITHIN: Final = timedelta(seconds=5)

Services = Sequence[tuple[Sequence[str], Sequence[str]]]


class Servers:
    """The servers by prefix, of one sweep: the index is looked at once, and fetched anew when it is old.

    `own`: the base URL of a server for everything, "" to go by the index.
    """

    def __init__(self, own: str, *, fetcher: Fetcher, now: datetime) -> None:
        self._own = own
        self._fetcher = fetcher
        self._now = now
        self._known: dict[int, Services] = {}

    def of(self, address: str) -> str:
        """The base URL for an address, with a slash at its end; "" when no registry is known for it."""
        if self._own:
            return self._own
        asked = ip_address(address)
        if asked.version not in self._known:
            self._known[asked.version] = self._services(asked.version)
        best, longest = "", -1
        for prefixes, bases in self._known[asked.version]:
            for prefix in map(ip_network, prefixes):
                if prefix.prefixlen > longest and asked in prefix:
                    best, longest = _secure(bases), prefix.prefixlen
        return best

    def _services(self, version: int) -> Services:
        """The index as it is kept, or as IANA has it now. An old one is better than none."""
        kept = RegistryIndex.objects.filter(family=_FAMILIES[version]).first()
        if kept is not None and kept.fetched_at > self._now - _KEPT:
            return _in_order(kept.services)
        try:
            answer = self._fetcher.get(_FILES[version], within=_WITHIN)
            services = _in_order(json.loads(answer.body)["services"] if answer.status == 200 else None)
        except (FetchFailed, ValueError, RecursionError, KeyError, TypeError):
            services = []
        if not services:
            return _in_order(kept.services) if kept is not None else []
        fields = {"services": services, "fetched_at": self._now}
        RegistryIndex.objects.update_or_create(family=_FAMILIES[version], defaults=fields)
        return services


def _in_order(said: Any) -> Services:
    """What of an index has the form that RFC 9224 gives it."""
    found = []
    for entry in said if isinstance(said, list) else ():
        if (
            not isinstance(entry, list)
            or len(entry) != 2
            or not all(isinstance(part, list) for part in entry)
        ):
            continue
        prefixes = [prefix for prefix in entry[0] if isinstance(prefix, str) and _is_prefix(prefix)]
        found.append((prefixes, [base for base in entry[1] if isinstance(base, str)]))
    return found


def _is_prefix(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _secure(bases: Sequence[str]) -> str:
    """The first that is https, with a slash at its end."""
    base = next((base for base in bases if base.lower().startswith("https://")), "")
    return base if not base or base.endswith("/") else f"{base}/"
