"""What a source of attribution says, and what every source is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, overload

from django.utils.translation import gettext

from providers.models import Attribution, Prefix, Provider, Registration, RoutingTable
from providers.prefixes import NOWHERE, Array


@dataclass(frozen=True)
class Finding:
    """An answer about one host or address.

    Without a provider it is evidence only, and `trouble` (Attribution.Trouble) says why it names nobody.
    """

    source: str
    confidence: str
    provider: Provider | None = None
    trouble: str = ""
    prefix: Prefix | None = None
    origins: tuple[int, ...] = ()
    country: str = ""
    name: str = ""
    reason: str = ""
    covers: str = ""  # what a host rule covers: it may be the host of a notice
    table: RoutingTable | None = None
    registration: Registration | None = None

    @property
    def asn(self) -> int | None:
        """The origin, if there is one alone."""
        return self.origins[0] if len(self.origins) == 1 else None

    @property
    def said(self) -> str:
        """In the reader's language, without what the rule covers."""
        ases = ", ".join(f"AS{asn}" for asn in self.origins)
        facts = {
            "prefix": self.prefix,
            "ases": ases,
            "name": self.name,
            "reason": self.reason,
            "table": self.table,
        }
        if self.source == Attribution.Source.HOST_RULE:
            return gettext("A rule: %(reason)s") % facts
        if self.source == Attribution.Source.NETWORK:
            return gettext("%(prefix)s (%(ases)s, %(name)s) is on our own list.") % facts
        if self.registration is not None:
            return self._registered(self.registration)
        found = gettext("%(prefix)s is announced by %(ases)s (routing table %(table)s).") % facts
        if self.provider is None:
            return f"{found} {Attribution.Trouble(self.trouble).label}"
        return found + " " + gettext("A rule says whose that AS is: %(reason)s") % facts

    def _registered(self, registration: Registration) -> str:
        facts = {
            "prefix": self.prefix,
            "holder": registration.holder or gettext("nobody that it names"),
            "server": registration.server,
            "reason": self.reason,
        }
        said = [gettext("%(prefix)s is registered to %(holder)s (%(server)s).") % facts]
        if self.reason:
            said.append(gettext("A rule says whose that holder is: %(reason)s") % facts)
        if self.trouble:
            said.append(str(Attribution.Trouble(self.trouble).label))
        return " ".join(said)

    @property
    def specificity(self) -> int:
        """Length of the prefix as a share of its family's, so that IPv4 and IPv6 compare."""
        return int(self.prefix.prefixlen * 128 / self.prefix.max_prefixlen) if self.prefix else 0


class Source(Protocol):
    """A way to learn who hosts something. Asked for many at once; answers in the order of the question.

    `about` is what it is asked for: "host" names, or the "address"es they lead to. It reads; it keeps nothing.
    `is_last_resort`: it is asked only about addresses that no source before it settles; at most the last one is.
    """

    code: str
    about: str
    is_last_resort: bool

    def ask(self, names: Sequence[str]) -> Sequence[Finding | None]: ...


HOST: Final = "host"
ADDRESS: Final = "address"


class Findings(Sequence[Finding | None]):
    """Answers by place in a table of prefixes, put in words only for those that somebody looks at."""

    def __init__(self, places: Array, tell: Callable[[int], Finding]) -> None:
        self.places = places
        self._tell = tell
        self._told: dict[int, Finding] = {}

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Finding | None: ...
    @overload
    def __getitem__(self, index: slice) -> "Findings": ...
    def __getitem__(self, index: int | slice) -> "Finding | Findings | None":
        if isinstance(index, slice):
            return Findings(self.places[index], self._tell)
        place = int(self.places[index])
        if place == NOWHERE:
            return None
        if place not in self._told:
            self._told[place] = self._tell(place)
        return self._told[place]

    def __iter__(self) -> Iterator[Finding | None]:
        return (self[index] for index in range(len(self)))


HIGH: Final = Attribution.Confidence.HIGH
MEDIUM: Final = Attribution.Confidence.MEDIUM
LOW: Final = Attribution.Confidence.LOW
