"""Instants come out of the database in UTC, as quickly as Python can read them."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DataError, connection

from takedown.driver import Instants


def read(instant: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [instant])
        (found,) = cursor.fetchone()
    return found


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-10-25 02:30:00+02", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25 02:30:00.25+01", datetime(2026, 10, 25, 1, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-11-29 21:54:30.206164+00", datetime(2026, 11, 29, 21, 54, 30, 206_164, tzinfo=UTC)),
        ("0001-01-01 00:00:00.00001+00", datetime(1, 1, 1, 0, 0, 0, 10, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_an_instant_comes_out_in_utc_to_the_microsecond(db: None, said: str, meant: datetime) -> None:
    found = read(said)
    assert (found, found.tzinfo) == (meant, UTC)


@pytest.mark.parametrize(
    "said", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "10000-01-01 00:00:00+00"]
)
def test_what_python_cannot_hold_is_an_error_and_no_other_instant(db: None, said: str) -> None:
    with pytest.raises(DataError):
        read(said)


def test_django_keeps_the_quick_reader(db: None) -> None:
    read("2026-11-29 21:54:30+00")
    with connection.cursor() as cursor:
        oid = psycopg.postgres.types["timestamptz"].oid
        assert cursor.adapters.get_loader(oid, psycopg.pq.Format.TEXT) is Instants
