"""W2: 100,000 terms end at the same moment in a table of many.

Limit: one bare UPDATE of the same rows on the same table, its guards asleep: what must be paid anyway.
Naive: `save()` and one audit row each, in a transaction each. Ours: the sweep, with audit and ladder rows and
the database's own check of every move.
"""

import time
from datetime import timedelta

from django.db import connection, transaction

from audit.record import Actor, record
from bench import world
from bench.measure import Ratio, Workload, measure, measure_in_turn
from cases import deadlines
from cases.models import Notice, Step
from cases.services import ladder

BY = Actor.system("bench")


#: The table that the cost of a due row is compared with: whatever grows beside it should cost nothing.
SMALL = 100_000


def run(rows: int) -> Workload:
    """Measure at `rows` notices; 100,000 of them due, or a tenth where there are fewer."""
    due = min(100_000, rows // 10)
    made = Workload(2, "deadline sweep", {"notices": rows, "due": due})
    small_row, small_bare_row = _rows_in_a_small_table() if rows > SMALL else (None, None)
    world.fill(rows, due=due)
    world.vacuum()
    limit, ours = measure_in_turn((_bare_update, _restore), (lambda: _ours(due), _restore))
    _restore()
    few = min(2_000, due)
    began = time.perf_counter()
    _naive(few)
    naive_row = (time.perf_counter() - began) / few
    _restore()
    ladder.run_out_due(by=BY, now=world.NOW)
    idle = measure(lambda: ladder.run_out_due(by=BY, now=world.NOW))
    made.times |= {"limit: bare UPDATE": limit, "ours": ours, "ours, nothing due": idle}
    made.ratios["limit / ours"] = Ratio(limit.median / ours.median, 0.30)
    made.ratios["naive / ours"] = Ratio(naive_row * due / ours.median, 25)
    made.ratios["nothing due, ms"] = Ratio(idle.median * 1000, 5, at_most=True)
    if small_row is not None and small_bare_row is not None:
        made.ratios["a due row / in 100,000"] = Ratio(ours.median / due / small_row, 1.3, at_most=True)
        growth = limit.median / due / small_bare_row
        made.notes.append(f"a row of the bare UPDATE / in 100,000: {growth:.2f}")
    made.notes.append(f"ours: {due / ours.median:,.0f} rows/s; limit: {due / limit.median:,.0f} rows/s")
    made.notes.append(f"naive: {1 / naive_row:,.0f} rows/s, measured on {few:,} rows")
    return made


def _rows_in_a_small_table() -> tuple[float, float]:
    """Seconds for each of 10,000 due rows among 100,000: ours, and the bare UPDATE."""
    few = SMALL // 10
    world.fill(SMALL, due=few)
    world.vacuum()
    bare, ours = measure_in_turn((_bare_update, _restore), (lambda: _ours(few), _restore))
    return ours.median / few, bare.median / few


def _bare_update() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_notice DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE cases_notice SET state = 'escalated', escalated_at = due_at, version = version + 1"
            " WHERE state = 'notified' AND due_at <= %s",
            [world.NOW],
        )
        cursor.execute("ALTER TABLE cases_notice ENABLE TRIGGER USER")


def _ours(due: int) -> None:
    moved = ladder.run_out_due(by=BY, now=world.NOW)
    if moved != due:
        raise RuntimeError(f"{moved} escalated, {due} were due")


def _naive(few: int) -> None:
    """As one would write it at first: a query, a save and an audit row for each."""
    for pk in Notice.objects.run_out(now=world.NOW).values_list("pk", flat=True)[:few]:
        with transaction.atomic():
            notice = Notice.objects.select_related("rule").select_for_update(of=("self",)).get(pk=pk)
            notice.escalate(at=world.NOW)
            notice.version += 1
            notice.save()
            record("escalate", "notice", pk, by=BY, at=world.NOW, was="notified", became="escalated")
            Step.objects.create(
                notice=notice,
                code="reminder-1",
                due_at=deadlines.due_at(world.NOW, timedelta(0)),
                owner="supervisor",
            )


def _restore() -> None:
    """Everything notified again, the rows of the run gone, the tables as after a night's vacuum."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_notice DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE cases_notice SET state = 'notified', escalated_at = NULL"
            " WHERE state = 'escalated' AND due_at <= %s",
            [world.NOW],
        )
        cursor.execute("TRUNCATE cases_step, cases_call_steps, audit_event")
        cursor.execute("ALTER TABLE cases_notice ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")
    world.vacuum()
