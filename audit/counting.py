"""Counting for the staff's pages, without any page that waits for a COUNT over millions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.paginator import Paginator
from django.db import models
from django.utils.functional import Promise, cached_property

#: A list counts so far and no further: who needs the row after that searches more narrowly.
COUNTED: Final = 1_000


@dataclass(frozen=True)
class Counter:
    """What waits for somebody, on the start page. `href` opens exactly the rows that were counted.

    `oldest`: since when the oldest waits, or when the first is due. `tone`: warn or bad when there are any.
    `counted_at`: when a figure was counted that is too large to count for each page; None for one of this moment.
    `more`: there are more, and nobody has counted them yet.
    """

    name: str | Promise
    count: int
    oldest: datetime | None
    href: str
    tone: str = ""
    counted_at: datetime | None = None
    more: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A list that somebody keeps under a name. `count`: "12", "1,000+" beyond COUNTED, or None if nobody knows."""

    name: str
    href: str
    count: str | None = None
    current: bool = False


@dataclass(frozen=True)
class Counted:
    """How many rows there are, up to COUNTED + 1, and the first instant of the column that was asked for."""

    found: int
    oldest: datetime | None = None

    @property
    def count(self) -> int:
        """How many, or COUNTED when there are more."""
        return min(self.found, COUNTED)

    @property
    def more(self) -> bool:
        """Whether there are more than were counted."""
        return self.found > COUNTED


def up_to(rows: "models.QuerySet[Any]", since: str = "") -> Counted:
    """Count the first rows in order of `since`, which an index gives, and no more than COUNTED + 1 of them."""
    some = rows.order_by(since)[: COUNTED + 1] if since else rows.order_by()[: COUNTED + 1]
    if not since:
        return Counted(some.count())
    found = some.aggregate(count=models.Count("pk"), oldest=models.Min(since))
    return Counted(found["count"], found["oldest"])


class Bounded(Paginator):  # type: ignore[type-arg]  # it is no generic when it runs
    """Pages of at most COUNTED rows: no page waits for a COUNT over millions."""

    @cached_property
    def count(self) -> int:
        """How many there are, or COUNTED when there are more."""
        return min(self.found, COUNTED)

    @cached_property
    def found(self) -> int:
        """How many there are, or COUNTED + 1 when there are more."""
        rows = self.object_list
        if isinstance(rows, models.QuerySet):
            return rows.order_by()[: COUNTED + 1].count()
        return len(rows)
