"""When a contact falls away or comes back: what waits for it goes another way by itself.

A first message whose contact was suspended goes to the provider's other contact when it is due (sending/fallback.py).
Without another one it is parked: its notices leave it, and are held for a contact; and what is held for a contact goes
on once there is one.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from audit.record import Actor
from cases.models import Attempt, Dispatch, DispatchLine, Notice
from cases.services.moving import moving_many
from cases.services.sending.failing import change
from providers.models import Contact

#: Messages, and notices, dealt with in one transaction.
_MESSAGES: Final = 20
_NOTICES: Final = 500


def leave_suspended(*, by: Actor, now: datetime) -> int:
    """Take the notices off the first messages that are parked for a suspended contact; returns how many messages.

    One of which a copy may have gone out is left to a person.
    """
    waiting = (
        Dispatch.objects.filter(
            state=Dispatch.State.PARKED,
            trouble=Dispatch.Trouble.CONTACT,
            kind=Dispatch.Kind.FIRST,
            contact__suspended_at__isnull=False,
        )
        .exclude(Exists(Attempt.objects.filter(dispatch=OuterRef("pk"), ended_at__isnull=True)))
        .order_by("pk")
    )
    total = 0
    while ids := list(waiting.values_list("pk", flat=True)[:_MESSAGES]):
        left = sum(_leave(pk, by=by, now=now) for pk in ids)
        total += left
        if left < len(ids):
            break  # somebody else has them: the next sweep looks again
    return total


def _leave(dispatch_id: int, *, by: Actor, now: datetime) -> bool:
    ids = list(
        DispatchLine.objects.filter(dispatch_id=dispatch_id, dropped_because="").values_list(
            "notice_id", flat=True
        )
    )
    with transaction.atomic(), moving_many(ids, "drop", by=by, now=now) as notices:
        dispatch = (
            Dispatch.objects.select_related("contact")
            .select_for_update(of=("self",))
            .filter(pk=dispatch_id, state=Dispatch.State.PARKED)
            .first()
        )
        if dispatch is None or dispatch.contact.suspended_at is None:
            return False
        for notice in notices:
            if notice.state == Notice.State.RECEIVED and notice.sent_at is None:
                notice.routed_at = None
        dispatch.lines.filter(dropped_because="").update(dropped_because=DispatchLine.Dropped.SUSPENDED)
        change(dispatch, Dispatch.State.CANCELLED, "cancel", by=by, now=now)
    return True


def end_waits_for_contact(*, by: Actor, now: datetime) -> int:
    """Let go what was held because its provider had no contact, once it has one; returns how many notices."""
    reachable = Contact.objects.for_notices().values("provider")
    held = Notice.objects.held(now=now).filter(
        hold=Notice.Hold.CONTACT_REVIEW, hold_review=Notice.Review.NO_CONTACT, provider__in=reachable
    )
    total = 0
    while ids := list(held.order_by("pk").values_list("pk", flat=True)[:_NOTICES]):
        with moving_many(ids, "release", by=by, now=now) as notices:
            for notice in notices:
                if notice.hold_review == Notice.Review.NO_CONTACT:
                    notice.end_hold()
        total += len(ids)
    return total
