"""The receipt of a report: what became of each line, for people and for machines."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cases.models import Report
from cases.models.report import reason_text

HEADER: Final = ("line", "outcome", "notice", "reason")


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line's outcome. `notice` is a reference or "", `code` a reason's code or ""."""

    line: int
    outcome: str
    notice: str = ""
    code: str = ""

    @property
    def reason(self) -> str:
        """The reason in words, in the language of the moment."""
        return reason_text(self.code)


def lines(report: Report) -> Iterator[ReceiptLine]:
    """The receipt of `report` in order of its lines, as far as it is done. Streams."""
    rows = report.lines.order_by("number", "pk").values_list(
        "number", "outcome", "notice__reference", "reason"
    )
    for number, outcome, reference, code in rows.iterator(chunk_size=2_000):
        yield ReceiptLine(number, outcome, reference or "", code)


def as_csv(receipt: Iterable[ReceiptLine]) -> Iterator[str]:
    """`line;outcome;notice;reason`, header first, CRLF at the end of each line (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for each in receipt:
        yield out.getvalue()
        out.seek(0)
        out.truncate()
        writer.writerow((each.line, each.outcome, each.notice, each.reason))
    yield out.getvalue()
