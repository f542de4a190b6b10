"""The lines of a message as `;`-separated CSV (RFC 4180), for a machine or a spreadsheet."""

import csv
import io

from cases.formats.letter import Letter

HEADER = ("line", "reference", "url", "ip", "network", "class", "first_seen_utc", "last_seen_online_utc")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """Text that a spreadsheet does not take for a formula. The URL column is left exact: it is the order."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def attachment(letter: Letter) -> tuple[str, str, str]:
    """(file name, media type, text) of the CSV."""
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", lineterminator="\r\n")
    rows.writerow(HEADER)
    for line in letter.lines:
        seen = line.last_seen_online_at
        rows.writerow(
            (
                line.number,
                line.reference,
                line.url,
                neutral(line.address),
                neutral(line.network),
                neutral(line.legal_class),
                line.first_seen_at.isoformat(timespec="seconds"),
                seen.isoformat(timespec="seconds") if seen else "",
            )
        )
    return f"{letter.dispatch.number}.csv", "text/csv", out.getvalue()
