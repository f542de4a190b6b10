"""What a reporter is told of a report: an outcome for each line, and nothing else (docs/adr/0012)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import FollowUp, Notice, Report, ReportLine
from cases.services.refused import NotFound

_AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
#: Compared with when there is no such report, so that the answer takes as long.
_NOBODYS: Final = FollowUp(code_digest=bytes(32))

State, Dismissal, Withdrawal = Notice.State, Notice.Dismissal, Notice.Withdrawal


class Outcome(models.TextChoices):
    """All that an anonymous person ever hears."""

    LOOKED_AT = "looked_at", gettext_lazy("It is being looked at.")
    NO_ADDRESS = "no_address", gettext_lazy("This is not an address that can be removed.")
    JUDGED = "judged", gettext_lazy("It was judged: it is not illegal, or this cannot be judged.")
    PASSED_ON = "passed_on", gettext_lazy("It was passed to the hosting provider.")
    ABROAD = "abroad", gettext_lazy("It is hosted abroad, and is passed to the hotline there.")
    GONE = "gone", gettext_lazy("It is gone.")


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome of a line, and the day (in Amsterdam) since which it may be told; None while looked at."""

    line: int
    outcome: Outcome
    day: date | None = None


#: Why a notice was closed -> what is told. What is missing here goes on in another notice of the address.
_CLOSED: Final[dict[str, Outcome]] = {
    Dismissal.NOT_ILLEGAL: Outcome.JUDGED,
    Dismissal.CANNOT_JUDGE: Outcome.JUDGED,
    Dismissal.HOSTED_ABROAD: Outcome.ABROAD,
    Dismissal.GONE_BEFORE_NOTICE: Outcome.GONE,
    Withdrawal.OBJECTION_UPHELD: Outcome.JUDGED,
}


def follow(*, reference: str, code: str, now: datetime) -> list[Told]:
    """What may be told of each line of a report of the public form.

    Raises NotFound for a wrong reference as for a wrong code, and when both have been erased.
    """
    found = FollowUp.objects.select_related("report").filter(report__reference=reference).first()
    if not (found or _NOBODYS).opens_with(reference, code) or found is None:
        raise NotFound(_("There is no report with this number and this code."))
    report = found.report
    lines = list(report.lines.select_related("notice").order_by("number", "pk"))
    others = _others(line.content_id for line in lines if line.notice and _goes_on(line.notice))
    return [_told(report, line, others, now=now) for line in lines]


def _told(report: Report, line: ReportLine, others: dict[UUID | None, Notice], *, now: datetime) -> Told:
    if line.outcome == ReportLine.Outcome.REJECTED:
        return Told(line.number, Outcome.NO_ADDRESS, _day(report.received_at))
    for at, outcome in _news(line, others):
        # Known for days or found out just now: nobody can tell from what is said, or when.
        tellable = max(at + settings.HOST.follow_delay, report.received_at + settings.HOST.follow_silence)
        if tellable <= now:
            return Told(line.number, outcome, _day(tellable))
    return Told(line.number, Outcome.LOOKED_AT)


def _news(line: ReportLine, others: dict[UUID | None, Notice]) -> Iterator[tuple[datetime, Outcome]]:
    """What happened that may be told one day, the latest first."""
    notice = line.notice
    if notice is None:
        if line.decided_at is not None:
            yield line.decided_at, Outcome.NO_ADDRESS
        return
    if _goes_on(notice):
        notice = others.get(line.content_id, notice)
    if notice.removed_at is not None:
        yield notice.removed_at, Outcome.GONE
    if notice.closed_at is not None and notice.closed_because in _CLOSED:
        yield notice.closed_at, _CLOSED[notice.closed_because]
    # Taken back is not passed on any more.
    if notice.notified_at is not None and notice.state != State.WITHDRAWN:
        yield notice.notified_at, Outcome.PASSED_ON


def _goes_on(notice: Notice) -> bool:
    """Whether it was closed in favour of another notice of the same address."""
    return bool(notice.closed_because) and notice.closed_because not in _CLOSED


def _others(content_ids: Iterable[UUID | None]) -> dict[UUID | None, Notice]:
    """The last notice of each address that was not closed in favour of another."""
    wanted = set(content_ids)
    if not wanted:
        return {}
    rows = Notice.objects.filter(content__in=wanted).order_by("pk")
    return {notice.content_id: notice for notice in rows if not _goes_on(notice)}


def _day(at: datetime) -> date:
    return at.astimezone(_AMSTERDAM).date()
