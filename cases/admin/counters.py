"""Counters of the start page and the desks: what waits for somebody, each opening exactly its rows."""

from datetime import datetime

from django.db.models import Count, Min
from django.urls import reverse

from audit.counting import Counter
from cases.models import Notice
from cases.queues import Queue


def counter(queue: Queue, *, now: datetime) -> Counter:
    """How many wait in a queue, and since when the oldest does."""
    found = queue.of(Notice.objects.all(), now).aggregate(count=Count("pk"), oldest=Min(queue.since))
    return Counter(
        name=queue.name,
        count=found["count"],
        oldest=found["oldest"],
        href=f"{reverse('admin:cases_notice_changelist')}?{queue.query}",
        tone=queue.tone,
    )
