"""The addresses in the texts of a mail: one on a line of its own, or as a list attached to it says.

A letter around the addresses is no line of the report: it goes with them as their note. A line of the letter
that holds an address among other words is a rejected line, so that nobody believes it was taken in.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cases import url as urls
from cases.intake import WAYS
from cases.services.receive import Line

#: Up to so many lines, the letter goes with each of them as its note.
NOTED: Final = 50
_NOTE: Final = 10_000  # characters

_BULLET: Final = re.compile(r"(?:[-*•–]|\d{1,5}[.)])[ \t]+")
_DOT: Final = r"(?:\.|\[\.\]|\(\.\)|\[dot\]|\(dot\))"
#: An address and nothing else. A bare host is none: "Regards.John" would be one.
_ALONE: Final = re.compile(
    rf"(?:[a-z][a-z0-9+.-]{{1,15}}(?::|\[:\])[/\\]{{1,2}}\S+|www{_DOT}\S+|[^\s@/:<>]{{1,255}}{_DOT}[^\s/@]{{2,255}}/\S*)",
    re.IGNORECASE,
)
_AMONG: Final = re.compile(r"\b(?:https?|hxxps?|ftp)(?::|\[:\])//[^\s>)\]]+", re.IGNORECASE)


@dataclass
class Read:
    """`lines` in the order of the receipt; `origins`: (kind, how many lines), in that order;
    `letter`: how many lines of the mail's own text were not read as addresses."""

    lines: list[Line]
    origins: list[tuple[str, int]]
    letter: int = 0


def read(texts: Iterable[tuple[str, str]], *, domain: str) -> Read:
    """The lines of a report. `domain`: the sender's, whose own addresses are its signature.

    Raises Unreadable for a list that is none.
    """
    found, own = Read([], []), list[Line]()
    letter: list[str] = []
    for kind, text in texts:
        if kind:
            (way,) = (way for way in WAYS if kind in way.suffixes)
            lines = list(way.lines(io.BytesIO(text.encode())))
            found.lines += lines
            found.origins.append((kind, len(lines)))
        else:
            for line in text.split("\n"):
                _sort(line.strip(), own, letter, domain)
    if own:
        found.lines += own
        found.origins.append(("", len(own)))
    found.letter = len(letter)
    note = "\n".join(letter)[:_NOTE]
    if note and len(found.lines) <= NOTED:
        found.lines = [_noted(line, note) for line in found.lines]
    return found


def _sort(line: str, own: list[Line], letter: list[str], domain: str) -> None:
    """Put a line of the mail's own text with the addresses, or with the letter."""
    if not line or line.startswith(">"):
        return  # what is quoted was said before
    bare = _BULLET.sub("", line, count=1) if _BULLET.match(line) else line
    bare = bare[1:-1] if bare.startswith("<") and bare.endswith(">") else bare
    if _ALONE.fullmatch(bare):
        if not _is_under(bare, domain):
            own.append(Line(bare))
            return
    elif any(not _is_under(address, domain) for address in _AMONG.findall(line)):
        own.append(Line(line, fault="words_beside"))
        return
    letter.append(line)


def _is_under(address: str, domain: str) -> bool:
    """Whether it leads to the sender's own site, as signatures do."""
    try:
        host = urls.parse(address).host
    except (urls.Refusal, urls.Quarantine):
        return False
    return host == domain or host.endswith(f".{domain}")


def _noted(line: Line, note: str) -> Line:
    if line.note:
        return line
    return Line(
        line.url,
        referrer=line.referrer,
        reference=line.reference,
        category=line.category,
        note=note,
        received_at=line.received_at,
        fault=line.fault,
    )
