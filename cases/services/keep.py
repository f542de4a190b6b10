"""What comes in is kept first and read afterwards: what was answered for is never lost.

A file that is refused leaves nothing, one that is kept is read to its end whatever dies in between, and the
same one again, also beside the first, finds the first.
"""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import Report, Source, Unread
from cases.services.receive import BATCH, Line, NoLines, changed, find_or_begin, record_begin, take

logger = logging.getLogger(__name__)

#: One pass of the sweep reads for so long and leaves the rest to the next: others wait on the same queue.
SLICE: Final = timedelta(seconds=20)


def keep(
    *,
    source: Source,
    way: str,
    lines: Iterable[Line],
    digest: bytes | None,
    by: Actor,
    now: datetime,
    their_reference: str = "",
) -> Report:
    """Keep a report, sealed, to be read by `read_on` or the next sweep; what `lines` raises leaves nothing.

    The same digest from the same source is the same report, however far it was read. One whose lines went with
    a broken call is completed by these. Raises NoLines, or Changed when these are not its lines.
    """
    with transaction.atomic():
        report, is_new = find_or_begin(source, way, digest, 0, their_reference, by=by, now=now)
        if not is_new:
            report = Report.objects.select_for_update(of=("self",)).select_related("source").get(pk=report.pk)
        if report.finished_at is None and not report.unread.exists():
            total = _seal(report, lines)
            if total == 0:
                raise NoLines(_("There are no lines in it."))
            if is_new:
                report.total = total
                report.save(update_fields=["total"])
                record_begin(report, by=by, now=now)
            elif total != report.total:
                raise changed()
    return report


def read_on(*, report_id: int, now: datetime) -> Report:
    """Read what is kept of a report, to its end, in the name of who brought it."""
    while _read_next(report_id, now):
        pass
    return Report.objects.get(pk=report_id)


def read_due(*, clock: Callable[[], datetime]) -> None:
    """Read what is kept, for at most SLICE: of each report a batch in turn, so that a short one is not kept
    waiting by a long one. One that cannot be read is left lying for a person, and holds up no other."""
    ends = clock() + SLICE
    unreadable: list[int] = []
    while (now := clock()) < ends:
        waiting = Unread.objects.exclude(report__in=unreadable).order_by("first", "pk")
        report_id = waiting.values_list("report", flat=True).first()
        if report_id is None:
            return
        try:
            _read_next(report_id, now)
        except (OperationalError, InterfaceError):
            raise  # the database is away: that is no fault of this report
        except Exception:
            logger.exception("report %s cannot be read", Report.objects.get(pk=report_id).reference)
            unreadable.append(report_id)


def _read_next(report_id: int, now: datetime) -> bool:
    """Read the next batch; False when nothing is kept."""
    kept = Unread.objects.filter(report=report_id).select_related("report").order_by("first", "pk").first()
    if kept is None:
        return False
    batch = list(enumerate(_unpacked(kept.lines), start=kept.first))
    take(report_id, batch, by=Actor.named(kept.report.by), now=now)
    return True


def _seal(report: Report, lines: Iterable[Line]) -> int:
    """Keep the lines that come after those that were read; returns how many there are in all."""
    rest = iter(lines)
    number = sum(1 for _line in islice(rest, report.done))
    while batch := list(islice(rest, BATCH)):
        kept = Unread(report=report, first=number + 1, last=number + len(batch))
        kept.lines = _packed(batch)
        kept.save(force_insert=True)
        number = kept.last
    return number


# -- Lines as one text: what is not said is left out, so that a line of an older version reads as well ----------

_NAMES: Final = tuple(field.name for field in fields(Line))
_values = attrgetter(*_NAMES)


def _packed(lines: Iterable[Line]) -> str:
    said = [
        {name: value for name, value in zip(_NAMES, _values(line), strict=True) if value} for line in lines
    ]
    return json.dumps(said, default=datetime.isoformat, separators=(",", ":"))


def _unpacked(text: str) -> list[Line]:
    lines = []
    for said in json.loads(text):
        if "received_at" in said:
            said["received_at"] = datetime.fromisoformat(said["received_at"])
        lines.append(Line(**{"url": "", **said}))
    return lines
