"""Many new rows at once, by COPY: about ten times as fast as INSERT."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.db import connection, models


def copy_in(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Write new `rows` of one model, their keys set. Constraints and triggers hold; signals are not sent.

    A column of the database's own making (`db_default`) is left to it. Raises IntegrityError.
    """
    fields: list[models.Field[Any, Any]] = [
        field for field in model._meta.concrete_fields if not field.has_db_default()
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = attrgetter(*(field.attname for field in fields))
    statement = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN (FORMAT BINARY)'
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([str(field.db_type(connection)).partition("(")[0] for field in fields])
        for row in rows:
            copy.write_row(values(row))
