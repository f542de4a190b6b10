"""The database's clock, for instants that count in law: sweeps on several hosts agree on it."""

from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """The instant by PostgreSQL's clock, in UTC (not the start of the transaction)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now.astimezone(UTC)
