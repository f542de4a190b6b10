"""What a message is about, ready to be put into words: no query, no decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cases import url as urls
from cases.models import Dispatch, Notice
from providers.models import Attribution, Contact, Provider


def one_line(text: str) -> str:
    """`text` without line breaks and other control characters: names come from files, and must not add lines."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@dataclass(frozen=True)
class Line:
    """One notice in a message. `url` is "" unless the contact's mode gives addresses; then canonical."""

    number: int
    reference: str
    masked_url: str
    url: str
    defanged_url: str
    address: str
    network: str
    place: Attribution | None
    legal_class: str
    first_seen_at: datetime
    last_seen_online_at: datetime | None
    due_at: datetime | None

    @property
    def why(self) -> str:
        """Why this provider, in the language of the moment."""
        return one_line(self.place.why) if self.place else ""


@dataclass(frozen=True)
class Letter:
    """A dispatch with its lines. `term` is the rule that would count for a clock that starts now."""

    dispatch: Dispatch
    contact: Contact
    provider: Provider
    lines: tuple[Line, ...]
    term: timedelta
    at: datetime

    @property
    def is_first(self) -> bool:
        """Whether it starts clocks, rather than speaks of running ones."""
        return self.dispatch.kind == Dispatch.Kind.FIRST

    @property
    def addressee(self) -> str:
        """The provider's name."""
        return one_line(self.provider.name)


def line(number: int, notice: Notice, mode: str) -> Line:
    """The line of one notice for a contact of `mode`."""
    place = notice.attribution
    given = notice.content.url if mode in {Contact.Mode.ATTACHMENT, Contact.Mode.DEFANGED} else ""
    return Line(
        number=number,
        reference=notice.reference,
        masked_url=notice.content.masked_url,
        url=given if mode == Contact.Mode.ATTACHMENT else "",
        defanged_url=urls.defanged(given) if mode == Contact.Mode.DEFANGED else "",
        address=(place.address or "") if place else "",
        network=one_line(place.network) if place else "",
        place=place,
        legal_class=notice.legal_class,
        first_seen_at=notice.received_at,
        last_seen_online_at=notice.last_seen_online_at,
        due_at=notice.due_at,
    )
