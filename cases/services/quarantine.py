"""What was put aside for a person, and what the person makes of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases import url as urls
from cases.models import Content, Fingerprint, ReportLine
from cases.services import placing
from cases.services.fingerprints import remember
from cases.services.refused import NotFound, WrongState

Outcome = ReportLine.Outcome
#: What `decide_all` counts for a line that could not be decided, because somebody was first or the rule refuses it now.
REFUSED: Final = "refused"


@dataclass(frozen=True)
class Meaning:
    """What a line becomes if a person accepts it now: the address it is taken for (masked), its outcome, and the
    notice that it corroborates or comes back after. A line that a newer rule refuses is `rejected`, with the reason.
    """

    outcome: str
    masked: str = ""
    notice: str = ""
    reason: str = ""


def meanings(lines: Sequence[ReportLine]) -> dict[UUID, Meaning]:
    """Of each line that waits. One query, whatever their number."""
    read: dict[UUID, urls.Parsed] = {}
    meant: dict[UUID, Meaning] = {}
    for line in lines:
        try:
            read[line.pk] = _meant(line.raw_text)
        except WrongState as refusal:
            meant[line.pk] = Meaning(Outcome.REJECTED, reason=str(refusal))
    keys = {pk: Content.key_of(parsed.canonical) for pk, parsed in read.items()}
    places = placing.known(set(keys.values()))
    for pk, parsed in read.items():
        place = places.get(keys[pk])
        outcome = Outcome.NEW
        if place is not None and place.notice_id is not None:
            outcome = Outcome.DUPLICATE if place.is_open else Outcome.REAPPEARED
        meant[pk] = Meaning(outcome, urls.masked(parsed.canonical), place.reference if place else "")
    return meant


def decide_all(*, line_ids: Sequence[UUID], accept: bool, by: Actor, now: datetime) -> Counter[str]:
    """Decide on each of these lines as `decide_quarantined` does; returns how many came to which outcome.

    One that somebody else was first with is counted as REFUSED and stops none of the others.
    """
    counts: Counter[str] = Counter()
    for line_id in line_ids:
        try:
            line = decide_quarantined(line_id=line_id, accept=accept, by=by, now=now)
        except (NotFound, WrongState):
            counts[REFUSED] += 1
        else:
            counts[line.outcome] += 1
    return counts


def decide_quarantined(*, line_id: UUID, accept: bool, by: Actor, now: datetime) -> ReportLine:
    """Take a quarantined line for an address after all, or leave it aside for good.

    Accepted, it is new, a duplicate or reappeared, as it would have been on arrival; otherwise it stays
    quarantined. Raises NotFound, or WrongState when somebody has decided already.
    """
    with transaction.atomic():
        line = (
            ReportLine.objects.select_for_update(of=("self",))
            .select_related("report")
            .filter(pk=line_id)
            .first()
        )
        if line is None:
            raise NotFound(_("There is no such line."))
        if line.outcome != Outcome.QUARANTINED or line.decided_at is not None:
            raise WrongState(_("This line was decided already."))
        if accept:
            _place(line, by=by, now=now)
        line.decided_at, line.decided_by = now, str(by)
        line.save(update_fields=["outcome", "content", "notice", "decided_at", "decided_by"])
        data = {"line": line.number, "outcome": line.outcome}
        record("decide_quarantined", "report", line.report_id, by=by, at=now, data=data)
    return line


def _place(line: ReportLine, *, by: Actor, now: datetime) -> None:
    parsed = _meant(line.raw)
    placing.lock_intake()
    key = Content.key_of(parsed.canonical)
    place = placing.known([key]).get(key)
    if place is None or not place.is_open:
        place = placing.fresh(place)
        line.outcome = Outcome.NEW if place.previous_id is None else Outcome.REAPPEARED
        if place.content_id is None:
            content = Content.of(parsed, now=now)
            content.save(force_insert=True)
            place.content_id = content.pk
        placing.open_notices([place], by=by, now=now, data={"report": line.report.reference})
    else:
        line.outcome = Outcome.DUPLICATE
        placing.corroborate([place.notice_id] if place.notice_id else [], source_id=line.report.source_id)
    line.content_id, line.notice_id = place.content_id, place.notice_id
    if line.sha256 and place.content_id:
        remember([(place.content_id, bytes(line.sha256))], source=Fingerprint.Source.REPORT, now=now)


def _meant(raw: str) -> urls.Parsed:
    """Raises WrongState when a later rule refuses what an earlier one put aside."""
    try:
        return urls.parse(raw)
    except urls.Quarantine as quarantine:
        return quarantine.parsed
    except urls.Refusal as refusal:
        raise WrongState(str(urls.REASONS[refusal.code])) from None
