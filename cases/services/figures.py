"""Keeping the figures: what a page would have to count over many rows is counted by a sweep, and dated.

A page counts for itself as far as audit.counting.COUNTED rows, which an index gives at once; only beyond that it
says what stands here. So a small queue is never stale, and a large one says how old its figure is.
"""

from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

from django.db.models import Count, F, Min, Q

from audit.counting import up_to_each
from cases.filters import parsed
from cases.models import Figure, Notice, ProviderFigure, SavedFilter
from cases.models.notice import NoticeQuerySet
from cases.queues import SETS

#: A figure that is younger is left as it is (P).
FRESH: Final = timedelta(seconds=45)
#: Seconds for the saved filters in one pass; those that were not reached are first in the next.
FILTERS_S: Final = 5.0


def keep(*, now: datetime) -> None:
    """Count anew what was not counted lately."""
    if not Figure.objects.filter(counted_at__gt=now - FRESH).exists():
        _count_queues(now)
        _count_providers(now)
    _count_filters(now)


def by_provider(notices: NoticeQuerySet, *, now: datetime) -> list[dict[str, Any]]:
    """What is open with each provider that has something overdue, the one with the oldest first."""
    overdue = Q(due_at__lte=now)
    found = (
        notices.open()
        .values("provider_id", "provider__name")
        .annotate(
            open=Count("pk"),
            overdue=Count("pk", filter=overdue),
            oldest=Min("due_at", filter=overdue),
            silent=Count("pk", filter=overdue & Q(acknowledged_at__isnull=True)),
            online=Count("pk", filter=overdue & Q(last_seen_online_at__gt=F("due_at"))),
            disputed=Count("pk", filter=overdue & Q(disputed_at__isnull=False)),
        )
        .filter(overdue__gt=0)
        .order_by("oldest", "provider_id")
    )
    return [dict(row) for row in found]


def _count_queues(now: datetime) -> None:
    figures = []
    for code, (rows, since) in SETS.items():
        found = rows(now).order_by().aggregate(count=Count("pk"), oldest=Min(since))
        figures.append(Figure(code=code, count=found["count"], oldest_at=found["oldest"], counted_at=now))
    Figure.objects.bulk_create(
        figures,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["count", "oldest_at", "counted_at"],
    )


def _count_providers(now: datetime) -> None:
    figures = [
        ProviderFigure(
            provider_id=row["provider_id"],
            oldest_at=row["oldest"],
            counted_at=now,
            **{name: row[name] for name in ("open", "overdue", "silent", "online", "disputed")},
        )
        for row in by_provider(Notice.objects.all(), now=now)
    ]
    ProviderFigure.objects.bulk_create(
        figures,
        update_conflicts=True,
        unique_fields=["provider"],
        update_fields=["open", "overdue", "oldest_at", "silent", "online", "disputed", "counted_at"],
    )
    ProviderFigure.objects.filter(counted_at__lt=now).delete()


def _count_filters(now: datetime) -> None:
    ends = monotonic() + FILTERS_S
    old = SavedFilter.objects.filter(Q(counted_at__isnull=True) | Q(counted_at__lte=now - FRESH))
    for saved in old.order_by(F("counted_at").asc(nulls_first=True), "pk"):
        form = parsed(saved.query)
        saved.count = None
        if form.is_valid():
            (counted,) = up_to_each([(form.applied(Notice.objects.all(), now=now), "")])
            saved.count = counted.found
        saved.counted_at = now
        saved.save(update_fields=["count", "counted_at"])
        if monotonic() >= ends:
            return
