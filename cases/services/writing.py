"""Many rows of one table written by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from audit.arrays import PLAIN, array_text


def write_rows(rows: "Sequence[models.Model]", fields: "Sequence[models.Field[Any, Any]]") -> None:
    """One UPDATE from arrays: 10 times as fast as a CASE per row, and its plan does not grow with the batch."""
    if not rows:
        return
    meta = rows[0]._meta
    columns = _columns(rows, fields)
    (key,) = _columns(rows, [meta.pk])
    sent = [key, *(column for column in columns if column.varies)]
    statement = (
        f"UPDATE {meta.db_table} n SET {', '.join(f'{column.name} = {column.read}' for column in columns)}"  # noqa: S608 - names of our own columns
        f" FROM unnest({', '.join(f'%s::{column.kind}[]' for column in sent)})"
        f" AS v({', '.join(column.name for column in sent)}) WHERE n.{key.name} = v.{key.name}"
    )
    alike = [column.values[0] for column in columns if not column.varies]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*alike, *(column.array for column in sent)])


def insert_rows(rows: "Sequence[models.Model]") -> None:
    """One INSERT from arrays, with ids that the rows are told first: 3 times as fast as `bulk_create`."""
    if not rows:
        return
    meta = rows[0]._meta
    with connection.cursor() as cursor:
        cursor.execute(
            # OFFSET 0: the sequence is looked for once, and not for each row.
            "SELECT nextval(ids) FROM (SELECT pg_get_serial_sequence(%s, %s)::regclass AS ids OFFSET 0) AS named,"
            " generate_series(1, %s)",
            [meta.db_table, str(meta.pk.column), len(rows)],
        )
        for row, (number,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = number
        columns = _columns(rows, meta.concrete_fields)
        varied = [column for column in columns if column.varies]
        cursor.execute(
            f"INSERT INTO {meta.db_table} ({', '.join(column.name for column in columns)})"  # noqa: S608 - our own names
            f" SELECT {', '.join(column.read for column in columns)}"
            f" FROM unnest({', '.join(f'%s::{column.kind}[]' for column in varied)})"
            f" AS v({', '.join(column.name for column in varied)})",
            [
                *(column.values[0] for column in columns if not column.varies),
                *(column.array for column in varied),
            ],
        )


@dataclass(frozen=True, slots=True)
class _Column:
    """What goes into a column of many rows; where it is the same in all of them, it goes over once."""

    name: str
    kind: str
    values: list[Any]
    varies: bool

    @property
    def read(self) -> str:
        return f"v.{self.name}" if self.varies else f"%s::{self.kind}"

    @property
    def array(self) -> list[Any] | str:
        """The values as the parameter that they are sent as."""
        return array_text(self.values) if self.kind in PLAIN else self.values


def _columns(rows: "Sequence[models.Model]", fields: "Sequence[models.Field[Any, Any]]") -> list[_Column]:
    columns = []
    for field in fields:
        values = [getattr(row, field.attname) for row in rows]
        if any(isinstance(value, str) for value in values):
            # A choice as the text that it is: the driver would look at its class and not at its value.
            values = [str(value) if isinstance(value, str) else value for value in values]
        varies = field.primary_key or values.count(values[0]) != len(values)
        columns.append(_Column(str(field.column), str(field.rel_db_type(connection)), values, varies))
    return columns


def fields_of(model: type[models.Model], *names: str) -> "list[models.Field[Any, Any]]":
    """The columns of a model by the names of their fields."""
    return [model._meta.get_field(name) for name in names]  # type: ignore[misc]
