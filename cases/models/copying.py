"""Many new rows at once, by COPY: about ten times as fast as INSERT."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def copy_in(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write new rows by COPY: each a tuple in the order of `columns`. No model, no signal; constraints hold.

    Raises IntegrityError, also for a column that is left out and may not be empty.
    """
    fields = [model._meta.get_field(column) for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f'COPY "{model._meta.db_table}" ({names}) FROM STDIN (FORMAT BINARY)'
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([str(field.db_type(connection)).partition("(")[0] for field in fields])
        for row in rows:
            copy.write_row(row)
