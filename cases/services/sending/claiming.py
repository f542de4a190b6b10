"""Which dispatches are ours for a while: the lease, and the fence against whoever held them before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _

from cases.models import Attempt, Dispatch
from cases.services.sending.deliveries import never_begun
from cases.services.sending.pacing import Turn, keep, turns

#: Longer than a hand-over can take (EMAIL_TIMEOUT bounds the whole of it), so a lease that ran out is dead. It
#: begins again with each hand-over: what a killed worker held is free again within this time.
LEASE: Final = timedelta(seconds=90)
CLAIM: Final = 40


@dataclass(frozen=True)
class Claim:
    """A dispatch in our hands; `attempt` is the fence: whoever holds an older number writes nothing."""

    dispatch_id: int
    attempt: int


def claim(*, now: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` due dispatches, one of a contact; others skip them while the lease lasts.

    Urgent ones first; then the contacts in turn, so that one with thousands of messages holds up nobody. What a
    contact's or a host's rate does not let through waits.
    """
    with transaction.atomic():
        taken: list[Claim] = []
        for some in turns(now=now, limit=limit):
            taken += _take(some[: limit - len(taken)], now=now)
            if len(taken) >= limit:
                break
    return taken


def _take(some: Sequence[Turn], *, now: datetime) -> list[Claim]:
    # A statement of its own, after the contacts are locked: it sees what whoever held them before has taken.
    rows = (
        Dispatch.objects.due(now=now)
        .filter(pk__in=[turn.dispatch_id for turn in some])
        .exclude(Exists(Dispatch.objects.in_hand(now=now).filter(contact=OuterRef("contact"))))
        .select_for_update(skip_locked=True)
    )
    attempts = dict(rows.values_list("pk", "attempt"))
    going = [turn for turn in some if turn.dispatch_id in attempts]
    keep(going)
    Dispatch.objects.filter(pk__in=attempts).update(
        leased_until=now + LEASE, attempt=F("attempt") + 1, gathering=False
    )
    return [Claim(turn.dispatch_id, attempts[turn.dispatch_id] + 1) for turn in going]


def fenced(held: Sequence[Claim]) -> dict[int, Dispatch]:
    """The dispatches, locked, that the claims still hold; not those that somebody else took over or settled."""
    attempts = {each.dispatch_id: each.attempt for each in held}
    rows = (
        Dispatch.objects.select_related("contact__provider")
        .select_for_update(of=("self",))
        .filter(pk__in=attempts, state=Dispatch.State.PENDING)
        .order_by("pk")
    )
    return {row.pk: row for row in rows if row.attempt == attempts[row.pk]}


def give_back(held: Claim, *, now: datetime) -> None:
    """What was prepared and not begun is due again at once. Fenced."""
    with transaction.atomic():
        if held.dispatch_id in fenced([held]):
            Attempt.objects.filter(dispatch=held.dispatch_id, number=held.attempt).update(
                ended_at=now, accepted=False, answer=_("Not begun: everybody was busy.")
            )
            never_begun(held.dispatch_id, held.attempt)
            Dispatch.objects.filter(pk=held.dispatch_id).update(leased_until=None)
