"""Reading the figures of how notices are followed: counted where the rows are, in few statements for any number."""

from datetime import datetime
from typing import Any, Final

from django.db import connection

from cases.measures.definitions import BACK_WITHIN, WITHIN
from cases.measures.measured import Counted, Measured
from cases.measures.quarter import Quarter

#: One row for each notice that was accepted in the period: its quarter, whether it is a unit of the figures
#: (`left_out` is '' then), whether it was gone, and for how long it was there as far as anybody knows. All as it was
#: known at the cut-off: what was proven, taken back or seen later counts in a later revision.
_UNITS: Final = """
    SELECT date_trunc('quarter', n.notified_at AT TIME ZONE 'UTC') AS quarter, n.notified_at, n.due_at,
           CASE WHEN n.notified_estimated THEN 'estimated'
                WHEN n.state = 'withdrawn' AND n.closed_at <= %(cut_off)s AND n.closed_because <> 'moved'
                    THEN 'withdrawn'
                WHEN n.gone_since < n.notified_at AND n.removed_at <= %(cut_off)s THEN 'gone_before'
                ELSE '' END AS left_out,
           n.state = 'removed' AND n.removed_at <= %(cut_off)s AS is_gone,
           n.state = 'withdrawn' AND n.closed_at <= %(cut_off)s AS has_moved,
           CASE WHEN n.state = 'removed' AND n.removed_at <= %(cut_off)s THEN n.gone_since
                WHEN n.state = 'withdrawn' AND n.closed_at <= %(cut_off)s THEN n.closed_at
                WHEN n.last_seen_online_at <= %(cut_off)s THEN n.last_seen_online_at
                -- Seen after the cut-off: the last look before it says more.
                WHEN n.last_seen_online_at IS NOT NULL THEN (
                    SELECT max(s.seen_at) FROM cases_sighting s
                    WHERE s.notice_id = n.id AND s.outcome = 'online' AND s.seen_at <= %(cut_off)s
                ) END AS there_until
    FROM cases_notice n
    WHERE n.provider_id = %(provider)s AND n.sent_at IS NOT NULL
      AND n.notified_at >= %(since)s AND n.notified_at < %(until)s AND n.notified_at <= %(cut_off)s
"""

_COUNTED: Final = f"""
    WITH unit AS ({_UNITS})
    SELECT to_char(quarter, 'YYYY-"Q"Q'), left_out, is_gone, notified_at + %(within)s <= %(cut_off)s AS ripe,
           ceil(extract(epoch FROM greatest(there_until, notified_at) - notified_at) / 60)::int AS minutes,
           count(*), sum(greatest(there_until, notified_at) - notified_at),
           count(*) FILTER (WHERE NOT is_gone AND NOT has_moved),
           count(*) FILTER (WHERE NOT is_gone AND NOT has_moved AND due_at <= %(cut_off)s)
    FROM unit GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608 - texts of our own

#: Of the removed notices of each quarter, those after which another came about the same address or file.
_BACK: Final = """
    SELECT to_char(p.notified_at AT TIME ZONE 'UTC', 'YYYY-"Q"Q'), count(*)
    FROM cases_notice p
    WHERE p.provider_id = %(provider)s AND p.sent_at IS NOT NULL AND NOT p.notified_estimated
      AND p.notified_at >= %(since)s AND p.notified_at < %(until)s
      AND p.state = 'removed' AND p.removed_at <= %(cut_off)s AND p.gone_since >= p.notified_at
      AND (
        EXISTS (
            SELECT FROM cases_notice f
            WHERE f.content_id = p.content_id AND f.id <> p.id AND f.provider_id = p.provider_id
              AND f.sent_at <= %(cut_off)s AND f.received_at > p.gone_since
              AND f.received_at <= p.gone_since + %(back_within)s
        ) OR EXISTS (
            SELECT FROM cases_fingerprint a
            JOIN cases_fingerprint b ON b.sha256 = a.sha256 AND b.content_id <> a.content_id
            JOIN cases_notice f ON f.content_id = b.content_id
            WHERE a.content_id = p.content_id AND f.provider_id = p.provider_id
              AND f.sent_at <= %(cut_off)s AND f.received_at > p.gone_since
              AND f.received_at <= p.gone_since + %(back_within)s
        )
      )
    GROUP BY 1
"""


def measured(*, provider_id: int, quarters: list[Quarter], cut_off: datetime) -> list[Measured]:
    """The figures of a provider in each of these quarters, as they were known at `cut_off`. Two statements."""
    found = {str(quarter): Measured(quarter) for quarter in quarters}
    parameters: dict[str, Any] = {
        "provider": provider_id,
        "since": min(quarters).begins,
        "until": max(quarters).ends,
        "cut_off": cut_off,
        "within": WITHIN,
        "back_within": BACK_WITHIN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, parameters)
        for quarter, *row in cursor.fetchall():
            if quarter in found:
                found[quarter].add(Counted(*row))
        cursor.execute(_BACK, parameters)
        for quarter, count in cursor.fetchall():
            if quarter in found:
                found[quarter].back = count
    return [found[str(quarter)] for quarter in quarters]
