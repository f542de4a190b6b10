"""What did not leave: tried again later, or parked for a person while its neighbours flow on."""

import random
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.formats.files import NoKey, Unmade
from cases.models import Dispatch
from cases.services.sending.claiming import Claim, fenced
from cases.services.sending.pacing import rest
from providers.channels.result import Failed
from providers.services import Unfit, suspend_contact

BACK_OFF: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60))
PARK_AFTER: Final = 5


def failed(
    dispatch: Dispatch,
    result: Failed,
    *,
    by: Actor,
    now: datetime,
    when_parked: Dispatch.Trouble = Dispatch.Trouble.NO_LUCK,
    is_theirs: bool = True,
) -> None:
    """A failure of a locked dispatch: it waits, or is parked. What is our own fault counts against nobody."""
    dispatch.trouble_answer, dispatch.leased_until = result.answer, None
    if result.ours:
        dispatch.trouble, dispatch.next_attempt_at = Dispatch.Trouble.OURS, now + BACK_OFF[0]
        _put_off(dispatch)
        return
    if result.gone:
        _retire(dispatch, result, by=by, now=now)
        return
    dispatch.failures += 1
    # So that what failed together does not come back together.
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    asked_until = None
    if is_theirs and not result.permanent:
        asked_until = rest(dispatch.contact_id, asked=result.wait, jitter=jitter, now=now)
    if result.permanent or dispatch.failures >= PARK_AFTER:
        park(dispatch, Dispatch.Trouble.REFUSED if result.permanent else when_parked, by=by, now=now)
        return
    dispatch.trouble = Dispatch.Trouble.LATER
    dispatch.next_attempt_at = max(now + BACK_OFF[dispatch.failures - 1] * jitter, asked_until or now)
    _put_off(dispatch)
    record("fail", "dispatch", dispatch.pk, by=by, at=now, data={"failures": dispatch.failures})


def _retire(dispatch: Dispatch, result: Failed, *, by: Actor, now: datetime) -> None:
    """The endpoint is gone for good: nothing goes there until a person has looked, and the message looks again at once.

    Then another contact of the provider takes its place, or it is parked because there is none.
    """
    with suppress(Unfit):  # somebody has suspended it meanwhile
        suspend_contact(contact_id=dispatch.contact_id, reason=result.answer, by=by, now=now)
    dispatch.trouble, dispatch.next_attempt_at = Dispatch.Trouble.LATER, now
    _put_off(dispatch)


def _put_off(dispatch: Dispatch) -> None:
    dispatch.save(update_fields=["failures", "trouble", "trouble_answer", "leased_until", "next_attempt_at"])


def park(dispatch: Dispatch, trouble: Dispatch.Trouble, *, by: Actor, now: datetime) -> None:
    """Set a locked dispatch aside for a person; its neighbours flow on."""
    dispatch.trouble, dispatch.leased_until = trouble, None
    change(dispatch, Dispatch.State.PARKED, "park", by=by, now=now)


def set_aside(held: Claim, *, by: Actor, now: datetime) -> None:
    """A message that cannot be made or settled fails like any other, and is parked in the end. Fenced.

    Its attempt stays open: nobody knows whether a copy is with them.
    """
    with transaction.atomic():
        dispatch = fenced([held]).get(held.dispatch_id)
        if dispatch is not None:
            unmade(dispatch, by=by, now=now)


def unmade(dispatch: Dispatch, *, by: Actor, now: datetime) -> None:
    """A locked dispatch that cannot be made into a message: no fault of its contact, whose others go on."""
    result = Failed(_("This message cannot be made; the log says why."), permanent=False)
    failed(dispatch, result, by=by, now=now, when_parked=Dispatch.Trouble.UNMADE, is_theirs=False)


def give_up(dispatch: Dispatch, problem: Unmade, *, by: Actor, now: datetime) -> None:
    """Park at once a locked dispatch that cannot be made as things stand; a person mends the cause and retries."""
    dispatch.trouble_answer = str(problem)[:500]
    trouble = Dispatch.Trouble.KEY if isinstance(problem, NoKey) else Dispatch.Trouble.UNMADE
    park(dispatch, trouble, by=by, now=now)


def change(
    dispatch: Dispatch,
    to: Dispatch.State,
    act: str,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Move a locked dispatch along an edge, save all of it and record it."""
    was, dispatch.state = dispatch.state, to
    dispatch.save()
    record(act, "dispatch", dispatch.pk, by=by, at=now, was=was, became=to, data=data)
