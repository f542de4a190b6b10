"""A table full of notices, made by the database itself: deterministic, reserved names only, no real secret.

The bytes of sealed columns are as long as real ones and mean nothing: no workload here opens them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.backends.utils import CursorWrapper

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
PROVIDERS = 40
_STEP = 500_000


def fill(rows: int, *, due: int, now: datetime = NOW) -> None:
    """Empty the tables, then add `rows` notices that are with the provider.

    `due` of them fall due at `now`, spread over the whole table; the others later.
    """
    with connection.cursor() as cursor:
        # Loading is not what is measured.
        guards(cursor, "DISABLE")
        cursor.execute(
            "TRUNCATE cases_step, cases_sighting, cases_dispatchline, cases_attempt, cases_dispatch, cases_reply,"
            " cases_assessment, cases_reportline, cases_report, cases_notice, cases_content, providers_attribution,"
            " providers_network, providers_contact, accounts_user, accounts_apikey, audit_event, audit_link,"
            " providers_provider RESTART IDENTITY CASCADE"
        )
        cursor.execute(
            "INSERT INTO providers_provider (code, name, kind, country, language, website, kvk, signatory,"
            " hash_user)"
            " SELECT 'p' || i, 'Provider ' || i, 'hoster', 'NL', 'nl', '', '', true, false FROM generate_series(1, %s) i",
            [PROVIDERS],
        )
        every = max(rows // max(due, 1), 1)
        with loading(cursor, "cases_content", "cases_notice"):
            for low in range(1, rows + 1, _STEP):
                span = [low, min(low + _STEP - 1, rows)]
                cursor.execute(
                    """
                    INSERT INTO cases_content (id, url_sealed, raw_sealed, host_sealed, url_key, host_key,
                                               rule_version, created_at)
                    SELECT md5('content' || i)::uuid, decode(repeat(md5('u' || i), 3), 'hex'),
                           decode(repeat(md5('r' || i), 3), 'hex'), decode(repeat(md5('h' || i), 2), 'hex'),
                           sha256(('k' || i)::bytea), sha256(('h' || i %% 5000)::bytea), 1, %s
                    FROM generate_series(%s, %s) i
                    """,
                    [now - timedelta(days=3), *span],
                )
                cursor.execute(
                    """
                    INSERT INTO cases_notice (reference, content_id, provider_id, state, closed_because, legal_class,
                        urgent, hold, hold_review, hold_reason, hold_by, received_at, assessed_at, routed_at, sent_at,
                        notified_at, notified_estimated, rule_id, due_at, customer_reference, version, next_check_at)
                    SELECT 'N-' || upper(lpad(to_hex(i), 10, '0')), md5('content' || i)::uuid, 1 + i %% %s, 'notified',
                           '', 'baseline', false, '', '', '', '', t0 - interval '3 h', t0 - interval '2 h',
                           t0 - interval '1 h', t0, t0, false, rule.id, t0 + rule.term, '', 3, t0 + interval '25 h'
                    FROM (SELECT i, CASE WHEN i %% %s = 0 AND i / %s <= %s THEN %s::timestamptz - interval '24 h'
                               ELSE %s::timestamptz - (i %% 82800) * interval '1 s' + interval '1 s' END AS t0
                          FROM generate_series(%s, %s) i) made,
                         (SELECT id, term FROM cases_deadlinerule WHERE version = 1) rule
                    """,
                    [PROVIDERS, every, every, due, now, now, *span],
                )
            guards(cursor, "ENABLE")
            cursor.execute("ANALYZE")


@contextmanager
def loading(cursor: CursorWrapper, *tables: str) -> Iterator[None]:
    """Add rows to these tables without looking anything up: their indexes are made at the end, and what their
    foreign keys point to is taken on trust."""
    cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '1GB'")
    cursor.execute(
        """
        SELECT c.conrelid::regclass::text, c.conname,
               pg_get_constraintdef(c.oid) || CASE WHEN c.contype = 'f' THEN ' NOT VALID' ELSE '' END
        FROM pg_constraint c
        WHERE c.conrelid = ANY(%s::regclass[]) AND c.contype IN ('u', 'f') ORDER BY 1, 2
        """,
        [list(tables)],
    )
    constraints = cursor.fetchall()
    for table, name, _definition in constraints:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    cursor.execute(
        """
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
        WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisprimary ORDER BY 1
        """,
        [list(tables)],
    )
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for table, name, definition in constraints:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for _name, definition in indexes:
        cursor.execute(definition)
    cursor.execute("RESET statement_timeout; RESET maintenance_work_mem")


def guards(cursor: CursorWrapper, word: str) -> None:
    """DISABLE or ENABLE the triggers of our own; foreign keys stay awake."""
    for table in ("cases_notice", "cases_dispatch", "audit_event", "audit_link"):
        cursor.execute(f"ALTER TABLE {table} {word} TRIGGER USER")


def vacuum() -> None:
    """Put the tables that a run wrote to back into the shape that a night's maintenance leaves them in."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for table in ("cases_notice", "audit_event", "cases_step", "cases_content", "cases_reportline"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        cursor.execute("RESET statement_timeout")
