"""What a person does to a message that waits: let it go, take it back, try it again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import Dispatch, DispatchLine, Notice, SecondLook
from cases.services.enqueue import FIRST
from cases.services.moving import moving, moving_many
from cases.services.refused import NotFound, WrongState
from cases.services.retry import retry_many


def take_back(*, notice_id: int, by: Actor, now: datetime, seen_version: int | None = None) -> Notice:
    """Undo a judgement while its message still waits, or before it is on one: it returns to the work desk.

    A hold that the judgement or its routing set ends with it; one that a person set stays.
    Raises WrongState once the message is on its way, or a second person judged otherwise; Stale.
    """
    with moving(notice_id, "take_back", by=by, now=now, seen_version=seen_version) as notice:
        line = (
            DispatchLine.objects.select_related("dispatch")
            .select_for_update(of=("self", "dispatch"))
            .filter(notice=notice, step=FIRST, dropped_because="")
            .first()
        )
        on_none = line is None and notice.routed_at is None
        if notice.state != Notice.State.RECEIVED or notice.assessed_at is None:
            raise WrongState(_("This notice is not waiting to be sent."))
        if SecondLook.objects.differing().filter(notice=notice).exists():
            raise WrongState(_("Two people judged it differently: the lead decides."))
        if line is not None and line.dispatch.state == Dispatch.State.PENDING and not line.dispatch.attempt:
            line.dropped_because = DispatchLine.Dropped.TAKEN_BACK
            line.save(update_fields=["dropped_because"])
        elif not on_none:
            raise WrongState(_("This notice is not waiting in the outbox any more."))
        if notice.hold_review:
            notice.end_hold()
        notice.assessed_at = notice.routed_at = None
        # What was urgent stays so: it goes before others on the work desk.
        notice.legal_class = ""
        SecondLook.objects.filter(notice=notice).overtake(at=now)
    return notice


def cancel(*, dispatch_id: int, by: Actor, now: datetime) -> Dispatch:
    """Cancel a whole message that waits or is parked: notices on a first one return to the work desk.

    Raises NotFound, or WrongState once an attempt was made.
    """
    with transaction.atomic():
        ids = list(
            DispatchLine.objects.filter(dispatch_id=dispatch_id, dropped_because="").values_list(
                "notice_id", flat=True
            )
        )
        # Notices first, then the dispatch: the order in which every writer locks them.
        with moving_many(ids, "take_back", by=by, now=now) as notices:
            dispatch = _locked(dispatch_id)
            pending = dispatch.state == Dispatch.State.PENDING and not dispatch.attempt
            if not pending and dispatch.state != Dispatch.State.PARKED:
                raise WrongState(_("This message is on its way or has gone."))
            first = notices if dispatch.kind == Dispatch.Kind.FIRST else []
            for notice in first:
                if notice.state == Notice.State.RECEIVED:
                    notice.assessed_at = notice.routed_at = None
                    notice.legal_class = ""
            SecondLook.objects.filter(notice__in=first).overtake(at=now)
        was = dispatch.state
        dispatch.state, dispatch.gathering = Dispatch.State.CANCELLED, False
        dispatch.save(update_fields=["state", "gathering"])
        dispatch.lines.filter(dropped_because="").update(dropped_because=DispatchLine.Dropped.CANCELLED)
        record("cancel", "dispatch", dispatch.pk, by=by, at=now, was=was, became=dispatch.state)
    return dispatch


def approve(*, dispatch_id: int, by: Actor, now: datetime) -> Dispatch:
    """A person lets a message go that waited for one; what they have not seen does not join it any more.

    Raises NotFound, WrongState.
    """
    with transaction.atomic():
        dispatch = _locked(dispatch_id)
        if dispatch.state != Dispatch.State.PENDING or not dispatch.approval_reason or dispatch.approved_by:
            raise WrongState(_("This message does not wait for approval."))
        dispatch.approved_by, dispatch.gathering = str(by), False
        dispatch.save(update_fields=["approved_by", "gathering"])
        record("approve", "dispatch", dispatch.pk, by=by, at=now)
    return dispatch


def retry(*, dispatch_id: int, by: Actor, now: datetime) -> Dispatch:
    """Try a parked message again, with the same Message-ID. Raises NotFound, WrongState."""
    with transaction.atomic():
        retried = retry_many(dispatch_ids=[dispatch_id], by=by, now=now)
        dispatch = _locked(dispatch_id)
        if not retried:
            raise WrongState(_("This message is not parked."))
    return dispatch


def _locked(dispatch_id: int) -> Dispatch:
    dispatch = Dispatch.objects.select_for_update().filter(pk=dispatch_id).first()
    if dispatch is None:
        raise NotFound(_("There is no such message."))
    return dispatch
