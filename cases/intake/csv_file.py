"""CSV: UTF-8, `;`, quoted as RFC 4180 has it, with a header whose columns may stand in any order."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from cases.intake.instants import instant
from cases.intake.text_lines import text_lines
from cases.intake.way import Unreadable, Way
from cases.services.receive import Line

COLUMNS: Final = ("url", "referrer", "reference", "received_at", "category", "note", "sha256")
_NAME: Final = re.compile(r"[\w -]{1,40}")


def lines(stream: BinaryIO) -> Iterator[Line]:
    """One line per record after the header; empty records do not count. Raises Unreadable."""
    order, records = table(stream, columns=COLUMNS, required=("url",))
    width = len(order)
    for _number, record in records:
        if len(record) == width:
            yield line_of(dict(zip(order, record, strict=True)))
        elif record:
            # One bad line never loses the rest; which of its fields is the address cannot be told.
            yield Line(";".join(record), fault="bad_columns")


def line_of(fields: dict[str, str]) -> Line:
    """A line from its fields by name. A time that is none is the line's fault."""
    received_at, fault = None, ""
    if text := fields.pop("received_at", "").strip():
        try:
            received_at = instant(text)
        except ValueError:
            fault = "bad_received_at"
    return Line(**fields, received_at=received_at, fault=fault)


def table(
    stream: BinaryIO, *, columns: Sequence[str], required: Sequence[str], separators: str = ";"
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names of the header, and after it (line of the file, fields) of each record. Both may raise Unreadable.

    `separators`: what may stand between fields; the header tells which of them does.
    """
    records = _records(stream, separators)
    header = next(records, None)
    if header is None:
        raise Unreadable(_("The file is empty."))
    return _order(header[1], columns, required), records


def filled(
    order: Sequence[str], records: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, dict[str, str], str]]:
    """Each record that is not empty: its line of the file, its fields by name, and why they cannot be told, or ""."""
    for number, record in records:
        if not any(field.strip() for field in record):
            continue
        if len(record) != len(order):
            why = _("The line has %(found)d fields, the header has %(wanted)d.")
            yield number, {}, why % {"found": len(record), "wanted": len(order)}
            continue
        yield number, {name: field.strip() for name, field in zip(order, record, strict=True)}, ""


def _records(stream: BinaryIO, separators: str) -> Iterator[tuple[int, list[str]]]:
    """(line of the file on which it begins, fields)."""
    begins_at, lines_of_text = 1, text_lines(stream)
    header = next(lines_of_text, None)
    if header is None:
        return
    separator = max(separators, key=header.count)  # the first of them where there is none
    reader = csv.reader(chain([header], lines_of_text), delimiter=separator, strict=True)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(_explained(str(error)), line=begins_at) from None
        yield begins_at, record
        begins_at = reader.line_num + 1


def _explained(error: str) -> str:
    """The reader's complaint in words; unlike the reader's own they repeat nothing of the file."""
    if "field larger" in error or "unexpected end" in error:
        return _(
            "A quotation mark that opens here is not closed, or a field is longer than 131,072 characters."
        )
    if "new-line character" in error:
        return _("There is a carriage return (CR) without a line feed in it. Save the file with CR LF or LF.")
    return _("A quotation mark closes in the middle of a field. Write it doubled inside quotation marks.")


def _order(header: Sequence[str], columns: Sequence[str], required: Sequence[str]) -> list[str]:
    names = [name.strip().lower() for name in header]
    if len(names) == 1 and ("," in names[0] or "\t" in names[0]):
        raise Unreadable(_("The columns are not separated by semicolons (;)."), line=1)
    for name in names:
        if not _NAME.fullmatch(name):
            raise Unreadable(
                _("The first line is no header. It must name the columns: %(columns)s; ...")
                % {"columns": "; ".join(required)},
                line=1,
            )
        if name not in columns:
            raise Unreadable(
                _("There is no column “%(name)s”. There are: %(columns)s.")
                % {"name": name, "columns": ", ".join(columns)},
                line=1,
            )
        if names.count(name) > 1:
            raise Unreadable(_("The column “%(name)s” is there twice.") % {"name": name}, line=1)
    for name in required:
        if name not in names:
            raise Unreadable(_("The column “%(name)s” is missing.") % {"name": name}, line=1)
    return names


WAY: Final = Way("csv", (".csv",), lines)
