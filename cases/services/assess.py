"""Judging a notice: assess, hold, release, dismiss."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import ILLEGAL, Assessment, LegalClass, Notice, Question, SecondLook, Vocabulary
from cases.services import looks
from cases.services.moving import moving
from cases.services.refused import Invalid, WrongState
from cases.services.vocabulary import readable

#: So long the police have what they are to see first (P).
POLICE_FIRST: Final = timedelta(hours=24)


def assess(
    *,
    notice_id: int,
    legal_class: str,
    reason: str = "",
    answers: Mapping[str, str] | None = None,
    vocabulary: int | None = None,
    taken_from: int | None = None,
    note: str = "",
    urgent: bool = False,
    police_first: bool = False,
    seen_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Notice:
    """Record one person's judgement, in the words of `vocabulary` (the version they read; else that in force).

    Illegal material then waits for its routing; what is illegal by national law only once a second person has
    judged the same. What is not illegal or cannot be judged is dismissed and needs a reason. `taken_from`: the
    assessment that is taken over, when nobody read it anew. `police_first`: judged, and kept back for the police.
    Raises WrongState when it was judged before, Invalid, Stale.
    """
    _check_class(legal_class)
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
        judgement(
            notice=notice,
            legal_class=legal_class,
            reason=reason,
            answers=answers,
            vocabulary=vocabulary,
            taken_from=taken_from,
            note=note,
            by=by,
            now=now,
        )
        # The clock of the server that received it may run ahead of ours.
        notice.assessed_at, notice.legal_class = max(now, notice.received_at), legal_class
        if legal_class not in ILLEGAL:
            notice.dismiss(at=now, because=Notice.Dismissal(legal_class))
        else:
            notice.urgent = urgent
            if legal_class == LegalClass.NATIONAL:
                notice.hold, notice.hold_review = Notice.Hold.SECOND_ASSESSMENT, Notice.Review.SECOND
                notice.hold_by = str(by)
            if police_first:
                notice.hold, notice.hold_review = Notice.Hold.POLICE_FIRST, Notice.Review.POLICE
                notice.hold_by, notice.hold_until = str(by), now + POLICE_FIRST
        if legal_class == LegalClass.NATIONAL:
            looks.want([notice], SecondLook.Why.NATIONAL, by=by, now=now)
        elif looks.is_sampled(notice.content_id):
            looks.want([notice], SecondLook.Why.SAMPLE, by=by, now=now)
    return notice


def judgement(
    *,
    notice: Notice,
    legal_class: str,
    reason: str,
    answers: Mapping[str, str] | None,
    vocabulary: int | None,
    taken_from: int | None = None,
    note: str,
    by: Actor,
    now: datetime,
) -> Assessment:
    """One person's judgement of a locked notice, saved; what follows from it is the caller's.

    What does not belong to the class is left out: no reason for what is illegal, no answers for what is not.
    What is taken over was said in words that were in force then, however long ago. Raises Invalid.
    """
    _check_class(legal_class)
    if by.user_id is None:
        raise Invalid(_("Only a person can judge."))
    if taken_from is not None and vocabulary is not None:
        version = Vocabulary.objects.get(pk=vocabulary)
    else:
        version = readable(vocabulary)
    offered = {(term.question, term.code) for term in version.terms.filter(retired=False)}
    illegal = legal_class in ILLEGAL
    said = {question: code for question, code in (answers or {}).items() if code} if illegal else {}
    # What is taken over may be said in words that are offered no longer.
    if not illegal and (not reason if taken_from else (Question.REASON, reason) not in offered):
        raise Invalid(_("Say why it is not illegal or cannot be judged."))
    if taken_from is None and (
        Question.REASON in said or not all(answer in offered for answer in said.items())
    ):
        raise Invalid(_("One of the answers is not among those that are offered."))
    assessment = Assessment(
        notice=notice,
        assessor_id=by.user_id,
        at=now,
        legal_class=legal_class,
        reason="" if illegal else reason,
        answers=said,
        vocabulary=version,
        taken_from_id=taken_from,
        token=uuid.uuid4(),
    )
    assessment.note = note
    assessment.save(force_insert=True)
    return assessment


def _check_class(legal_class: str) -> None:
    if legal_class not in LegalClass.values:
        raise Invalid(_("Choose a class."))


def dismiss(
    *, notice_id: int, because: str, by: Actor, now: datetime, seen_version: int | None = None
) -> Notice:
    """Close a notice that is never to be sent.

    Raises WrongState once it was sent, or while a second person or the lead is to say what it is; Invalid.
    """
    if because not in Notice.Dismissal.values:
        raise Invalid(_("Choose why it is dismissed."))
    with moving(
        notice_id, "dismiss", by=by, now=now, seen_version=seen_version, data={"because": because}
    ) as notice:
        _refuse_when_handed_over(notice)
        _refuse_when_doubted(notice)
        notice.dismiss(at=now, because=Notice.Dismissal(because))
        SecondLook.objects.filter(notice=notice).overtake(at=now)
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


def prolong(
    *, notice_id: int, until: datetime, by: Actor, now: datetime, seen_version: int | None = None
) -> Notice:
    """Let a hold that has an end last longer, with the same reason. Raises WrongState, Invalid."""
    if until <= now:
        raise Invalid(_("The hold must end in the future."))
    with moving(notice_id, "prolong", by=by, now=now, seen_version=seen_version) as notice:
        if not notice.hold or notice.hold_until is None:
            raise WrongState(_("There is no hold with an end here."))
        _refuse_when_handed_over(notice)
        notice.hold_until, notice.hold_by = until, str(by)
    return notice


def release(*, notice_id: int, by: Actor, now: datetime, seen_version: int | None = None) -> Notice:
    """End a hold: the notice goes on where it was. After a contact review it is looked up anew.

    Raises WrongState while a second judgement is missing: only that, or the lead, ends such a hold.
    """
    with moving(notice_id, "release", by=by, now=now, seen_version=seen_version) as notice:
        if not notice.hold:
            raise WrongState(_("This notice is not held."))
        if notice.hold == Notice.Hold.SECOND_ASSESSMENT:
            _refuse_when_doubted(notice)
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


def _refuse_when_doubted(notice: Notice) -> None:
    """Whoever judged first would otherwise have the last word as well."""
    if SecondLook.objects.blocking().filter(notice=notice).exists():
        raise WrongState(_("A second person judges this first: only that, or the lead, ends the hold."))
