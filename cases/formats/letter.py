"""What a message is about, ready to be put into words: no query, no decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from mimetypes import MimeTypes
from typing import Final, NamedTuple

from cases import url as urls
from cases.models import Dispatch, LegalClass, MessageTemplate, Notice
from providers.models import Attribution, Contact, Provider

#: The library's own table: that of the machine would make the same message differ from host to host.
_TYPES: Final = MimeTypes()
_PAGES: Final = frozenset({"", "text/html", "application/xhtml+xml"})

#: Kinds of messages that are about material to be made inaccessible; only these give its addresses, or files.
ABOUT_MATERIAL: Final = frozenset({Dispatch.Kind.FIRST, Dispatch.Kind.REMINDER})


def one_line(text: str) -> str:
    """`text` without line breaks and other control characters: names come from files, and must not add lines."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@dataclass(frozen=True)
class Line:
    """One notice in a message. `url` and `host` are "" unless the contact's mode attaches addresses; then canonical.

    `referrer` and its other forms are of the page that leads there, if a report named one; given as `url` is.
    `media_type` is guessed from the name of the file, "" when it tells nothing; `judged_type` is what a person saw (a
    code of the question `content_type`), "" when nobody said. `told_in` is the number of the first message about it.
    """

    number: int
    reference: str
    masked_url: str
    url: str
    defanged_url: str
    host: str
    address: str
    network: str
    place: Attribution | None
    legal_class: str
    first_seen_at: datetime
    last_seen_online_at: datetime | None
    notified_at: datetime | None
    due_at: datetime | None
    closed_because: str
    is_file: bool
    media_type: str
    judged_type: str
    masked_referrer: str
    referrer: str
    defanged_referrer: str
    told_in: str

    @property
    def why(self) -> str:
        """Why this provider, in the language of the moment."""
        return one_line(self.place.why) if self.place else ""


class Page(NamedTuple):
    """The page of a message, for answers without a log-in: where, and until when it opens."""

    url: str
    until: datetime


@dataclass(frozen=True)
class Letter:
    """A dispatch with its lines. `term` is what counts for a clock that starts now, or how long an answer may take.

    `page` is None for what has none: no mail, a contact that fetches by API, nothing to answer.
    """

    dispatch: Dispatch
    contact: Contact
    provider: Provider
    wording: MessageTemplate
    lines: tuple[Line, ...]
    term: timedelta
    at: datetime
    page: Page | None = None

    @property
    def is_first(self) -> bool:
        """Whether it starts clocks, rather than speaks of running ones."""
        return self.dispatch.kind == Dispatch.Kind.FIRST

    @property
    def is_automatic(self) -> bool:
        """Whether it goes out without anybody having asked for this very message."""
        return self.dispatch.kind in {Dispatch.Kind.REMINDER, Dispatch.Kind.WITHDRAWAL, Dispatch.Kind.MESSAGE}

    @property
    def mode(self) -> str:
        """How addresses of content are given: by the contact, if the message is about material at all."""
        return mode_of(self.dispatch, self.contact)

    @property
    def attaches(self) -> frozenset[str]:
        """The formats of the files that go along."""
        return self.contact.attaches if self.dispatch.kind in ABOUT_MATERIAL else frozenset()

    @property
    def in_xarf(self) -> tuple[Line, ...]:
        """The lines that go along as XARF reports: of the class that all countries share, in what reports something."""
        wanted = "xarf" in self.attaches
        return tuple(line for line in self.lines if wanted and line.legal_class == LegalClass.BASELINE)

    @property
    def addressee(self) -> str:
        """The provider's name."""
        return one_line(self.provider.name)


def mode_of(dispatch: Dispatch, contact: Contact) -> str:
    """What `Letter.mode` says, before there is a letter."""
    return contact.mode if dispatch.kind in ABOUT_MATERIAL else Contact.Mode.PORTAL


def line(
    number: int,
    notice: Notice,
    mode: str,
    *,
    referrer: str = "",
    judged_type: str = "",
    told_in: str = "",
) -> Line:
    """The line of one notice for a contact of `mode`. `referrer`: the text of a report's line, whatever it holds."""
    place = notice.attribution
    given, leads = notice.content.url, _canonical(referrer)
    attached, defanged = mode == Contact.Mode.ATTACHMENT, mode == Contact.Mode.DEFANGED
    media_type = _media_type(given)
    return Line(
        number=number,
        reference=notice.reference,
        masked_url=urls.masked(given),
        url=given if attached else "",
        defanged_url=urls.defanged(given) if defanged else "",
        host=notice.content.host if attached else "",
        address=(place.address or "") if place else "",
        network=one_line(place.network) if place else "",
        place=place,
        legal_class=notice.legal_class,
        first_seen_at=notice.received_at,
        last_seen_online_at=notice.last_seen_online_at,
        notified_at=notice.notified_at,
        due_at=notice.due_at,
        closed_because=notice.closed_because,
        is_file=media_type not in _PAGES,
        media_type=media_type,
        judged_type=judged_type,
        masked_referrer=urls.masked(leads) if leads else "",
        referrer=leads if attached else "",
        defanged_referrer=urls.defanged(leads) if leads and defanged else "",
        told_in=told_in,
    )


def _canonical(referrer: str) -> str:
    """A referrer in the form in which addresses are given; "" when it is none."""
    try:
        return urls.parse(referrer).canonical if referrer else ""
    except urls.Quarantine as doubtful:
        return doubtful.parsed.canonical
    except urls.Refusal:
        return ""


def _media_type(canonical: str) -> str:
    path = canonical.partition("://")[2].partition("?")[0].partition("/")[2]
    return _TYPES.guess_type(f"/{path}")[0] or ""
