"""The physical lines of a text file in UTF-8, however large, and a clear word about files that are none."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.intake.way import Unreadable

#: bytes; longer than this is no line but a file without line ends.
MAX_LINE: Final = 1 << 20

_OTHER_KINDS: Final[tuple[tuple[bytes, str | Promise], ...]] = (
    (b"PK\x03\x04", gettext_lazy("This is a spreadsheet or a ZIP archive. Save it as CSV in UTF-8.")),
    (b"\x1f\x8b", gettext_lazy("This is a compressed file (gzip). Unpack it first.")),
    (b"\xd0\xcf\x11\xe0", gettext_lazy("This is a spreadsheet. Save it as CSV in UTF-8.")),
    (b"%PDF", gettext_lazy("This is a PDF, not a list of addresses.")),
    (b"\xff\xfe", gettext_lazy("This file is in UTF-16. Save it in UTF-8.")),
    (b"\xfe\xff", gettext_lazy("This file is in UTF-16. Save it in UTF-8.")),
)


def text_lines(stream: BinaryIO) -> Iterator[str]:
    """The lines from where `stream` stands, with their ends and without a BOM. Raises Unreadable."""
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            for magic, words in _OTHER_KINDS:
                if raw.startswith(magic):
                    raise Unreadable(str(words))
        if len(raw) > MAX_LINE:
            raise Unreadable(_("It is longer than a million characters."), line=number)
        if b"\0" in raw:
            raise Unreadable(
                _("There is a NUL character in it; the file may be in UTF-16. Save it in UTF-8."), line=number
            )
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise Unreadable(
                _("It is not in UTF-8 (perhaps Windows-1252). Save the file in UTF-8."), line=number
            ) from None
        yield text
