"""A notice that was sent is taken back, and whoever has it in hand is told so."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import Dispatch, DispatchLine, Dispute, Notice, SecondLook, Step
from cases.services.enqueue import enqueue
from cases.services.moving import moving
from cases.services.refused import Invalid

#: It left us, and nobody said that it came back.
HANDED_OVER = (Dispatch.State.RELAYED, Dispatch.State.ACCEPTED)


def withdraw(
    *, notice_id: int, because: str, by: Actor, now: datetime, seen_version: int | None = None
) -> Notice:
    """Take a notice back after it was sent; each contact that got it is told soon, without a clock.

    Raises WrongState, Stale, Invalid.
    """
    if because not in Notice.Withdrawal.values:
        raise Invalid(_("Choose why it is withdrawn."))
    with moving(
        notice_id, "withdraw", by=by, now=now, seen_version=seen_version, data={"because": because}
    ) as notice:
        notice.withdraw(at=now, because=Notice.Withdrawal(because))
        Step.objects.filter(notice=notice).overtake(at=now)
        SecondLook.objects.filter(notice=notice).overtake(at=now)
        Dispute.objects.filter(notice=notice).close(because=because, at=now, by=str(by))
        got_it = DispatchLine.objects.filter(
            notice=notice, dropped_because="", dispatch__state__in=HANDED_OVER
        ).exclude(dispatch__kind=Dispatch.Kind.ORIGIN)
        for contact_id in got_it.order_by("contact_id").values_list("contact_id", flat=True).distinct():
            tell(contact_id=contact_id, notices=[notice], by=by, now=now)
    return notice


def tell(*, contact_id: int, notices: Sequence[Notice], by: Actor, now: datetime) -> None:
    """Put it in the outbox that locked notices are withdrawn; a contact hears of each once."""
    if notices:
        enqueue(
            contact_id=contact_id, notices=notices, kind=Dispatch.Kind.WITHDRAWAL, round_=1, by=by, now=now
        )
