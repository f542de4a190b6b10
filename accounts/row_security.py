# ruff: noqa: S608 - statements of names of our own
"""Migrations that let the database itself keep a provider among its own rows (docs/adr/0032).

The role of `accounts.rows` is given nothing but what is listed: a table that nobody thought of is closed to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.migrations.operations import RunSQL

from accounts.rows import ROLE, SETTING

#: The id of the provider that the transaction works for; null, and so equal to nothing, when it works for none.
MINE: Final = f"nullif(current_setting('{SETTING}', true), '')::bigint"

_MAKE_ROLE: Final = f"""
DO $make$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN;
        EXECUTE format('GRANT {ROLE} TO %I', current_user);
    ELSIF NOT pg_has_role(current_user, '{ROLE}', 'MEMBER') THEN
        EXECUTE format('GRANT {ROLE} TO %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role {ROLE} is missing; let whoever runs the database say: '
        'CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO %;', current_user;
END $make$;
"""
#: Some rows get their number before they are written.
_NUMBER: Final = f"""
DO $number$ DECLARE series text; BEGIN
    SELECT pg_get_serial_sequence('{{table}}', a.attname) INTO series FROM pg_attribute a
        WHERE a.attrelid = '{{table}}'::regclass AND a.attname = 'id';
    IF series IS NOT NULL THEN EXECUTE 'GRANT USAGE ON SEQUENCE ' || series || ' TO {ROLE}'; END IF;
END $number$;
"""


@dataclass(frozen=True)
class Own:
    """Rows that belong to providers: `among` is true, in SQL, for those of the provider at hand."""

    among: str
    rights: str = "SELECT"


@dataclass(frozen=True)
class Anybodys:
    """Rows that belong to no provider: words, rules, counters. `because` says why they may be seen."""

    because: str
    rights: str = "SELECT"


def close_rows(tables: Mapping[str, Own | Anybodys]) -> RunSQL:
    """An operation that makes the role if it is missing, gives it its rights and sets the policies in force.

    The owner, with whose rights staff and workers come, is not bound: its policy would let all through, and a table
    that binds its owner takes no COPY, by which reports come in. Raises at the database, with the words to say, when
    the role may not be made.
    """
    done: list[str] = [_MAKE_ROLE]
    undone: list[str] = []
    for name, rows in tables.items():
        done.append(f"GRANT {rows.rights} ON {name} TO {ROLE};")
        if "INSERT" in rows.rights:
            done.append(_NUMBER.format(table=name))
        undone.append(f"REVOKE ALL ON {name} FROM {ROLE};")
        if isinstance(rows, Own):
            done += [
                f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;",
                f"CREATE POLICY own ON {name} TO {ROLE} USING ({rows.among}) WITH CHECK ({rows.among});",
            ]
            undone += [
                f"DROP POLICY own ON {name};",
                f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY;",
            ]
    return RunSQL(_as_one(done), _as_one(undone))


def through(table: str, column: str, to: str) -> str:
    """True for rows whose `column` leads to a row of `to` that is itself among those of the provider."""
    return f"EXISTS (SELECT 1 FROM {to} other WHERE other.id = {table}.{column})"


def _as_one(statements: Sequence[str]) -> str:
    return "\n".join(statements)
