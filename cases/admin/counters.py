"""Counters of the start page and the desks: what waits for somebody, each opening exactly its rows.

A counter counts for itself as far as audit.counting.COUNTED rows; beyond that it says what the sweep counted, and
when (cases/services/figures.py).
"""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise

from audit.counting import Counter, up_to
from cases.models import Figure, Notice
from cases.queues import Queue


def counted(
    code: str, rows: QuerySet[Any], since: str, *, name: str | Promise, href: str, tone: str = ""
) -> Counter:
    """The counter of a set of rows; `code` names its figure."""
    live = up_to(rows, since)
    figure = Figure.objects.filter(code=code).first() if live.more else None
    if figure is None:
        return Counter(name, live.count, live.oldest, href, tone, more=live.more)
    return Counter(name, figure.count, live.oldest, href, tone, counted_at=figure.counted_at)


def counter(queue: Queue, *, now: datetime) -> Counter:
    """How many wait in a queue, and since when the oldest does."""
    href = f"{reverse(queue.desk)}?{queue.query}"
    rows = queue.of(Notice.objects.all(), now)
    return counted(queue.code, rows, queue.since, name=queue.name, href=href, tone=queue.tone)
