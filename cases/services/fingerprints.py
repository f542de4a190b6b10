"""Keeping the digests that reports and sightings bring of what stands at an address."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection

from cases.models.fingerprint import TRIVIAL, Fingerprint


def remember(digests: Iterable[tuple[UUID, bytes]], *, source: Fingerprint.Source, now: datetime) -> None:
    """Keep (content, SHA-256) pairs by one statement; what is there stays, what says nothing is left out."""
    # In order, so that two that write the same pairs wait for each other instead of both failing.
    pairs = sorted({pair for pair in digests if pair[1] not in TRIVIAL})
    if not pairs:
        return
    statement = """
        INSERT INTO cases_fingerprint (content_id, sha256, source, at)
        SELECT content_id, sha256, %s, %s FROM unnest(%s::uuid[], %s::bytea[]) AS said (content_id, sha256)
        ON CONFLICT DO NOTHING
    """
    contents, values = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    with connection.cursor() as cursor:
        cursor.execute(statement, [str(source), now, contents, values])
