"""What providers say: acknowledged, removed, not ours, disputed. Words move facts, never the state."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, event, record_many
from cases.models import Dispute, Notice, Reply, ReplyMail
from cases.services import conversation, forwarding
from cases.services.clocks import start_clocks
from cases.services.disputes import Standing, ground_of, open_disputes
from cases.services.moving import moving_many

BATCH: Final = 5_000
_CLAIMS: Final = frozenset({Reply.Answer.REMOVED, Reply.Answer.ALREADY_GONE})
_DISPUTES: Final = frozenset({Reply.Answer.DISPUTE, Reply.Answer.NOT_OURS})
#: Answers that may be given again in other words.
_REPEATABLE: Final = _DISPUTES | {Reply.Answer.FORWARDED, Reply.Answer.NEED_INFORMATION}


@dataclass(frozen=True)
class Answer:
    """One answer about one notice. `at`: when the provider says it happened.

    `ground`: why it is disputed (Dispute.Ground). Of what is forwarded: `customer`, a provider known as theirs, or
    `forwarded_to`, a name; `expected_by`; and `knows_late`, that they know when this is after their own due moment.
    """

    reference: str
    answer: str
    at: datetime | None = None
    reason: str = ""
    note: str = ""
    ground: str = ""
    customer: int | None = None
    forwarded_to: str = ""
    expected_by: datetime | None = None
    knows_late: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one answer: recorded, unchanged or refused with a reason in words."""

    reference: str
    outcome: str
    reason: str = ""


def answer_many(
    *,
    provider_id: int,
    answers: Sequence[Answer],
    by: Actor,
    now: datetime,
    mail: ReplyMail | None = None,
) -> list[Outcome]:
    """Record a provider's answers, one outcome each, in the order given.

    A notice of another provider does not exist here. Acknowledging is not removing, and a claim is not a
    proof: the clock keeps running, and a claim makes a check due now. The same answer again is unchanged.
    Whoever answers has been reached: an answer starts the clock of a notice that only our relay had accepted.
    `mail`: what the provider wrote, when `by` is who read it there.
    """
    outcomes: list[Outcome] = []
    for start in range(0, len(answers), BATCH):
        outcomes += _batch(provider_id, answers[start : start + BATCH], by=by, now=now, mail=mail)
    return outcomes


def _batch(
    provider_id: int, answers: Sequence[Answer], *, by: Actor, now: datetime, mail: ReplyMail | None
) -> list[Outcome]:
    own = dict(
        Notice.objects.of(provider_id)
        .filter(reference__in={answer.reference for answer in answers})
        .values_list("reference", "pk")
    )
    outcomes: list[Outcome] = []
    replies: list[Reply] = []
    reached: dict[int, Notice] = {}
    objections: dict[int, tuple[Reply, str]] = {}
    passed_on: dict[int, tuple[int | None, str, datetime | None]] = {}
    customers = _customers(provider_id, answers, now=now)
    with transaction.atomic(), moving_many(list(own.values()), "answer", by=by, now=now) as notices:
        locked = {notice.reference: notice for notice in notices}
        said = _said(notices)
        standing = Standing(notices if _DISPUTES & {answer.answer for answer in answers} else [])
        for answer in answers:
            notice = locked.get(answer.reference)
            refusal = _refusal(notice, answer, customers, now=now)
            if notice is not None and not refusal and _words(notice, answer) not in said:
                refusal = _new_refusal(notice, answer, standing, now=now)
            if notice is None or refusal:
                outcomes.append(Outcome(answer.reference, "refused", refusal))
                continue
            if not _apply(notice, answer, said, now=now):
                outcomes.append(Outcome(answer.reference, "unchanged"))
                continue
            if notice.state == Notice.State.RECEIVED:
                reached[notice.pk] = notice
            if answer.answer == Reply.Answer.FORWARDED:
                passed_on[len(replies)] = (answer.customer, answer.forwarded_to.strip(), answer.expected_by)
            replies.append(_reply(notice, answer, by=by, now=now, mail=mail))
            if answer.answer in _DISPUTES:
                objections[notice.pk] = (replies[-1], ground_of(answer.answer, answer.ground))
                standing.add(notice.pk, at=now)
            outcomes.append(Outcome(answer.reference, "recorded"))
        sent = [notice.sent_at for notice in reached.values() if notice.sent_at]
        start_clocks(list(reached.values()), at=max([now, *sent]), estimated=False)
        Reply.objects.bulk_create(replies, batch_size=1_000)
        conversation.asked(replies)
        forwarding.forward(replies, passed_on, now=now)
        if objections:
            open_disputes(notices, objections, by=by, now=now)
        record_many(
            event("reply", "notice", reply.notice_id, by=by, at=now, data={"answer": reply.answer})
            for reply in replies
        )
    return outcomes


def _customers(provider_id: int, answers: Sequence[Answer], *, now: datetime) -> Collection[int]:
    """Those that something may be said to be forwarded to, if anybody says so."""
    if all(answer.customer is None for answer in answers):
        return ()
    return forwarding.customers_of(provider_id, now=now).keys()


def _refusal(notice: Notice | None, answer: Answer, customers: Collection[int], *, now: datetime) -> str:
    """Why an answer cannot be taken; "" when it can."""
    if notice is None:
        return _("There is no such notice.")
    if notice.state == Notice.State.WITHDRAWN:
        return _("This notice was withdrawn: there is nothing left to do.")
    if notice.state == Notice.State.REMOVED and answer.answer != Reply.Answer.NEED_INFORMATION:
        return _("We have seen that it is gone: there is nothing left to do.")
    if answer.customer is not None and answer.customer not in customers:
        return _("This is not one of your customers that we know of.")
    return unfit(answer, now=now)


def unfit(answer: Answer, *, now: datetime) -> str:
    """What is wrong with the words of an answer, whatever it is about; "" when nothing is."""
    if answer.answer not in Reply.Answer.values:
        return _("This is not one of the answers.")
    if answer.at is not None and answer.at > now:
        return _("What has happened cannot lie in the future.")
    if answer.answer == Reply.Answer.DISPUTE and not answer.reason.strip():
        return _("Say why you dispute it.")
    if answer.ground and (
        answer.answer != Reply.Answer.DISPUTE or answer.ground not in Dispute.Ground.values
    ):
        return _("This is not one of the grounds of a dispute.")
    return ""


def _new_refusal(notice: Notice, answer: Answer, standing: Standing, *, now: datetime) -> str:
    """Why an answer that was not given before cannot be taken; "" when it can."""
    if answer.answer in _DISPUTES:
        return standing.refusal(notice.pk, ground_of(answer.answer, answer.ground))
    if answer.answer == Reply.Answer.FORWARDED:
        return forwarding.refusal(
            notice,
            expected_by=answer.expected_by,
            knows_late=answer.knows_late,
            name=answer.forwarded_to.strip(),
            now=now,
        )
    return ""


def _said(notices: Sequence[Notice]) -> set[tuple[int, str, str, str]]:
    """What was said before in the answers that may be repeated: (notice, answer, reason, note)."""
    replies = Reply.objects.filter(
        notice__in=[notice.pk for notice in notices], answer__in=_REPEATABLE, late=False
    )
    return {(reply.notice_id, reply.answer, reply.reason, reply.note) for reply in replies}


def _apply(notice: Notice, answer: Answer, said: set[tuple[int, str, str, str]], *, now: datetime) -> bool:
    """Set the facts; False when we knew already."""
    if answer.answer == Reply.Answer.ACKNOWLEDGED:
        if notice.acknowledged_at is not None:
            return False
    elif answer.answer in _CLAIMS:
        claimed, seen = notice.claimed_removed_at, notice.last_seen_online_at
        if claimed is not None and (seen is None or claimed >= seen):
            return False
        notice.claimed_removed_at = now
        if notice.next_check_at is None or notice.next_check_at > now:
            notice.next_check_at = now
    else:
        words = _words(notice, answer)
        if words in said:
            return False
        said.add(words)
        if answer.answer in _DISPUTES:
            notice.disputed_at = notice.disputed_at or now
            if answer.ground == Dispute.Ground.ALREADY_GONE and (
                notice.next_check_at is None or notice.next_check_at > now
            ):
                notice.next_check_at = now
    notice.acknowledged_at = notice.acknowledged_at or now
    return True


def _words(notice: Notice, answer: Answer) -> tuple[int, str, str, str]:
    """What makes an answer that may be repeated the same as one before."""
    return notice.pk, answer.answer, kept_reason(answer), answer.note


def kept_reason(answer: Answer) -> str:
    """As much of the reason as is kept."""
    return answer.reason.strip()[:300]


def _reply(notice: Notice, answer: Answer, *, by: Actor, now: datetime, mail: ReplyMail | None) -> Reply:
    reply = Reply(
        notice=notice,
        answer=answer.answer,
        at=now,
        claimed_at=answer.at,
        by=str(by),
        mail=mail,
        reason=kept_reason(answer),
        token=uuid.uuid4(),
    )
    reply.note = answer.note
    return reply
