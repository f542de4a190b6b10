"""A provider's open notices as a CSV to fill in, and what became of many answers (`;`, RFC 4180)."""

from collections.abc import Iterable
from typing import Final

from cases.formats.notices_csv import written
from cases.models import Notice

#: What the list tells beside the empty columns of the answers. Addresses of the material are masked.
TOLD: Final = (
    "customer_reference", "ip", "network", "masked_url", "class", "sent_at", "due_at",
)  # fmt: skip
_TO_FILL_IN: Final = ("answer", "at", "reason", "note")
_NOTHING: Final = ("",) * len(_TO_FILL_IN)


def to_fill_in(notices: Iterable[Notice]) -> str:
    """A line for each notice; what is filled in can be uploaded as it is."""
    return written([("reference", *_TO_FILL_IN, *TOLD), *(_row(notice) for notice in notices)])


def _row(notice: Notice) -> tuple[object, ...]:
    place = notice.attribution
    return (
        notice.reference,
        *_NOTHING,
        notice.customer_reference,
        place.address if place else None,
        place.network if place else None,
        notice.masked_url,
        notice.legal_class,
        notice.sent_at,
        notice.due_at,
    )


def results(rows: Iterable[tuple[int, str, str, str, str, str]]) -> str:
    """What became of each: (line, reference, answer, outcome, column, reason)."""
    return written([("line", "reference", "answer", "outcome", "column", "reason"), *rows])
