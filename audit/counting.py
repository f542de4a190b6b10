"""Counting for the staff's pages, without any page that waits for a COUNT over millions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import connection, models
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


def _nobody() -> None:
    """Nobody has counted that many."""


@dataclass(frozen=True)
class Uncounted:
    """A counter of `rows` that is still to be counted, with all others of its page (`counters`).

    `since`: the column that says how long a row waits. `beyond`: what says how many there are, and when they were
    counted, if they are too many to count for a page.
    """

    name: str | Promise
    rows: "models.QuerySet[Any]"
    since: str
    href: str
    tone: str = ""
    beyond: Callable[[], tuple[int, datetime] | None] = _nobody


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


def up_to_each(asked: "Sequence[tuple[models.QuerySet[Any], str]]") -> list[Counted]:
    """Count the first rows of each in order of its `since`, which an index gives, and no more than COUNTED + 1 of them.

    With "" in any order, and without the first instant. All in one statement, and in the order they were asked for: a
    start page has fifty, and one by one each would be put together, sent, planned and waited for.
    """
    found = [Counted(0)] * len(asked)
    parts: list[str] = []
    parameters: list[Any] = []
    for place, (rows, since) in enumerate(asked):
        some = rows.order_by(since).values_list(since) if since else rows.order_by().values_list("pk")
        try:
            sql, its = some[: COUNTED + 1].query.sql_with_params()
        except EmptyResultSet:
            continue
        oldest = "min(part.it)" if since else "NULL::timestamptz"
        # The texts are Django's own, and a number.
        parts.append(f"SELECT {place}, count(*), {oldest} FROM ({sql}) AS part (it)")  # noqa: S608
        parameters += its
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), parameters)
            for place, count, first in cursor.fetchall():
                found[place] = Counted(count, first)
    return found


def counters(made: Iterable[Counter | Uncounted]) -> list[Counter]:
    """The same, all counted: what was not yet, in one statement."""
    listed = list(made)
    still = [each for each in listed if isinstance(each, Uncounted)]
    found = iter(up_to_each([(each.rows, each.since) for each in still]))
    return [_counter(each, next(found)) if isinstance(each, Uncounted) else each for each in listed]


def _counter(asked: Uncounted, found: Counted) -> Counter:
    kept = asked.beyond() if found.more else None
    if kept is None:
        return Counter(asked.name, found.count, found.oldest, asked.href, asked.tone, more=found.more)
    count, at = kept
    return Counter(asked.name, count, found.oldest, asked.href, asked.tone, counted_at=at)


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
