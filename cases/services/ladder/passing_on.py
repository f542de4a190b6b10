"""What nobody sees to goes to the next role: once each time, recorded, and in the order in which it was due."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection

from audit.record import Actor
from cases import deadlines

BATCH: Final = 5_000


def pass_on_due(*, by: Actor, now: datetime) -> int:
    """Pass on every step that its role left lying; returns how many.

    The next role has as long as the first, from now on: however late this runs, nobody is skipped.
    """
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                _MOVE,
                {
                    "now": now,
                    "limit": BATCH,
                    "from": list(deadlines.PASSES_TO),
                    "to": list(deadlines.PASSES_TO.values()),
                    "next_at": now + settings.HOST.step_patience,
                    "by": str(by),
                },
            )
            looked, passed = (int(count) for count in cursor.fetchone())
        total += passed
        if looked < BATCH:
            return total


# The last role keeps it, and is asked by nobody after it. Steps that somebody holds are found the next time.
_MOVE = """
    WITH due AS MATERIALIZED (
        SELECT id, notice_id, code, owner FROM cases_step
        WHERE pass_at <= %(now)s AND pass_at IS NOT NULL AND acknowledged_at IS NULL
        ORDER BY pass_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ),
    chain AS (SELECT * FROM unnest(%(from)s::text[], %(to)s::text[]) AS c (owner, next)),
    moved AS (
        UPDATE cases_step s
        SET owner = coalesce(chain.next, s.owner), passed = s.passed + (chain.next IS NOT NULL)::int,
            asked_at = CASE WHEN chain.next IS NULL THEN s.asked_at ELSE %(now)s END,
            pass_at = CASE WHEN chain.next IN (SELECT owner FROM chain) THEN %(next_at)s END
        FROM due LEFT JOIN chain ON chain.owner = due.owner
        WHERE s.id = due.id
        RETURNING s.notice_id, s.code, due.owner AS was, chain.next
    ),
    logged AS (
        INSERT INTO audit_event (at, actor, act, subject, subject_id, data)
        SELECT %(now)s, %(by)s, 'pass_on', 'notice', notice_id,
               jsonb_build_object('step', code, 'from_role', was, 'to_role', next)
        FROM moved WHERE next IS NOT NULL
    )
    SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM moved WHERE next IS NOT NULL)
"""
