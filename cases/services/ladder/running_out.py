"""The term ends without proven removal."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from audit.record import Actor
from cases import deadlines
from cases.models import Notice
from cases.services.moving import move_all

BATCH: Final = 10_000


def run_out_due(*, by: Actor, now: datetime) -> int:
    """Escalate every notice whose term ended without proven removal; returns how many.

    The instant of escalation is the due moment, however late this runs. The first rung after the term begins
    to wait in the same transaction.
    """
    rung = deadlines.rung("reminder-1")
    total = 0
    while True:
        with transaction.atomic():
            ids = move_all(
                Notice.objects.run_out(now=now),
                "escalate",
                Notice.State.ESCALATED,
                columns={"escalated_at": "n.due_at"},
                by=by,
                now=now,
                limit=BATCH,
            )
            if not ids:
                return total
            with connection.cursor() as cursor:
                # The rung's moment is the due moment itself: one statement for the batch.
                cursor.execute(
                    """
                    INSERT INTO cases_step (notice_id, code, due_at, owner, channel)
                    SELECT id, %s, due_at, %s, %s FROM cases_notice WHERE id = ANY(%s)
                    """,
                    [rung.code, rung.role, rung.channel, ids],
                )
        total += len(ids)
        if len(ids) < BATCH:
            return total
