"""A sweep says that it has come to its end, so that health can tell when they stop."""

from datetime import datetime

from cases.models import Beat


def leave_beat(*, name: str, now: datetime) -> None:
    """The sweep `name` is done, at `now`. It is no change of a case: the audit does not hear of it."""
    Beat.objects.bulk_create(
        [Beat(name=name, at=now)], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )
