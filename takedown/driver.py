"""What the database driver is told beyond Django's settings."""

from datetime import UTC, datetime
from typing import Any, Final

from django.db.backends.signals import connection_created
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzLoader


class Instants(TimestamptzLoader):
    """Reads an instant in UTC, which every connection speaks (settings.DATABASES).

    Django's own loader takes every part of it out by a regular expression, for the sake of other zones: a twentieth
    of a page's time. `timezone` is what Django asks a loader, and replaces the loader unless it is the connection's.
    """

    timezone: Final = UTC

    def load(self, data: Buffer) -> datetime:
        """The instant. What Python cannot hold (infinity, before our era) is an error in the driver's words."""
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            return super().load(data)


def quicken(*, connection: Any, **_: object) -> None:
    """Give a new connection the quicker loader."""
    connection.connection.adapters.register_loader("timestamptz", Instants)


connection_created.connect(quicken, dispatch_uid="takedown.driver")
