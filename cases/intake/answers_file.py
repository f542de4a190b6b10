"""A provider's answers in a CSV file, read as strictly as files of reports: the same bytes are refused in the same words.

What separates its columns is whatever the provider's spreadsheet writes: none of them stands in the name of a column.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from cases.formats.answers_csv import TOLD
from cases.intake.csv_file import filled, table
from cases.intake.instants import instant
from cases.intake.way import Unreadable
from cases.models import Reply
from cases.models.notice import NOTICE_REFERENCE
from cases.models.reply import LONGEST_NOTE, LONGEST_REASON
from cases.services.answer_sheets import MOST, Line
from providers.spreadsheets import exact

REQUIRED: Final = ("reference", "answer")
ANSWER: Final = (*REQUIRED, "at", "reason", "note")
#: What may stand in it; what our own list tells beside the answers is not read.
COLUMNS: Final = (*ANSWER, *TOLD)

_REFERENCE: Final = re.compile(NOTICE_REFERENCE)
#: Characters of a reference that is none which are shown again.
_SHOWN: Final = 20


class _Wrong(Exception):
    """A field of a line is wrong."""

    def __init__(self, column: str, why: str) -> None:
        self.column, self.why = column, why
        super().__init__(why)


def lines(stream: BinaryIO) -> list[Line]:
    """The answers of a file, at most MOST; a line that cannot be read is refused, and names its column.

    A line without an answer is left out: it was not filled in. Raises Unreadable for the file as a whole.
    """
    order, records = table(stream, columns=COLUMNS, required=REQUIRED, separators=";,\t")
    found: list[Line] = []
    for line in _lines(order, records):
        if len(found) == MOST:
            raise Unreadable(
                _("There are more than %(most)s answers in it: send it in parts.")
                % {"most": number_format(MOST, force_grouping=True)}
            )
        found.append(line)
    if not found:
        raise Unreadable(_("There is no answer in it: fill in the column “answer”."))
    return found


def _lines(order: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[Line]:
    for number, stripped, why in filled(order, records):
        if why:
            yield Line(number, "", outcome="refused", why=why)
            continue
        fields = {name: exact(field) for name, field in stripped.items()}
        if not any(fields.get(name) for name in ANSWER if name != "reference"):
            continue
        reference = fields["reference"].upper()
        try:
            yield _line(number, reference, fields)
        except _Wrong as wrong:
            shown = "".join(each for each in reference[:_SHOWN] if each.isprintable())
            yield Line(number, shown, outcome="refused", column=wrong.column, why=wrong.why)


def _line(number: int, reference: str, fields: dict[str, str]) -> Line:
    if not _REFERENCE.fullmatch(reference):
        raise _Wrong("reference", _("This is not a reference of ours, such as N-0123456789."))
    answer = fields["answer"].lower()
    if answer not in Reply.Answer.values:
        raise _Wrong(
            "answer", _("It must be one of: %(answers)s.") % {"answers": ", ".join(Reply.Answer.values)}
        )
    reason, note = fields.get("reason", ""), fields.get("note", "")
    for column, text, longest in (("reason", reason, LONGEST_REASON), ("note", note, LONGEST_NOTE)):
        if len(text) > longest:
            raise _Wrong(
                column,
                _("It is longer than %(longest)s characters.")
                % {"longest": number_format(longest, force_grouping=True)},
            )
    return Line(number, reference, answer, _at(fields.get("at", "")), reason, note)


def _at(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return instant(text)
    except ValueError:
        raise _Wrong("at", _("Write it as ISO 8601 with its zone, such as 2026-11-24T10:00:00Z.")) from None
