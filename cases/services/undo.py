"""Thinking again right after a judgement, as long as nothing of it has left the house."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import Assessment, Dispatch, DispatchLine, Notice, SecondLook
from cases.services import placing
from cases.services.enqueue import FIRST
from cases.services.outgoing import take_back
from cases.services.refused import NotFound, Refused, WrongState

#: Further back nobody looks: what still waits in the outbox then is taken back on its own page.
_LOOKED_AT = timedelta(hours=12)


class NotYours(Refused):
    """Somebody else judged it."""

    code = "not_yours"


def undo(*, notice_id: int, by: Actor, now: datetime) -> Notice:
    """Take one's own last judgement back; returns the notice that is to be judged again.

    What was judged illegal comes out of the outbox, until its message is on its way. What was dismissed by the
    judgement is opened again as a new notice that follows it, for as long as a message would have waited: no
    edge of the machine leads out of `dismissed`. It keeps the moment at which it came in.
    Raises NotFound, NotYours, WrongState when it is too late.
    """
    notice = Notice.objects.select_related("content").filter(pk=notice_id).first()
    if notice is None:
        raise NotFound(_("There is no such notice."))
    last = notice.assessments.order_by("-at", "-pk").first()
    if last is None or last.assessor_id != by.user_id:
        raise NotYours(_("You did not judge this one last: its own page says what can be done."))
    if notice.state != Notice.State.DISMISSED:
        return take_back(notice_id=notice_id, by=by, now=now, seen_version=notice.version)
    if notice.closed_because != last.legal_class or not _is_fresh(notice, now):
        raise WrongState(_("It is too late to undo this."))
    with transaction.atomic():
        placing.lock_intake()
        key = bytes(notice.content.url_key)
        before = placing.known([key])[key]
        if before.notice_id != notice.pk:
            raise WrongState(_("Something else has become of this address since."))
        place = placing.fresh(before)
        placing.open_notices(
            [place],
            by=by,
            now=now,
            data={"undone": notice.reference},
            received_at=notice.received_at,
            alike={"provider_id": notice.provider_id, "attribution_id": notice.attribution_id},
        )
        SecondLook.objects.unread().filter(notice=notice).overtake(at=now)
    return Notice.objects.get(reference=place.reference)


def undoable(*, user_id: int, now: datetime, most: int = 10) -> list[tuple[Assessment, datetime | None]]:
    """One's own judgements that can be undone now, the last one first, each with the moment until when.

    None: until somebody lets its message go.
    """
    judged = _undoable(user_id, now).select_related("notice").order_by("-at", "-pk")[:most]
    lines = DispatchLine.objects.filter(
        notice__in=[each.notice_id for each in judged], step=FIRST, dropped_because=""
    )
    messages = {line.notice_id: line.dispatch for line in lines.select_related("dispatch")}
    found: list[tuple[Assessment, datetime | None]] = []
    for each in judged:
        message = messages.get(each.notice_id)
        if message is None:
            # On no message yet: once on one, it waits for the whole window.
            found.append((each, each.at + settings.HOST.grouping_window))
        elif message.state == Dispatch.State.PENDING and not message.attempt:
            waits = message.approval_reason and not message.approved_by
            found.append((each, None if waits else message.next_attempt_at))
    return found


def _undoable(user_id: int, now: datetime) -> QuerySet[Assessment]:
    waits: Any = Q(notice__state=Notice.State.RECEIVED, notice__sent_at__isnull=True)
    fresh = Q(
        notice__state=Notice.State.DISMISSED,
        notice__closed_because=F("legal_class"),
        notice__closed_at__gt=now - settings.HOST.grouping_window,
    )
    # What was judged again since is somebody's newer judgement.
    return Assessment.objects.filter(
        waits | (fresh & Q(notice__followers__isnull=True)),
        assessor=user_id,
        at__gt=now - _LOOKED_AT,
        notice__assessed_at=F("at"),
    )


def _is_fresh(notice: Notice, now: datetime) -> bool:
    return notice.closed_at is not None and now < notice.closed_at + settings.HOST.grouping_window
