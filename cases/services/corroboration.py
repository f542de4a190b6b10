"""How many have reported the same: counted for the notices of a page."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count

from cases.models import ReportLine


@dataclass(frozen=True)
class Corroboration:
    """`reports` that named it, from `sources` of which none knows of the other."""

    sources: int
    reports: int


def corroboration(notice_ids: Iterable[int]) -> dict[int, Corroboration]:
    """Of each notice; one that no report named (it was seen again) has 0 and 0. One query."""
    ids = list(notice_ids)
    counted = ReportLine.objects.filter(notice__in=ids).order_by().values("notice")
    rows = counted.annotate(
        sources=Count("report__source", distinct=True), reports=Count("report", distinct=True)
    )
    found = {row["notice"]: Corroboration(row["sources"], row["reports"]) for row in rows}
    return {pk: found.get(pk, Corroboration(0, 0)) for pk in ids}
