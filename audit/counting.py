"""Counting for the staff's pages, without any page that waits for a COUNT over millions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.paginator import Paginator
from django.db import models
from django.utils.functional import Promise, cached_property

#: A list counts so far and no further: who needs the row after that searches more narrowly.
COUNTED: Final = 1_000


@dataclass(frozen=True)
class Counter:
    """What waits for somebody, on the start page. `href` opens exactly the rows that were counted.

    `oldest`: since when the oldest waits, or when the first is due. `tone`: warn or bad when there are any.
    """

    name: str | Promise
    count: int
    oldest: datetime | None
    href: str
    tone: str = ""


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
