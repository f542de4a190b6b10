"""Trying again what was set aside: one message, or many at once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from audit.record import Actor, event, record_many
from cases.models import Dispatch


def retry_many(*, dispatch_ids: Sequence[int], by: Actor, now: datetime) -> list[int]:
    """Try parked messages again, each under its own Message-ID; returns those that are.

    What somebody else has decided on meanwhile stays as it is.
    """
    parked = Dispatch.objects.filter(pk__in=dispatch_ids, state=Dispatch.State.PARKED)
    with transaction.atomic():
        ids = list(parked.select_for_update().order_by("pk").values_list("pk", flat=True))
        Dispatch.objects.filter(pk__in=ids).update(
            state=Dispatch.State.PENDING, failures=0, next_attempt_at=now, trouble=""
        )
        record_many(
            event("retry", "dispatch", pk, by=by, at=now, was="parked", became=str(Dispatch.State.PENDING))
            for pk in ids
        )
    return ids
