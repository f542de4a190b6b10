"""Many answers at once: looked at, frozen, recorded once, with what became of each line."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import models, transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import AnswerSheet
from cases.services import answers as answering
from cases.services.answers import Answer
from cases.services.refused import Invalid, NotFound

#: Lines of one sheet.
MOST: Final = answering.BATCH
#: What was looked at and not recorded is kept so long (P); what was recorded for longer.
KEPT: Final = timedelta(hours=24)
KEPT_RECORDED: Final = timedelta(days=30)
#: So many files of one person wait at once to be recorded; the one before these is let go.
MOST_WAITING: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One answer of a sheet. `number`: its line in the file, or its place among the chosen.

    `outcome` is "" before anything is known, then recorded, unchanged or refused; `why` says why it was refused, and
    `column` names the column at fault. A line that could not be read is refused from the start.
    """

    number: int
    reference: str
    answer: str = ""
    at: datetime | None = None
    reason: str = ""
    note: str = ""
    outcome: str = ""
    column: str = ""
    why: str = ""


def prepare(
    *, provider_id: int, way: AnswerSheet.Way, lines: Sequence[Line], once: str, by: Actor, now: datetime
) -> AnswerSheet:
    """Freeze the lines; nothing is answered yet.

    `once`: minted with the page that they were sent from; the same lines from the same page are the same sheet.
    Raises Invalid for no lines and for more than MOST.
    """
    _bounded(lines)
    text = _written(lines)
    sheet = _sheet(provider_id, way, len(lines), _token(once, text), by=by, now=now)
    sheet.lines = text
    AnswerSheet.objects.bulk_create([sheet], ignore_conflicts=True)
    waiting = AnswerSheet.objects.filter(provider=provider_id, by=str(by), recorded_at=None)
    older = waiting.order_by("-pk").values("pk")[MOST_WAITING:]
    AnswerSheet.objects.filter(pk__in=older).delete()
    return AnswerSheet.objects.get(provider=provider_id, token=sheet.token)


def record_for_all(
    *, provider_id: int, references: Sequence[str], said: Answer, once: str, by: Actor, now: datetime
) -> AnswerSheet:
    """Record one answer about many notices, whatever reference `said` has; its sheet says what became of each.

    A second press, told by `once` as in `prepare`, changes nothing and gives the first one's sheet.
    Raises Invalid for no references and for more than MOST.
    """
    _bounded(references)
    words = [getattr(said, field.name) for field in fields(said) if field.name != "reference"]
    answers = [Answer(reference, *words) for reference in references]
    token = _token(once, f"{said!r}\0{' '.join(references)}")
    with transaction.atomic():
        # The row first and empty: who presses at the same moment waits here, and then finds it recorded.
        empty = _sheet(provider_id, AnswerSheet.Way.LIST, len(references), token, by=by, now=now)
        AnswerSheet.objects.bulk_create([empty], ignore_conflicts=True)
        sheet = AnswerSheet.objects.select_for_update(of=("self",)).get(provider=provider_id, token=token)
        if sheet.recorded_at is None:
            outcomes = answering.answer_many(provider_id=provider_id, answers=answers, by=by, now=now)
            kept = said.answer, said.at, said.reason, said.note
            lines = [
                Line(number, each.reference, *kept, each.outcome, each.column, each.reason)
                for number, each in enumerate(outcomes, start=1)
            ]
            _recorded(sheet, lines, by=by, now=now)
    return sheet


def foreseen(sheet: AnswerSheet, *, now: datetime) -> list[Line]:
    """What would become of each line as things are now; nothing is recorded."""
    lines = lines_of(sheet)
    outcomes = answering.foresee(provider_id=sheet.provider_id, answers=_answers(lines), now=now)
    return _with(lines, outcomes)


def record_sheet(*, provider_id: int, token: UUID, by: Actor, now: datetime) -> AnswerSheet:
    """Record the answers of a sheet, each with its outcome. A second time changes nothing. Raises NotFound."""
    with transaction.atomic():
        sheet = (
            AnswerSheet.objects.select_for_update(of=("self",))
            .filter(provider=provider_id, token=token, erased_at__gt=now)
            .first()
        )
        if sheet is None:
            raise NotFound(_("There is no such sheet of answers."))
        if sheet.recorded_at is not None:
            return sheet
        lines = lines_of(sheet)
        outcomes = answering.answer_many(provider_id=provider_id, answers=_answers(lines), by=by, now=now)
        _recorded(sheet, _with(lines, outcomes), by=by, now=now)
    return sheet


def lines_of(sheet: AnswerSheet) -> list[Line]:
    """The lines of a sheet, in its order."""
    return [
        Line(number, reference, answer, datetime.fromisoformat(at) if at else None, *rest)
        for number, reference, answer, at, *rest in json.loads(sheet.lines)
    ]


def to_erase(now: datetime) -> "models.QuerySet[AnswerSheet]":
    """What is kept no longer."""
    return AnswerSheet.objects.filter(erased_at__lte=now)


def erase(rows: Sequence[AnswerSheet], by: Actor, now: datetime) -> None:
    """Erase sheets; the answers stay, each with its event."""
    AnswerSheet.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _bounded(lines: Sequence[object]) -> None:
    if not lines:
        raise Invalid(_("There are no answers in it."))
    if len(lines) > MOST:
        raise Invalid(
            _("These are more than %(most)s answers: send them in parts.")
            % {"most": number_format(MOST, force_grouping=True)}
        )


def _token(once: str, text: str) -> UUID:
    return UUID(bytes=hashlib.sha256(f"{once}\0{text}".encode()).digest()[:16])


def _sheet(
    provider_id: int, way: AnswerSheet.Way, total: int, token: UUID, *, by: Actor, now: datetime
) -> AnswerSheet:
    return AnswerSheet(
        provider_id=provider_id,
        token=token,
        way=way,
        by=str(by),
        total=total,
        lines_sealed=b"",
        created_at=now,
        erased_at=now + KEPT,
    )


def _recorded(sheet: AnswerSheet, lines: Sequence[Line], *, by: Actor, now: datetime) -> None:
    """Keep what became of the lines of a locked sheet."""
    sheet.lines = _written(lines)
    sheet.by, sheet.recorded_at, sheet.erased_at = str(by), now, now + KEPT_RECORDED
    sheet.save(update_fields=["lines_sealed", "by", "recorded_at", "erased_at"])


def _written(lines: Sequence[Line]) -> str:
    rows = [
        (
            line.number,
            line.reference,
            line.answer,
            line.at.isoformat() if line.at else None,
            line.reason,
            line.note,
            line.outcome,
            line.column,
            line.why,
        )
        for line in lines
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _answers(lines: Sequence[Line]) -> list[Answer]:
    """What the lines say; not those that could not be read."""
    return [
        Answer(line.reference, line.answer, line.at, line.reason, line.note)
        for line in lines
        if not line.outcome
    ]


def _with(lines: Sequence[Line], outcomes: Sequence[answering.Outcome]) -> list[Line]:
    """The lines with what became of each."""
    told = iter(outcomes)
    return [line if line.outcome else _told(line, next(told)) for line in lines]


def _told(line: Line, outcome: answering.Outcome) -> Line:
    return replace(line, outcome=outcome.outcome, column=outcome.column, why=outcome.reason)
