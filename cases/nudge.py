"""A door that has brought rows in wakes their sweep at once; whoever does not is served at the next turn."""

from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

#: seconds; after that the sweep has had its turn anyway.
EXPIRES_S: Final = 60


def nudge(sweep: str) -> None:
    """Wake a sweep of `cases.tasks` once what is being done is committed. A broker that is away is no matter:
    the rows are the queue, and the sweep comes at its turn."""

    def wake() -> None:
        try:
            current_app.send_task(f"cases.tasks.{sweep}", retry=False, expires=EXPIRES_S)
        except OperationalError:
            return

    transaction.on_commit(wake, robust=True)
