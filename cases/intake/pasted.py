"""Addresses one per line, as people paste them."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from cases.intake.text_lines import text_lines
from cases.intake.way import Way
from cases.services.receive import Line

# Not str.splitlines: what else it takes for a line end may stand inside an address, which is then rejected.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def lines(text: str) -> list[Line]:
    """The addresses in `text`; empty lines do not count."""
    return [Line(line) for line in _LINE_END.split(text) if line.strip()]


def file_lines(stream: BinaryIO) -> Iterator[Line]:
    """The addresses in a file. Raises Unreadable."""
    return (Line(line) for line in text_lines(stream) if line.strip())


WAY: Final = Way("text", (".txt",), file_lines)
