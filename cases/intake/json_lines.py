"""JSON lines: one object in UTF-8 per line, with the names of the CSV's columns and texts as values."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from cases.intake.csv_file import COLUMNS, line_of
from cases.intake.strict_json import BadJSON, loads
from cases.intake.text_lines import text_lines
from cases.intake.way import Unreadable, Way
from cases.services.receive import Line


def lines(stream: BinaryIO) -> Iterator[Line]:
    """One line per object; empty lines do not count. Raises Unreadable."""
    for number, text in enumerate(text_lines(stream), start=1):
        if text.strip():
            try:
                yield line_of(_fields(loads(text.rstrip("\r\n").encode())))
            except BadJSON as problem:
                raise Unreadable(str(problem), line=number) from None


def _fields(document: object) -> dict[str, str]:
    if not isinstance(document, dict):
        raise BadJSON(_("This is not a JSON object."))
    if not document.keys() <= set(COLUMNS) or "url" not in document:
        raise BadJSON(
            _("It must have “url” and may have: %(columns)s.") % {"columns": ", ".join(COLUMNS[1:])}
        )
    fields = {name: value for name, value in document.items() if value is not None}
    if not all(isinstance(value, str) for value in fields.values()):
        raise BadJSON(_("Every value must be a text."))
    return {"url": "", **fields}


WAY: Final = Way("jsonl", (".jsonl", ".ndjson"), lines)
