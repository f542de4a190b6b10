"""Exports: a frozen list of notices, read when it is fetched; each fetch is written down."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.contrib.postgres.aggregates import StringAgg
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery, Value
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.formats.notices_csv import COLUMNS, written
from cases.models import Bulk, Notice, ReportLine
from cases.services.refused import NotFound, WrongState

#: Rows that are read at a time, so that a long file costs no more memory than a short one.
CHUNK: Final = 1_000


def fetch(*, bulk_id: int, by: Actor, now: datetime) -> Iterator[str]:
    """The file, in parts. Raises NotFound, WrongState when it was not asked for yet or is kept no longer."""
    with transaction.atomic():
        bulk = Bulk.objects.filter(pk=bulk_id, act=Bulk.Act.EXPORT).first()
        if bulk is None:
            raise NotFound(_("There is no such export."))
        if bulk.state != Bulk.State.DONE or bulk.is_over(now=now):
            raise WrongState(_("This export is not there any more: ask for it again."))
        record("fetch_export", "bulk", bulk.pk, by=by, at=now, data={"notices": bulk.total})
    return _parts(bulk)


def results(*, bulk: Bulk) -> Iterator[str]:
    """What became of each notice of a bulk act, in parts."""
    yield written([("reference", "outcome", "reason")])
    last = 0
    while True:
        lines = list(bulk.lines.filter(pk__gt=last).select_related("notice").order_by("pk")[:CHUNK])
        if not lines:
            return
        yield written((line.notice.reference, line.outcome or "waiting", line.reason) for line in lines)
        last = lines[-1].pk


def _parts(bulk: Bulk) -> Iterator[str]:
    columns = [COLUMNS[code] for code in bulk.columns if code in COLUMNS]
    yield written([[code for code in bulk.columns if code in COLUMNS]])
    last = 0
    while True:
        lines = list(bulk.lines.filter(pk__gt=last).order_by("pk").values_list("pk", "notice_id")[:CHUNK])
        if not lines:
            return
        rows = _rows([notice_id for _pk, notice_id in lines], bulk.columns)
        yield written([column.of(notice) for column in columns] for notice in rows)
        last = lines[-1][0]


def _rows(notice_ids: list[int], columns: list[str]) -> list[Notice]:
    notices = Notice.objects.filter(pk__in=notice_ids).select_related("provider").order_by("pk")
    if "source" in columns:
        first = (
            ReportLine.objects.filter(notice=OuterRef("pk")).order_by("pk").values("report__source__code")[:1]
        )
        notices = notices.annotate(source_code=Subquery(first))
    if "dispatches" in columns:
        notices = notices.annotate(
            dispatch_numbers=StringAgg(
                "dispatch_lines__dispatch__number",
                Value(", "),
                distinct=True,
                filter=Q(dispatch_lines__dropped_because=""),
                order_by="dispatch_lines__dispatch__number",
            )
        )
    return list(notices)
