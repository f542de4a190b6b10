"""The chain of digests over the events: what is edited, deleted or reordered shows.

Events are written in parallel and chained afterwards, by one writer, in the order in which it finds them, so
writing an event costs no global lock. An event of a transaction that commits late is simply a later link.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

_LOCK: Final = 7_340_001  # advisory lock: one writer of the chain
_GENESIS: Final = hashlib.sha256(b"takedown audit chain 1").digest()
_BATCH: Final = 10_000
# How many links back an event may still be found that committed late. What is older and not chained, the
# verification reports.
_LOOK_BACK: Final = 200_000

# One text per event, made by the database so that writer and verifier cannot disagree. \x1f parts the fields.
_TEXT: Final = r"""
    concat_ws(E'\x1f', e.id, extract(epoch FROM e.at)::text, e.txid::text, e.actor, e.act, e.subject, e.subject_id,
              e.was, e.became, coalesce(e.data::text, ''))
"""


@dataclass(frozen=True)
class Break:
    """The first place where the chain and the events disagree. `seq` counts links from 1."""

    seq: int
    event_id: int | None
    what: str


def extend() -> int:
    """Chain the events that are committed and not chained yet; returns how many. Safe to run twice at once."""
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return total
            cursor.execute("SELECT seq, digest FROM audit_link ORDER BY seq DESC LIMIT 1")
            head = cursor.fetchone()
            seq, digest = (head[0], bytes(head[1])) if head else (0, _GENESIS)
            cursor.execute(
                f"SELECT e.id, {_TEXT} FROM audit_event e"  # noqa: S608 - constants
                " WHERE e.id > coalesce((SELECT event_id FROM audit_link WHERE seq = %s), 0)"
                " AND NOT EXISTS (SELECT 1 FROM audit_link l WHERE l.event_id = e.id) ORDER BY e.id LIMIT %s",
                [seq - _LOOK_BACK, _BATCH],
            )
            rows = cursor.fetchall()
            with cursor.copy("COPY audit_link (seq, event_id, digest) FROM STDIN") as copy:
                for event_id, text in rows:
                    seq += 1
                    digest = hashlib.sha256(digest + text.encode()).digest()
                    copy.write_row((seq, event_id, digest))
        total += len(rows)
        if len(rows) < _BATCH:
            return total


def first_break() -> Break | None:
    """Walk the whole chain in constant memory; None when every link fits its event."""
    digest, expected = _GENESIS, itertools.count(1)
    for seq, event_id, stored, text in _links():
        if seq != next(expected):
            return Break(seq, event_id, "links before it are missing")
        if text is None:
            return Break(seq, event_id, "the event is gone")
        digest = hashlib.sha256(digest + text.encode()).digest()
        if digest != bytes(stored):
            return Break(seq, event_id, "the event or its place was changed")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(e.id) FROM audit_event e LEFT JOIN audit_link l ON l.event_id = e.id"
            " WHERE l.event_id IS NULL AND e.id <="
            " (SELECT event_id FROM audit_link WHERE seq = (SELECT max(seq) FROM audit_link) - %s)",
            [_LOOK_BACK],
        )
        (stray,) = cursor.fetchone()
    return Break(0, stray, "the event was never chained") if stray is not None else None


def _links() -> Iterator[tuple[int, int, bytes, str | None]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT l.seq, l.event_id, l.digest, CASE WHEN e.id IS NULL THEN NULL ELSE {_TEXT} END"  # noqa: S608
            " FROM audit_link l LEFT JOIN audit_event e ON e.id = l.event_id ORDER BY l.seq"
        )
        while rows := cursor.fetchmany(_BATCH):
            yield from rows
