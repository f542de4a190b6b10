"""Pages of a long list by the place of a row, not by its number: page 1,000 costs what page 1 does.

A cursor is the place of a row in the order: its instant in microseconds and its id. It stays good when the row
itself has left the list; rows that come in meanwhile move nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.http import urlencode

M = TypeVar("M", bound=Model)

SIZE: Final = 50

_CURSOR: Final = re.compile(r"(-?[0-9]{1,17})\.([0-9]{1,18})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Order:
    """By an instant that every row of the list has, then by id, both in one direction."""

    column: str
    latest_first: bool = False


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows in order; `before` and `after` are the cursors of the neighbouring pages, or "" at an end."""

    rows: list[M]
    before: str = ""
    after: str = ""

    def urls(self, query: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Where the neighbouring pages are, for components/pagination.html; `query`: the rest of the address."""
        kept = [(key, value) for key, value in query if key not in {"after", "before"}]
        return {
            name: f"?{urlencode([*kept, (key, place)])}" if place else ""
            for name, key, place in (
                ("previous_url", "before", self.before),
                ("next_url", "after", self.after),
            )
        }


def page(rows: "QuerySet[M]", *, order: Order, after: str = "", before: str = "", size: int = 0) -> Page[M]:
    """The page that follows the place `after`, or ends ahead of the place `before`.

    What is no cursor is no place: then it is the first page. `size` rows, or SIZE when it is 0.
    """
    size = size or SIZE
    place = _place(before or after)
    backwards = bool(before) and place is not None
    descending = order.latest_first != backwards
    if place is not None:
        rows = rows.filter(_beyond(order.column, place, "lt" if descending else "gt"))
    sign = "-" if descending else ""
    found = list(rows.order_by(f"{sign}{order.column}", f"{sign}pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Page([])
    first, last = (cursor(row, order.column) for row in (found[0], found[-1]))
    if backwards:
        return Page(found, before=first if more else "", after=last)
    return Page(found, before=first if place is not None else "", after=last if more else "")


def _beyond(column: str, place: tuple[datetime, int], side: str) -> Q:
    at, pk = place
    # The first bound says nothing new; it lets the index begin at the place.
    bound = Q(**{f"{column}__{side}e": at})
    return bound & (Q(**{f"{column}__{side}": at}) | Q(**{column: at, f"pk__{side}": pk}))


def cursor(row: Model, column: str) -> str:
    """The place of a row in an order by `column`."""
    return f"{(getattr(row, column) - _EPOCH) // _MICROSECOND}.{row.pk}"


def _place(text: str) -> tuple[datetime, int] | None:
    match = _CURSOR.fullmatch(text)
    if match is None:
        return None
    try:
        return _EPOCH + int(match[1]) * _MICROSECOND, int(match[2])
    except OverflowError:
        return None
