"""A reminder goes out only when somebody saw the material lately, or a supervisor says so (I7)."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings

from cases.models import Notice, Step


def seen_lately(notice: Notice, *, now: datetime) -> bool:
    """Whether somebody saw it online recently enough to say so to its provider."""
    seen = notice.last_seen_online_at
    return seen is not None and now - seen <= settings.HOST.sighting_max_age


def wait_for_eyes(*, notice_ids: Collection[int], code: str, now: datetime) -> None:
    """The reminder `code` of these notices was not sent after all: it waits for a sighting, or a supervisor."""
    Step.objects.filter(notice__in=notice_ids, voided=0, code=code).update(
        taken_at=None,
        outcome="",
        waits_for=Step.WaitsFor.SIGHTING,
        asked_at=now,
        pass_at=now + settings.HOST.step_patience,
        acknowledged_at=None,
        acknowledged_by="",
    )
