"""The second judgement, and the lead's word where two differ."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import (
    ILLEGAL,
    Assessment,
    Dispatch,
    DispatchLine,
    Dispute,
    LegalClass,
    Notice,
    SecondLook,
)
from cases.services.assess import dismiss, judgement
from cases.services.enqueue import FIRST
from cases.services.ladder import hasten
from cases.services.moving import moving
from cases.services.observe import reopen
from cases.services.placing import lock_intake
from cases.services.refused import Invalid, NotFound, Refused, Stale, WrongState
from cases.services.withdraw import withdraw

Outcome = SecondLook.Outcome
_SENT_OPEN: Final = frozenset({Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED})


class NotYou(Refused):
    """Whoever judged a notice before gives no further judgement of it, and decides on none."""

    code = "not_you"


def judge_again(
    *,
    notice_id: int,
    legal_class: str,
    reason: str = "",
    answers: Mapping[str, str] | None = None,
    vocabulary: int | None = None,
    note: str = "",
    seen_version: int | None = None,
    by: Actor,
    now: datetime,
) -> SecondLook:
    """Record the second judgement. The same class ends the look; another one goes to the lead.

    What waits in the outbox is kept back at once when the second person judges otherwise. Of a dispute the second
    person decides: not illegal upholds it, and illegal in any class rejects it.
    Raises Stale when somebody was first, WrongState when none is wanted any more, NotYou, Invalid.
    """
    with transaction.atomic():
        # Not by the notice's version: with the provider it moves on with every look at the material.
        with moving(notice_id, "judge_again", by=by, now=now) as notice:
            look = SecondLook.objects.unread().select_for_update().filter(notice=notice).first()
            if look is None:
                raise _too_late(notice, seen_version)
            _refuse_who_judged(notice, by)
            look.second = judgement(
                notice=notice,
                legal_class=legal_class,
                reason=reason,
                answers=answers,
                vocabulary=vocabulary,
                note=note,
                by=by,
                now=now,
            )
            look.second_by_id = by.user_id
            record("judge_again", "notice", notice.pk, by=by, at=now, data={"why": look.why})
            same = look.first.legal_class == legal_class
            disputed = look.why == SecondLook.Why.DISPUTE
            upheld = disputed and legal_class == LegalClass.NOT_ILLEGAL and not same
            if same or upheld:
                look.settled_at, look.settled_by_id = now, by.user_id
                look.outcome = Outcome.AGREED if same else Outcome.UPHELD
            look.save()
        if upheld:
            _let_go(notice_id, legal_class, by=by, now=now)
        else:
            if disputed and legal_class in ILLEGAL:
                _reject_objection(notice_id, by=by, now=now)
            if same:
                _go_on(notice_id, by=by, now=now)
            else:
                _keep_back(notice_id, by=by, now=now)
    return look


def settle(
    *,
    look_id: int,
    stands: str,
    legal_class: str = "",
    reason: str = "",
    answers: Mapping[str, str] | None = None,
    vocabulary: int | None = None,
    note: str = "",
    by: Actor,
    now: datetime,
) -> SecondLook:
    """The lead decides between two judgements: the first or the second stands, or a third takes their place.

    The lead's judgement is an assessment like the others, and it counts. What it lets go is dismissed or, once
    sent, withdrawn; what it finds illegal goes on, and comes back as a new notice when it had been dismissed.
    Raises WrongState when nothing differs any more, NotYou, Invalid, NotFound.
    """
    if stands not in {Outcome.FIRST, Outcome.SECOND, Outcome.THIRD}:
        raise Invalid(_("Say which judgement stands."))
    with transaction.atomic():
        found = SecondLook.objects.select_related("notice").filter(pk=look_id).first()
        if found is None:
            raise NotFound(_("There is no such second judgement."))
        notice_id = found.notice_id
        if found.notice.state == Notice.State.DISMISSED:
            # Before the notice: the order in which intake locks them.
            lock_intake()
        with moving(notice_id, "settle_second", by=by, now=now) as notice:
            look = (
                SecondLook.objects.differing()
                .select_related("first", "second")
                .select_for_update(of=("self",))
                .filter(pk=look_id)
                .first()
            )
            if look is None:
                raise WrongState(_("There is nothing to decide here any more."))
            _refuse_who_judged(notice, by)
            kept = {Outcome.FIRST: look.first, Outcome.SECOND: look.second}.get(Outcome(stands))
            if kept is not None:
                legal_class, reason, answers = kept.legal_class, kept.reason, kept.answers
                vocabulary = kept.vocabulary_id
            look.lead = judgement(
                notice=notice,
                legal_class=legal_class,
                reason=reason,
                answers=answers,
                vocabulary=vocabulary,
                taken_from=kept.pk if kept else None,
                note=note,
                by=by,
                now=now,
            )
            look.settled_at, look.settled_by_id, look.outcome = now, by.user_id, stands
            look.save()
            notice.legal_class = legal_class
            record("settle_second", "notice", notice.pk, by=by, at=now, data={"stands": stands})
            disputed, state = notice.disputed_at is not None, notice.state
        if legal_class not in ILLEGAL:
            _let_go(notice_id, legal_class, by=by, now=now)
        elif state == Notice.State.DISMISSED:
            reopen(content=notice.content, previous=notice, by=by, now=now)
        else:
            if disputed:
                _reject_objection(notice_id, by=by, now=now)
            _go_on(notice_id, by=by, now=now)
    return look


def _too_late(notice: Notice, seen_version: int | None) -> Refused:
    """Somebody else has given the second judgement, or it is not wanted any more."""
    last = SecondLook.objects.filter(notice=notice).select_related("second").order_by("-pk").first()
    if last is None or last.second is None:
        return WrongState(_("No second judgement of this notice is wanted any more."))
    return Stale(
        notice_id=notice.pk,
        by=f"user:{last.second_by_id}",
        act="judge_again",
        at=last.second.at,
        seen=notice.version if seen_version is None else seen_version,
        current=notice.version,
    )


def _refuse_who_judged(notice: Notice, by: Actor) -> None:
    if Assessment.objects.filter(notice=notice, assessor=by.user_id).exists():
        raise NotYou(_("You have judged this notice yourself: somebody else must do this."))


def _go_on(notice_id: int, *, by: Actor, now: datetime) -> None:
    """It was kept back for this alone, so it goes on where it was."""
    with moving(notice_id, "release", by=by, now=now) as notice:
        if notice.hold == Notice.Hold.SECOND_ASSESSMENT and notice.state == Notice.State.RECEIVED:
            notice.end_hold()


def _keep_back(notice_id: int, *, by: Actor, now: datetime) -> None:
    """Out of the outbox, as long as no attempt was made; what is on its way is looked at again before it goes."""
    with moving(notice_id, "hold", by=by, now=now, data={"hold": Notice.Hold.SECOND_ASSESSMENT}) as notice:
        if notice.state != Notice.State.RECEIVED or notice.sent_at is not None:
            return
        line = (
            DispatchLine.objects.select_related("dispatch")
            .select_for_update(of=("self", "dispatch"))
            .filter(notice=notice, step=FIRST, dropped_because="")
            .first()
        )
        if line is not None:
            if line.dispatch.state != Dispatch.State.PENDING or line.dispatch.attempt:
                return
            line.dropped_because = DispatchLine.Dropped.DOUBTED
            line.save(update_fields=["dropped_because"])
            notice.routed_at = None
        if not notice.hold:
            notice.hold, notice.hold_review = Notice.Hold.SECOND_ASSESSMENT, Notice.Review.SECOND
            notice.hold_by = str(by)


def _reject_objection(notice_id: int, *, by: Actor, now: datetime) -> None:
    with moving(notice_id, "reject_objection", by=by, now=now) as notice:
        Dispute.objects.about_material().filter(notice=notice).settle(
            Dispute.Outcome.REJECTED, at=now, by=str(by)
        )
        if notice.disputed_at is not None and notice.objection_rejected_at is None:
            notice.objection_rejected_at = now
            hasten(notice_ids=[notice_id], now=now)


def _let_go(notice_id: int, legal_class: str, *, by: Actor, now: datetime) -> None:
    """It is not illegal after all: taken back when it was sent, dismissed when it was not."""
    notice = Notice.objects.get(pk=notice_id)
    if notice.state not in _SENT_OPEN:
        # Closed before anybody decided: what was objected was right all the same.
        disputes = Dispute.objects.about_material().filter(notice=notice)
        disputes.settle(Dispute.Outcome.UPHELD, at=now, by=str(by))
        return
    if notice.sent_at is None:
        dismiss(notice_id=notice_id, because=legal_class, by=by, now=now)
        return
    because = Notice.Withdrawal.OBJECTION_UPHELD if notice.disputed_at else Notice.Withdrawal.JUDGED_AGAIN
    withdraw(notice_id=notice_id, because=because, by=by, now=now)
