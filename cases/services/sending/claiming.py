"""Which dispatches are ours for a while: the lease, and the fence against whoever held them before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F

from cases.models import Dispatch

#: Longer than a hand-over can take (EMAIL_TIMEOUT bounds the whole of it), so a lease that ran out is dead. It
#: begins again with each hand-over: what a killed worker held is free again within this time.
LEASE: Final = timedelta(seconds=90)
CLAIM: Final = 20


@dataclass(frozen=True)
class Claim:
    """A dispatch in our hands; `attempt` is the fence: whoever holds an older number writes nothing."""

    dispatch_id: int
    attempt: int


def claim(*, now: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` due dispatches in order; others skip them while the lease lasts."""
    due = Dispatch.objects.due(now=now).order_by("next_attempt_at", "pk").select_for_update(skip_locked=True)
    with transaction.atomic():
        rows = list(due.only("pk", "attempt")[:limit])
        Dispatch.objects.filter(pk__in=[row.pk for row in rows]).update(
            leased_until=now + LEASE,
            attempt=F("attempt") + 1,
            gathering=False,
        )
    return [Claim(row.pk, row.attempt + 1) for row in rows]


def fenced(held: Claim) -> Dispatch | None:
    """The dispatch, locked, if the claim still holds it; None when somebody else took over or settled it."""
    return (
        Dispatch.objects.select_related("contact__provider")
        .select_for_update(of=("self",))
        .filter(pk=held.dispatch_id, attempt=held.attempt, state=Dispatch.State.PENDING)
        .first()
    )
