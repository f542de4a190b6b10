"""A notice that was sent is taken back."""

from datetime import datetime

from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import Notice, SecondLook, Step
from cases.services.moving import moving
from cases.services.refused import Invalid


def withdraw(
    *, notice_id: int, because: str, by: Actor, now: datetime, seen_version: int | None = None
) -> Notice:
    """Take a notice back after it was sent. Raises WrongState, Stale, Invalid."""
    if because not in Notice.Withdrawal.values:
        raise Invalid(_("Choose why it is withdrawn."))
    with moving(
        notice_id, "withdraw", by=by, now=now, seen_version=seen_version, data={"because": because}
    ) as notice:
        notice.withdraw(at=now, because=Notice.Withdrawal(because))
        Step.objects.filter(notice=notice).overtake(at=now)
        SecondLook.objects.filter(notice=notice).overtake(at=now)
    return notice
