"""A file of sightings: `notice;seen_at;outcome;http_status;vantage;note`, read as strictly as files of reports."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from cases.intake.csv_file import filled, table
from cases.intake.instants import instant
from cases.intake.way import Unreadable
from cases.models import Sighting
from cases.models.notice import NOTICE_REFERENCE
from cases.services.observe import PERSON, Seen

REQUIRED: Final = ("notice", "seen_at", "outcome")
COLUMNS: Final = (*REQUIRED, "http_status", "vantage", "note")
#: Lines of one file.
MOST: Final = 5_000
_LONGEST_VANTAGE: Final = 60
_LONGEST_NOTE: Final = 300

_REFERENCE: Final = re.compile(NOTICE_REFERENCE)
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")


class Line(NamedTuple):
    """A line of the file, by its number there: what was seen, or why that cannot be read. `notice` may be no reference."""

    number: int
    notice: str
    seen: Seen | None
    why: str = ""


class _Wrong(Exception):
    """A field is wrong; the text says which, and how it should be."""


def lines(stream: BinaryIO) -> list[Line]:
    """The lines of a file, at most MOST; empty ones do not count. Raises Unreadable for the file as a whole."""
    order, records = table(stream, columns=COLUMNS, required=REQUIRED)
    found: list[Line] = []
    for line in _lines(order, records):
        if len(found) == MOST:
            most = number_format(MOST, force_grouping=True)
            raise Unreadable(
                _("There are more than %(most)s lines in it: send it in parts.") % {"most": most}
            )
        found.append(line)
    if not found:
        raise Unreadable(_("There are no lines in it."))
    return found


def _lines(order: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[Line]:
    for number, fields, why in filled(order, records):
        if why:
            yield Line(number, "", None, why)
            continue
        reference = fields["notice"].upper()
        try:
            yield Line(number, reference, _seen(reference, fields))
        except _Wrong as wrong:
            # What is no reference may be anything, an address too: it is not shown again.
            shown = reference if _REFERENCE.fullmatch(reference) else ""
            yield Line(number, shown, None, str(wrong))


def _seen(reference: str, fields: dict[str, str]) -> Seen:
    if not _REFERENCE.fullmatch(reference):
        raise _Wrong(_("notice: this is not a reference of ours, such as N-0123456789."))
    try:
        seen_at = instant(fields["seen_at"])
    except ValueError:
        raise _Wrong(
            _("seen_at: write it as ISO 8601 with its zone, such as 2026-11-24T10:00:00Z.")
        ) from None
    outcome = fields["outcome"].lower()
    if outcome not in Sighting.Outcome.values:
        outcomes = ", ".join(Sighting.Outcome.values)
        raise _Wrong(_("outcome: it must be one of %(outcomes)s.") % {"outcomes": outcomes})
    status = fields.get("http_status", "")
    if status and not _STATUS.fullmatch(status):
        raise _Wrong(_("http_status: it must be a number of 100 to 599, or empty."))
    for name, longest in (("vantage", _LONGEST_VANTAGE), ("note", _LONGEST_NOTE)):
        text = fields.get(name, "")
        if len(text) > longest or not text.isprintable():
            raise _Wrong(
                _("%(name)s: it must be one line of at most %(longest)d characters.")
                % {"name": name, "longest": longest}
            )
    return Seen(
        reference=reference,
        seen_at=seen_at,
        outcome=outcome,
        vantage=fields.get("vantage") or PERSON,
        http_status=int(status) if status else None,
        note=fields.get("note", ""),
    )
