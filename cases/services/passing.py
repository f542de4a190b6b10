"""Leaving a notice for a colleague: skipped for a reason, or handed over without one."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.clock import day_in_amsterdam
from cases.models import Notice, PassedOn
from cases.services import claims
from cases.services.refused import Invalid, NotFound

#: So long a skip stands on the lead's list.
LISTED: Final = timedelta(days=14)


def skip(*, notice_id: int, reason: str, by: Actor, now: datetime) -> None:
    """Leave a notice for somebody whom it suits better; the lead sees which ones are left often.

    Raises Invalid without one of the reasons, NotFound.
    """
    if reason not in PassedOn.Reason.values:
        raise Invalid(_("Say why it is for somebody else."))
    _pass_on("skip", notice_id, reason, by=by, now=now)


def hand_over(*, notice_id: int, by: Actor, now: datetime) -> None:
    """Leave a notice for somebody else, without a reason: nobody has to say what they cannot look at.

    Raises NotFound.
    """
    _pass_on("hand_over", notice_id, "", by=by, now=now)


def _pass_on(act: str, notice_id: int, reason: str, *, by: Actor, now: datetime) -> None:
    if by.user_id is None:
        raise Invalid(_("Only a person can leave a notice for another."))
    with transaction.atomic():
        if not Notice.objects.filter(pk=notice_id).exists():
            raise NotFound(_("There is no such notice."))
        PassedOn.objects.update_or_create(
            user_id=by.user_id,
            day=day_in_amsterdam(now),
            notice_id=notice_id,
            defaults={"at": now, "reason": reason},
        )
        # It is needed today; what was skipped, for the lead's list a while longer. More about a person is not kept.
        mine = PassedOn.objects.filter(user_id=by.user_id)
        mine.filter(Q(reason="", day__lt=day_in_amsterdam(now)) | Q(at__lt=now - LISTED)).delete()
        record(act, "notice", notice_id, by=by, at=now, data={"reason": reason} if reason else None)
        claims.release(notice_id=notice_id, user_id=by.user_id)
