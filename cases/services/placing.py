"""The one place where an address gets its content and its notice; intake and quarantine both come here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from audit.record import Actor
from cases.models import Notice
from cases.models.notice import new_notice_reference
from cases.priority import Priority, priority_of

#: Not closed: a report of the same address now corroborates this notice.
OPEN: Final = (Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED)

# One batch at a time may ask what is known and add to it. Everything slow (reading, encrypting) is done
# outside or is small; with it two imports of one address cannot both call it new.
_INTAKE_LOCK: Final = 7_250_101


@dataclass(slots=True)
class Place:
    """Where an address stands: its content and its open notice, or else its last one.

    `content_id` and `notice_id` are None as long as that row is not there. `previous_id` is set on a notice
    to be opened after an earlier one; `was_removed` says that the earlier one ended in a proven removal.
    """

    content_id: UUID | None
    notice_id: int | None
    reference: str
    is_open: bool
    was_removed: bool = False
    previous_id: int | None = None


def fresh(before: Place | None) -> Place:
    """The place of a notice to be opened, after what was there before."""
    return Place(
        content_id=before.content_id if before else None,
        notice_id=None,
        reference=new_notice_reference(),
        is_open=True,
        was_removed=before is not None and before.was_removed,
        previous_id=before.notice_id if before else None,
    )


def lock_intake() -> None:
    """Wait for other batches; ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_INTAKE_LOCK])


def known(keys: Iterable[bytes]) -> dict[bytes, Place]:
    """What is known of each blind index of an address; unknown ones are left out."""
    # LIMIT makes the planner ask the index for each key: what it costs follows the batch, not the table.
    statement = """
        SELECT wanted.url_key, c.id, n.id, coalesce(n.reference, ''), coalesce(n.state = ANY(%s), false),
               coalesce(n.state = 'removed', false)
        FROM unnest(%s::bytea[]) AS wanted (url_key)
        CROSS JOIN LATERAL (SELECT id FROM cases_content WHERE url_key = wanted.url_key LIMIT 1) c
        LEFT JOIN LATERAL (
            SELECT id, reference, state FROM cases_notice WHERE content_id = c.id
            ORDER BY (state = ANY(%s)) DESC, id DESC LIMIT 1
        ) n ON true
    """
    states = [str(state) for state in OPEN]
    with connection.cursor() as cursor:
        cursor.execute(statement, [states, list(keys), states])
        return {bytes(key): Place(*rest) for key, *rest in cursor.fetchall()}


def open_notices(
    places: Sequence[Place],
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any],
    received_at: datetime | None = None,
    alike: Mapping[str, Any] | None = None,
) -> None:
    """Add the notices of fresh `places` and their audit rows by one statement; sets `notice_id`.

    `received_at` is when the address came in, if not now; `alike` is what else they have in common, by attribute.
    """
    constants = _constants({"received_at": received_at or now, **(alike or {})})
    names = ", ".join(constants)
    statement = f"""
        WITH born AS (
            INSERT INTO cases_notice (reference, content_id, previous_id, came_back, priority, {names})
            SELECT fresh.*, {", ".join(["%s"] * len(constants))}
            FROM unnest(%s::varchar[], %s::uuid[], %s::bigint[], %s::boolean[], %s::smallint[]) AS fresh
            RETURNING id, reference, state
        ),
        logged AS (
            INSERT INTO audit_event (at, actor, act, subject, subject_id, was, became, data)
            SELECT %s, %s, 'receive', 'notice', id, '', state, %s::jsonb FROM born
        )
        SELECT reference, id FROM born
    """  # noqa: S608 - names of our own columns
    arrays: list[list[Any]] = [
        [place.reference for place in places],
        [place.content_id for place in places],
        [place.previous_id for place in places],
        [place.was_removed for place in places],
        [int(priority_of(came_back=place.was_removed)) for place in places],
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*constants.values(), *arrays, now, str(by), json.dumps(data)])
        ids = dict(cursor.fetchall())
    for place in places:
        place.notice_id = ids[place.reference]


def corroborate(notice_ids: Sequence[int], *, source_id: int) -> None:
    """A report of `source_id` names these notices again: mark those that another source has named before.

    It changes what goes first on the work desk and nothing that a judgement rests on: the version stays.
    """
    # Locked in order of id, as every writer of many notices does.
    statement = f"""
        WITH again AS MATERIALIZED (
            SELECT n.id FROM cases_notice n
            WHERE n.id = ANY(%s) AND NOT n.corroborated AND EXISTS (
                SELECT 1 FROM cases_reportline l JOIN cases_report r ON r.id = l.report_id
                WHERE l.notice_id = n.id AND r.source_id <> %s
            )
            ORDER BY n.id FOR NO KEY UPDATE
        )
        UPDATE cases_notice n
        SET corroborated = true,
            priority = CASE WHEN n.priority = {Priority.REST:d} THEN {Priority.SEVERAL_SOURCES:d} ELSE n.priority END
        FROM again WHERE n.id = again.id
    """  # noqa: S608 - our own numbers
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(notice_ids), source_id])


def _constants(alike: Mapping[str, Any]) -> dict[str, Any]:
    """What all new notices have in common, by column, as the model has it."""
    notice = Notice(**alike)
    varying = {"id", "reference", "content_id", "previous_id", "came_back", "priority"}
    return {
        str(field.column): value
        for field in Notice._meta.concrete_fields
        if field.attname not in varying and (value := getattr(notice, field.attname)) is not None
    }
