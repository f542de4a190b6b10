"""Rows held in memory for as long as none of them changes."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import connection, models

T = TypeVar("T")


class Held(Generic[T]):
    """What `load` makes of a small table (thousands of rows), made again when any row of it has changed.

    Every process sees a change at its next question, whoever made it and however: PostgreSQL gives each version of a
    row a place and a transaction of its own.
    """

    def __init__(self, model: type[models.Model], load: Callable[[], T]) -> None:
        self._model, self._load = model, load
        self._lock = threading.Lock()
        self._made: tuple[object, T] | None = None

    def get(self) -> T:
        """What the table makes now."""
        with self._lock:
            stamp = self._stamp()
            if self._made is None or self._made[0] != stamp:
                self._made = stamp, self._load()
            return self._made[1]

    def _stamp(self) -> object:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), sum(hashtextextended(ctid::text || ' ' || xmin::text, 0))"  # noqa: S608 - our own
                f" FROM {self._model._meta.db_table}"
            )
            return cursor.fetchone()
