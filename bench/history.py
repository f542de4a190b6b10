"""A table as it is after years of work: every state, 800 providers, addresses that open.

Deterministic but for the instants, which count back from `now`: the pages ask the clock for themselves.
"""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from bench import world
from cases.models import Content
from providers.models import Attribution, Provider

PROVIDERS: Final = 800
#: The provider with so many open notices: the portal's longest list.
LONGEST, OPEN = 800, 5_000
#: Its addresses: one and so many more.
PLACES: Final = 400
#: Rows made by one statement.
_STEP = 250_000
_PER_REPORT = 1_000

_NOTICES = """
    INSERT INTO cases_notice (reference, content_id, provider_id, attribution_id, state, closed_because,
        legal_class, urgent, hold, hold_review, hold_reason, hold_by, hold_until, received_at, assessed_at,
        routed_at, sent_at, notified_at, notified_estimated, rule_id, due_at, acknowledged_at,
        claimed_removed_at, disputed_at, last_seen_online_at, gone_since, removed_at, escalated_at, closed_at,
        next_check_at, customer_reference, version)
    SELECT 'N-' || upper(lpad(to_hex(i), 10, '0')),
        md5('content' || i)::uuid, provider,
        md5('place' || provider || CASE WHEN provider = %(longest)s AND i %% 3 > 0
                                        THEN '.' || i / 20 %% %(places)s ELSE '' END)::uuid,
        state,
        CASE state WHEN 'dismissed' THEN 'not_illegal' WHEN 'withdrawn' THEN 'wrong_provider' ELSE '' END,
        CASE WHEN state = 'dismissed' THEN 'not_illegal' WHEN assessed IS NULL THEN ''
             WHEN i %% 33 = 0 THEN 'national' ELSE 'baseline' END,
        i %% 500 = 3, CASE WHEN held THEN 'police_first' ELSE '' END, '',
        CASE WHEN held THEN 'new victim' ELSE '' END, CASE WHEN held THEN 'user:1' ELSE '' END,
        CASE WHEN held THEN %(now)s::timestamptz + interval '9 h' END,
        received, assessed, routed, sent, sent, false, CASE WHEN sent IS NOT NULL AND state <> 'dismissed' THEN rule.id END,
        sent + rule.term,
        CASE WHEN i %% 3 = 0 THEN sent + interval '1 h' END,
        CASE WHEN i %% 5 = 0 THEN sent + interval '2 h' END,
        CASE WHEN i %% 400 = 7 THEN sent + interval '3 h' END,
        CASE WHEN i %% 50 = 0 THEN sent + interval '25 h' END,
        CASE WHEN state = 'removed' THEN sent + interval '5 h' END,
        CASE WHEN state = 'removed' THEN sent + interval '5 h' END,
        CASE WHEN state = 'escalated' THEN sent + rule.term END,
        CASE WHEN state IN ('dismissed', 'withdrawn') THEN coalesce(sent, assessed) + interval '1 h' END,
        CASE WHEN state IN ('notified', 'escalated') THEN %(now)s::timestamptz + (i %% 3600) * interval '1 s' END,
        '', 3
    FROM (
        SELECT *, state = 'received' AND i %% 900 = 1 AS held,
            CASE WHEN state <> 'received' THEN coalesce(lately - interval '2 h', received + interval '1 h') END AS assessed,
            CASE WHEN state NOT IN ('received', 'dismissed')
                 THEN coalesce(lately - interval '1 h', received + interval '2 h') END AS routed,
            CASE WHEN state NOT IN ('received', 'dismissed') THEN coalesce(lately, received + interval '3 h') END AS sent
        FROM (
            SELECT *, CASE WHEN state = 'notified'
                THEN %(now)s::timestamptz - (i %% 82800 + 60) * interval '1 s' END AS lately,
            CASE state
                WHEN 'notified' THEN least(%(now)s::timestamptz - interval '27 h', came)
                WHEN 'received' THEN came
                ELSE least(came, %(now)s::timestamptz - interval '28 h' - (i %% 600000) * interval '1 s') END AS received
            FROM (
                SELECT i, %(now)s::timestamptz - (%(rows)s - i + 1) * interval '15.8 s' AS came,
                    CASE WHEN age < 0.05 THEN 'received'
                         WHEN age < 0.15 THEN 'notified'
                         WHEN age < 0.18 THEN 'escalated'
                         WHEN i %% 100 < 68 THEN 'removed'
                         WHEN i %% 100 < 99 THEN 'dismissed'
                         ELSE 'withdrawn' END AS state,
                    CASE WHEN age >= 0.05 AND age < 0.18 AND i %% 20 = 0 AND nth < %(open)s THEN %(longest)s
                         WHEN i %% 10 < 6 THEN 1 ELSE 2 + i * 7919 %% 798 END AS provider
                FROM (
                    SELECT i, (%(rows)s - i)::float / %(rows)s AS age, (i - %(rows)s * 0.82) / 20 AS nth
                    FROM generate_series(%(low)s::bigint, %(high)s) i
                ) numbered
            ) stated
        ) timed
    ) made, (SELECT id, term FROM cases_deadlinerule WHERE version = 1) rule
"""


def fill(rows: int, *, now: datetime) -> None:
    """Empty the tables, then add `rows` notices: the newest wait for us, older ones for providers, the rest is done."""
    world.fill(0, due=0, now=now)
    with connection.cursor() as cursor:
        world.guards(cursor, "DISABLE")
        cursor.execute("TRUNCATE cases_figure, cases_providerfigure, cases_savedfilter")
        cursor.execute(
            "INSERT INTO providers_provider (code, name, kind, country, language, website, kvk, signatory, hash_user)"
            " SELECT 'p' || i, 'Provider ' || i, 'hoster', 'NL', 'nl', '', '', true, false FROM generate_series(%s, %s) i",
            [world.PROVIDERS + 1, PROVIDERS],
        )
        places = [(str(pk), "192.0.2.10", pk) for pk in Provider.objects.values_list("pk", flat=True)]
        places += [
            (f"{LONGEST}.{nth}", f"198.51.{100 + nth // 256}.{nth % 256}", LONGEST) for nth in range(PLACES)
        ]
        Attribution.objects.bulk_create(
            Attribution(
                id=UUID(hashlib.md5(f"place{name}".encode(), usedforsecurity=False).hexdigest()),
                host_sealed=b"",
                host_key=b"",
                addresses=[address],
                address=address,
                country="NL",
                source=Attribution.Source.NETWORK,
                response_digest=b"",
                at=now,
                by="system:bench",
                provider_id=pk,
            )
            for name, address, pk in places
        )
        cursor.execute(
            "INSERT INTO cases_report (reference, way, digest, their_reference, received_at, total, done, by, source_id)"
            " SELECT 'R-' || lpad(i::text, 10, '0'), 'file', sha256(('r' || i)::bytea), '', %s, %s, 0, 'system:bench',"
            " CASE WHEN i %% 40 = 0 THEN 1 WHEN i %% 4 = 0 THEN 2 ELSE 3 END FROM generate_series(1, %s) i",
            [now, _PER_REPORT, rows // _PER_REPORT + 1],
        )
    for low in range(1, rows + 1, _STEP):
        _slice(low, min(low + _STEP - 1, rows), rows, now)
    with connection.cursor() as cursor:
        world.guards(cursor, "ENABLE")
    world.vacuum()


def _slice(low: int, high: int, rows: int, now: datetime) -> None:
    """The rows `low` to `high`; their addresses are really sealed, because the pages open them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT md5('content' || i) FROM generate_series(%s, %s) i", [low, high])
        keys = [row[0] for row in cursor.fetchall()]
        cursor.execute("CREATE TEMPORARY TABLE made (id uuid, i bigint, url bytea)")
        with cursor.copy("COPY made FROM STDIN") as copy:
            for i, key in enumerate(keys, start=low):
                identity = f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
                url = f"https://img{i % 500}.forum.example/g/{i % 9973}/{i:08d}.jpg"
                copy.write_row((identity, i, Content.url.sealed(identity, url)))
        cursor.execute(
            "INSERT INTO cases_content (id, url_sealed, raw_sealed, host_sealed, url_key, host_key, rule_version,"
            " created_at) SELECT id, url, url, url, sha256(('k' || i)::bytea), sha256(('h' || i %% 5000)::bytea), 1, %s"
            " FROM made",
            [now],
        )
        cursor.execute("DROP TABLE made")
        cursor.execute(
            _NOTICES,
            {
                "now": now,
                "rows": rows,
                "low": low,
                "high": high,
                "open": OPEN,
                "longest": LONGEST,
                "places": PLACES,
            },
        )
        cursor.execute(
            "INSERT INTO cases_reportline (id, report_id, number, outcome, reason, content_id, notice_id, their_reference,"
            " category, decided_by) SELECT md5('line' || i)::uuid, 1 + (i - 1) / %s, 1 + (i - 1) %% %s, 'new', '',"
            " md5('content' || i)::uuid, i, '', '', '' FROM generate_series(%s, %s) i",
            [_PER_REPORT, _PER_REPORT, low, high],
        )
