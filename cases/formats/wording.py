"""The small language of the words of messages: prose with `{names}` from a fixed list, and nothing else.

Not Django's templates: a name is looked up in a table, has no attributes and calls nothing, and what it stands for is
never read again. Pure: no database, no clock.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Dispatch

FIRST, REMINDER = Dispatch.Kind.FIRST, Dispatch.Kind.REMINDER
WITHDRAWAL, ORIGIN = Dispatch.Kind.WITHDRAWAL, Dispatch.Kind.ORIGIN
MESSAGE = Dispatch.Kind.MESSAGE

#: name -> (what it stands for, the kinds of message that have it).
PLACEHOLDERS: Final[dict[str, tuple[str | Promise, frozenset[str]]]] = {
    "number": (gettext_lazy("the number of the message"), frozenset(Dispatch.Kind)),
    "count": (gettext_lazy("how many addresses it is about"), frozenset(Dispatch.Kind)),
    "provider": (gettext_lazy("the name of the provider"), frozenset(Dispatch.Kind)),
    "organisation": (gettext_lazy("our name"), frozenset(Dispatch.Kind)),
    "phone": (gettext_lazy("our telephone number"), frozenset(Dispatch.Kind)),
    "reply_to": (gettext_lazy("the address that answers go to"), frozenset(Dispatch.Kind)),
    "portal": (gettext_lazy("the address of the portal"), frozenset({FIRST, REMINDER, WITHDRAWAL, MESSAGE})),
    "api": (gettext_lazy("where our API is explained"), frozenset({FIRST, REMINDER, WITHDRAWAL})),
    "hours": (gettext_lazy("the term in hours"), frozenset({FIRST, ORIGIN})),
    "round": (gettext_lazy("which reminder it is"), frozenset({REMINDER})),
    "due_at": (gettext_lazy("when the first of the terms ended, in both zones"), frozenset({REMINDER})),
}

#: What a part must not do without: a term, or the way to answer.
REQUIRED: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    (FIRST, "ask"): ("hours",),
    (FIRST, "answer"): ("portal",),
    (REMINDER, "ask"): ("due_at",),
    (REMINDER, "answer"): ("portal",),
    (ORIGIN, "ask"): ("hours",),
    (MESSAGE, "answer"): ("portal",),
}

#: What may be empty: nobody objects to a withdrawal, a question or that a message waits.
OPTIONAL: Final = frozenset(
    {
        *((kind, "closing") for kind in Dispatch.Kind),
        *((kind, "objection") for kind in (WITHDRAWAL, ORIGIN, MESSAGE)),
    }
)

LONGEST_PART: Final = 1_500  # characters
MOST_LINES: Final = 40

_NAME: Final = re.compile(r"\{([a-z_]{1,20})\}")
# With a scheme or www in front, or a name with something behind a slash.
_ADDRESS: Final = re.compile(
    r"[a-z][a-z0-9+.-]*\s?(?:\[?:\]?)//|\bh(?:tt|xx)ps?\b|\bwww\b\[?\.|[\w-](?:\[?\.\]?|\(dot\))[a-z]{2,}(?::\d+)?/\S",
    re.IGNORECASE,
)


class Fault(NamedTuple):
    """What is wrong, in which part and line (from 1; 0: in the part as a whole)."""

    part: str
    line: int
    text: str


class Unfilled(ValueError):
    """A name in the words stands for nothing in this message."""


def tidy(text: str) -> str:
    """As it is kept: line ends as ours, blanks that break, none at the ends of lines, at most one empty line in a row."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    lines = [line.rstrip(" ") for line in plain.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n ")


def placeholders(kind: str) -> dict[str, str | Promise]:
    """The names that a kind of message has, and what they stand for."""
    return {name: about for name, (about, kinds) in PLACEHOLDERS.items() if kind in kinds}


def required(kind: str, part: str) -> tuple[str, ...]:
    """The names that this part must have."""
    return REQUIRED.get((kind, part), ())


def faults(kind: str, words: Mapping[str, str]) -> list[Fault]:
    """All that keeps these words (tidy) from being those of a message of `kind`; in order."""
    return [fault for part, text in words.items() for fault in _faults_of(kind, part, text)]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each name replaced, once. Raises Unfilled for a name that is unknown or stands for nothing."""

    def value(found: re.Match[str]) -> str:
        said = values.get(found[1], "")
        if not said:
            raise Unfilled(found[1])
        return said

    return _NAME.sub(value, text)


def _faults_of(kind: str, part: str, text: str) -> Iterator[Fault]:
    if not text and (kind, part) not in OPTIONAL:
        yield Fault(part, 0, _("It is empty."))
    if len(text) > LONGEST_PART:
        yield Fault(part, 0, _("It is longer than %(most)d characters.") % {"most": LONGEST_PART})
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        yield Fault(part, 0, _("It has more than %(most)d lines.") % {"most": MOST_LINES})
    known = placeholders(kind)
    for number, line in enumerate(lines, start=1):
        for name in _NAME.findall(line):
            if name not in known:
                yield Fault(
                    part,
                    number,
                    _("There is no {%(name)s} in this kind of message.") % {"name": name},
                )
        if re.search(r"[{}]", _NAME.sub("", line)):
            yield Fault(part, number, _("A brace stands alone: a name is written like {number}."))
        if any(unicodedata.category(character)[0] in "CZ" and character != " " for character in line):
            yield Fault(part, number, _("It holds a control character or a character that cannot be seen."))
        if _ADDRESS.search(_NAME.sub(" ", line)):
            yield Fault(
                part, number, _("It holds an address of a page: only {portal} and {api} may stand here.")
            )
    for name in required(kind, part):
        if f"{{{name}}}" not in text:
            yield Fault(part, 0, _("{%(name)s} is missing: this part must say it.") % {"name": name})
