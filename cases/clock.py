"""The database's clock, for instants that count in law: sweeps on several hosts agree on it; and people's days."""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection

#: Where the hotline's people are.
AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")


def day_in_amsterdam(at: datetime) -> date:
    """The day by which people work: 23 or 25 hours long when the clock is put forward or back."""
    return at.astimezone(AMSTERDAM).date()


def database_now() -> datetime:
    """The instant by PostgreSQL's clock, in UTC (not the start of the transaction)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now.astimezone(UTC)
