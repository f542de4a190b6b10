"""Judging a notice: assess, hold, release, dismiss."""

import uuid
from datetime import datetime

from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import Assessment, LegalClass, Notice, Reason
from cases.services.moving import moving
from cases.services.refused import Invalid, WrongState

ILLEGAL = frozenset({LegalClass.BASELINE, LegalClass.NATIONAL})


def assess(
    *,
    notice_id: int,
    legal_class: str,
    reason: str = "",
    note: str = "",
    urgent: bool = False,
    seen_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Notice:
    """Record one person's judgement.

    Illegal material then waits for its routing; what is not illegal or cannot be judged is dismissed and
    needs a reason. Raises WrongState when it was judged before, Invalid without a reason, Stale.
    """
    if legal_class not in LegalClass.values:
        raise Invalid(_("Choose a class."))
    if legal_class not in ILLEGAL and reason not in Reason.values:
        raise Invalid(_("Say why it is not illegal or cannot be judged."))
    if by.user_id is None:
        raise Invalid(_("Only a person can judge."))
    with moving(
        notice_id,
        "assess",
        by=by,
        now=now,
        seen_version=seen_version,
        data={"class": legal_class, "reason": reason},
    ) as notice:
        if notice.assessed_at is not None or notice.state != Notice.State.RECEIVED:
            raise WrongState(_("This notice has been judged already."))
        assessment = Assessment(
            notice=notice,
            assessor_id=by.user_id,
            at=now,
            legal_class=legal_class,
            reason="" if legal_class in ILLEGAL else reason,
            token=uuid.uuid4(),
        )
        assessment.note = note
        assessment.save(force_insert=True)
        # The clock of the server that received it may run ahead of ours.
        notice.assessed_at, notice.legal_class = max(now, notice.received_at), legal_class
        if legal_class in ILLEGAL:
            notice.urgent = urgent
        else:
            notice.dismiss(at=now, because=Notice.Dismissal(legal_class))
    return notice


def dismiss(
    *, notice_id: int, because: str, by: Actor, now: datetime, seen_version: int | None = None
) -> Notice:
    """Close a notice that is never to be sent. Raises WrongState once it was sent, Invalid."""
    if because not in Notice.Dismissal.values:
        raise Invalid(_("Choose why it is dismissed."))
    with moving(
        notice_id, "dismiss", by=by, now=now, seen_version=seen_version, data={"because": because}
    ) as notice:
        _refuse_when_handed_over(notice)
        notice.dismiss(at=now, because=Notice.Dismissal(because))
    return notice


def hold(
    *,
    notice_id: int,
    kind: str,
    reason: str,
    until: datetime | None,
    by: Actor,
    now: datetime,
    seen_version: int | None = None,
) -> Notice:
    """Keep a notice back, with a reason, an owner and (but for a review) an end."""
    if kind not in Notice.Hold.values or kind == Notice.Hold.NONE:
        raise Invalid(_("Choose a kind of hold."))
    if not reason.strip():
        raise Invalid(_("Say why it is held."))
    if until is not None and until <= now:
        raise Invalid(_("The hold must end in the future."))
    with moving(notice_id, "hold", by=by, now=now, seen_version=seen_version, data={"hold": kind}) as notice:
        _refuse_when_handed_over(notice)
        notice.hold, notice.hold_review, notice.hold_reason = kind, "", reason.strip()[:300]
        notice.hold_until, notice.hold_by = until, str(by)
    return notice


def release(*, notice_id: int, by: Actor, now: datetime, seen_version: int | None = None) -> Notice:
    """End a hold: the notice goes on where it was. After a contact review it is looked up anew."""
    with moving(notice_id, "release", by=by, now=now, seen_version=seen_version) as notice:
        if not notice.hold:
            raise WrongState(_("This notice is not held."))
        if notice.hold == Notice.Hold.CONTACT_REVIEW and notice.routed_at is None:
            # Whoever reviewed it has added a rule, a network or a contact since.
            notice.attribution_id = notice.provider_id = None
        notice.end_hold()
    return notice


def _refuse_when_handed_over(notice: Notice) -> None:
    if notice.state != Notice.State.RECEIVED or notice.sent_at is not None:
        raise WrongState(_("This notice has been sent or closed already."))
    if notice.routed_at is not None:
        raise WrongState(_("This notice is in the outbox: take it back first."))
