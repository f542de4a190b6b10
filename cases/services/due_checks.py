"""Handing out the looks that are due, each to one checker at a time."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from audit.record import Actor
from cases.models import Content
from cases.services import vantages
from vault.keys import CannotUnseal

logger = logging.getLogger(__name__)

# What a provider says is removed goes first, the longest waiting first: it waits for our answer; but not all of a
# lease, so that who claims thousands at once does not keep the checkers from the rest. Then what is due, the oldest
# first. Rows that another checker is just taking are left to it.
_LEASE: Final = """
    WITH claimed AS MATERIALIZED (
        SELECT id, claimed_removed_at AS since FROM cases_notice
        WHERE next_check_at <= claimed_removed_at AND claimed_removed_at <= %(now)s
          AND (check_leased_until IS NULL OR check_leased_until <= %(now)s)
        ORDER BY claimed_removed_at, id LIMIT %(claims)s FOR NO KEY UPDATE SKIP LOCKED
    ),
    due AS MATERIALIZED (
        SELECT id, next_check_at AS since FROM cases_notice
        WHERE next_check_at <= %(now)s AND (check_leased_until IS NULL OR check_leased_until <= %(now)s)
          AND id NOT IN (SELECT id FROM claimed)
        ORDER BY next_check_at, id LIMIT %(limit)s - (SELECT count(*) FROM claimed) FOR NO KEY UPDATE SKIP LOCKED
    ),
    taken AS MATERIALIZED (
        SELECT id, since, 0 AS turn FROM claimed UNION ALL SELECT id, since, 1 FROM due
    ),
    leased AS (
        UPDATE cases_notice n SET check_leased_until = %(until)s FROM taken WHERE n.id = taken.id
        RETURNING n.id, n.reference, n.content_id, taken.since, taken.turn
    )
    SELECT leased.reference, c.id, c.url_sealed, coalesce(first.digest, '')
    FROM leased JOIN cases_content c ON c.id = leased.content_id
    LEFT JOIN LATERAL (
        SELECT digest FROM cases_sighting s
        WHERE s.notice_id = leased.id AND s.outcome = 'online' AND s.digest <> ''
        ORDER BY s.seen_at LIMIT 1
    ) first ON true
    ORDER BY leased.turn, leased.since, leased.id
"""


@dataclass(frozen=True)
class Check:
    """A look that is due. `url` is the canonical URL, for the checker only."""

    notice: str
    url: str
    expect_digest: str
    lease_until: datetime


def lease_checks(*, limit: int, by: Actor, now: datetime, vantage: str = "") -> list[Check]:
    """Hand out up to `limit` due checks: first those that answer a claim, three in four at most, then the oldest.

    While the lease lasts nobody else gets them; when it has run out they are handed out again.
    """
    until = now + settings.HOST.check_lease
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEASE, {"now": now, "until": until, "limit": limit, "claims": limit - limit // 4})
        rows = cursor.fetchall()
        vantages.asked(vantage=vantage, by=by, now=now)
    checks = []
    for reference, content_id, sealed, digest in rows:
        try:
            url = Content(id=content_id, url_sealed=sealed).url
        except CannotUnseal:
            # Its lease keeps it away for a while; the others are looked at.
            logger.error("the address of notice %s does not open: it cannot be checked", reference)
        else:
            checks.append(Check(reference, url, digest, until))
    return checks
