"""Rungs that come before their usual moment, because the provider refuses."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from cases import deadlines
from cases.models import Step


def hasten(*, notice_ids: Collection[int], now: datetime) -> None:
    """The provider refuses: of what waits, each rung that can come sooner does, but not before now.

    Call it inside the transaction that locks the notices. What is due before that stays as it is.
    """
    rungs = [rung for rung in deadlines.LADDER.values() if rung.sooner is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE cases_step s SET due_at = moved.due_at, sooner = %s
            FROM (
                SELECT w.id, greatest(
                    n.notified_at + make_interval(secs => extract(epoch FROM rule.term)::float8 * rung.sooner), %s
                ) AS due_at
                FROM cases_step w
                JOIN cases_notice n ON n.id = w.notice_id
                JOIN cases_deadlinerule rule ON rule.id = n.rule_id
                JOIN unnest(%s::text[], %s::float8[]) AS rung (code, sooner) ON rung.code = w.code
                WHERE w.notice_id = ANY(%s) AND w.voided = 0 AND w.taken_at IS NULL
            ) moved
            WHERE s.id = moved.id AND s.due_at > moved.due_at
            """,
            [
                Step.Sooner.REFUSED,
                now,
                [rung.code for rung in rungs],
                [rung.sooner for rung in rungs],
                list(notice_ids),
            ],
        )
