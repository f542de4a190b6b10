"""Keeping who looks for us: when each checker was last heard of, and how many looks it brought."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

from audit.record import Actor

#: Looks are tallied by so long.
SLOT: Final = timedelta(minutes=10)


def slot(at: datetime) -> datetime:
    """The beginning of the span of SLOT that `at` falls in."""
    return at - (at.astimezone(UTC) - datetime(2000, 1, 1, tzinfo=UTC)) % SLOT


def asked(*, vantage: str, by: Actor, now: datetime) -> None:
    """A checker asked what is due."""
    _heard([vantage], "asked_at", by=by, now=now)


def reported(looks: Iterable[tuple[str, str]], *, by: Actor, now: datetime) -> None:
    """A checker brought these looks, each a vantage and an outcome. Last in the transaction: others wait for the row."""
    tally = Counter(looks)
    if not tally:
        return
    _heard({vantage for vantage, _ in tally}, "reported_at", by=by, now=now)
    rows = sorted((vantage, outcome, count) for (vantage, outcome), count in tally.items())
    statement = """
        INSERT INTO cases_looktally (vantage, since, outcome, looks)
        SELECT vantage, %s, outcome, looks
        FROM unnest(%s::varchar[], %s::varchar[], %s::int[]) AS brought (vantage, outcome, looks)
        ON CONFLICT (since, vantage, outcome) DO UPDATE SET looks = cases_looktally.looks + excluded.looks
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [slot(now), *(list(column) for column in zip(*rows, strict=True))])


def _heard(vantages: Iterable[str], column: str, *, by: Actor, now: datetime) -> None:
    statement = f"""
        INSERT INTO cases_vantage (name, by, {column}) SELECT unnest(%s::varchar[]), %s, %s
        ON CONFLICT (name, by) DO UPDATE SET {column} = greatest(cases_vantage.{column}, excluded.{column})
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [sorted(vantages), str(by), now])
