"""The lines of a message as `;`-separated CSV (RFC 4180), for a machine or a spreadsheet."""

import csv
import io
from datetime import datetime
from typing import Final

from cases.formats.files import File
from cases.formats.letter import Letter
from providers.spreadsheets import neutral

#: New columns come at the end: desks read it by their own scripts.
HEADER: Final = (
    "line", "reference", "url", "ip", "network", "class", "first_seen_utc", "last_seen_online_utc",
    "masked_url", "names", "referrer", "media_type", "due_utc",
)  # fmt: skip


def files(letter: Letter) -> list[File]:
    """The one file. `url` and `referrer` are empty, or defanged, where the contact's mode wants them so."""
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", lineterminator="\r\n")
    rows.writerow(HEADER)
    for line in letter.lines:
        rows.writerow(
            (
                line.number,
                line.reference,
                line.url or line.defanged_url,
                neutral(line.address),
                neutral(line.network),
                neutral(line.legal_class),
                _utc(line.first_seen_at),
                _utc(line.last_seen_online_at),
                neutral(line.masked_url),
                "file" if line.is_file else "page",
                neutral(line.referrer or line.defanged_referrer),
                neutral(line.judged_type or line.media_type),
                _utc(line.due_at),
            )
        )
    return [File(f"{letter.dispatch.number}.csv", "text/csv", out.getvalue())]


def _utc(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
