"""Shapes of a dispatch: what the message says, and what goes along with it."""

from collections.abc import Callable
from typing import Final

from cases.formats import csv_lines, xarf
from cases.formats.files import File
from cases.formats.letter import Letter

#: name of a format in a contact's `formats` -> the files that it attaches. Each may raise Unmade.
FORMATS: Final[dict[str, Callable[[Letter], list[File]]]] = {"csv": csv_lines.files, "xarf": xarf.files}


def attachments(letter: Letter) -> list[File]:
    """All that goes along with a message, in the order of FORMATS. Raises Unmade."""
    return [file for name, make in FORMATS.items() if name in letter.attaches for file in make(letter)]
