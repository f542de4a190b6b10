"""What every way in for files offers, and how it refuses a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from cases.services.receive import Line
from cases.services.refused import Invalid


class Unreadable(Invalid):
    """The file as a whole is refused; nothing of it was stored. `line` counts lines of the file from 1.

    The text never repeats what stands in the file, except the name of a column.
    """

    code = "unreadable"

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        self.line = line
        super().__init__(
            _("Line %(line)d: %(reason)s") % {"line": line, "reason": reason} if line else reason
        )


@dataclass(frozen=True)
class Way:
    """A shape of file. `lines` streams the lines of a file from its start and may raise Unreadable."""

    code: str
    suffixes: tuple[str, ...]
    lines: Callable[[BinaryIO], Iterator[Line]]
