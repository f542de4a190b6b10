"""Counters of the start page and the desks: what waits for somebody, each opening exactly its rows.

A counter counts for itself as far as audit.counting.COUNTED rows; beyond that it says what the sweep counted, and
when (cases/services/figures.py).
"""

from datetime import datetime
from functools import cached_property, partial
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise

from audit.counting import Uncounted
from cases.models import Figure, Notice
from cases.queues import Queue


class Figures:
    """What the sweep counted: read once for a page, and only if something on it is too large to count for it."""

    @cached_property
    def _all(self) -> dict[str, Figure]:
        return Figure.objects.in_bulk()

    def of(self, code: str) -> tuple[int, datetime] | None:
        """How many, and counted when; None when nobody has counted."""
        figure = self._all.get(code)
        return None if figure is None else (figure.count, figure.counted_at)


def uncounted(
    code: str,
    rows: QuerySet[Any],
    since: str,
    *,
    name: str | Promise,
    href: str,
    tone: str = "",
    figures: Figures,
) -> Uncounted:
    """The counter of a set of rows; `code` names its figure."""
    return Uncounted(name, rows, since, href, tone, partial(figures.of, code))


def counter(queue: Queue, *, now: datetime, figures: Figures) -> Uncounted:
    """How many wait in a queue, and since when the oldest does."""
    href = f"{reverse(queue.desk)}?{queue.query}"
    rows = queue.of(Notice.objects.all(), now)
    return uncounted(
        queue.code, rows, queue.since, name=queue.name, href=href, tone=queue.tone, figures=figures
    )
