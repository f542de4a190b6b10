"""What anybody types into the public form: a few addresses, and never the material itself."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cases import url as urls
from cases.intake import pasted
from cases.services.receive import Line

#: Addresses in one report of the public form; who has more sends it again, or is no passer-by.
MOST: Final = 20

#: A data: URI of any type, wherever it stands; what is sent as "data:," is text and still no address.
_DATA: Final = re.compile(r"\bdata:[\w.+/-]*[;,]", re.IGNORECASE)
#: How the files of pictures and films begin in base64: JPEG, PNG, GIF, WebP, BMP, ISO media (mp4), Matroska.
_MAGIC: Final = re.compile(
    r"(?<![\w/+])(?:/9j/|iVBORw0KGgo|R0lGOD[lh]|UklGR|Qk[0-9A-Za-z]{2}AAAA|AAAA[A-Za-z0-9+/]{2}Z0eX|GkXfo)"
    r"[A-Za-z0-9+/=]{16}"
)
#: A line of base64 or hexadecimal as programs wrap it: no host, no space, nothing of an address.
_ENCODED_LINE: Final = re.compile(r"[A-Za-z0-9+/_=-]{60,}")
_ENCODED_RUN: Final = re.compile(r"(?:[A-Za-z0-9+/_=-]{60,}\s+)[A-Za-z0-9+/_=-]{20,}|[A-Za-z0-9+/_=-]{200,}")


def lines(text: str, *, referrer: str = "", note: str = "") -> list[Line]:
    """The lines of a report; one that looks like material keeps its place and nothing of its text."""
    return [
        Line("", referrer, note=note, fault="material")
        if _is_material(line.url)
        else replace(line, referrer=referrer, note=note)
        for line in pasted.lines(text)
    ]


def refusals(of: Sequence[Line]) -> dict[int, str]:
    """number of a line -> code of why it is no address; lines that a person must look at are none of these."""
    return {number: code for number, line in enumerate(of, start=1) if (code := line.fault or _refused(line))}


def holds_material(text: str) -> bool:
    """Whether words look as if a picture or film were written down in them."""
    return bool(_DATA.search(text) or _MAGIC.search(text) or _ENCODED_RUN.search(text))


def _is_material(line: str) -> bool:
    bare = line.strip()
    return bool(_DATA.search(bare) or _MAGIC.match(bare) or _ENCODED_LINE.fullmatch(bare))


def _refused(line: Line) -> str:
    try:
        urls.parse(line.url)
    except urls.Refusal as refusal:
        return refusal.code
    except urls.Quarantine:
        return ""
    return ""
