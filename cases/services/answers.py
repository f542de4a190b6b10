"""What providers say: acknowledged, removed, not ours, disputed. Words move facts, never the state."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, event, record_many
from cases.models import Notice, Reply, ReplyMail, SecondLook
from cases.services.clocks import start_clocks
from cases.services.looks import want
from cases.services.moving import moving_many

BATCH: Final = 5_000
_CLAIMS: Final = frozenset({Reply.Answer.REMOVED, Reply.Answer.ALREADY_GONE})
_DISPUTES: Final = frozenset({Reply.Answer.DISPUTE, Reply.Answer.NOT_OURS})
#: Answers that may be given again in other words.
_REPEATABLE: Final = _DISPUTES | {Reply.Answer.FORWARDED, Reply.Answer.NEED_INFORMATION}


@dataclass(frozen=True)
class Answer:
    """One answer about one notice. `at`: when the provider says it happened."""

    reference: str
    answer: str
    at: datetime | None = None
    reason: str = ""
    note: str = ""


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
    outcomes, replies, reached = [], [], {}
    with transaction.atomic(), moving_many(list(own.values()), "answer", by=by, now=now) as notices:
        locked = {notice.reference: notice for notice in notices}
        said = _said(notices)
        for answer in answers:
            notice = locked.get(answer.reference)
            refusal = _refusal(notice, answer, now=now)
            if notice is None or refusal:
                outcomes.append(Outcome(answer.reference, "refused", refusal))
                continue
            if not _apply(notice, answer, said, now=now):
                outcomes.append(Outcome(answer.reference, "unchanged"))
                continue
            if notice.state == Notice.State.RECEIVED:
                reached[notice.pk] = notice
            replies.append(_reply(notice, answer, by=by, now=now, mail=mail))
            outcomes.append(Outcome(answer.reference, "recorded"))
        sent = [notice.sent_at for notice in reached.values() if notice.sent_at]
        start_clocks(list(reached.values()), at=max([now, *sent]), estimated=False)
        Reply.objects.bulk_create(replies, batch_size=1_000)
        disputed = {reply.notice_id for reply in replies if reply.answer == Reply.Answer.DISPUTE}
        if disputed:
            # "Not ours" is about the place: nobody needs to judge the material again for it.
            want([n for n in notices if n.pk in disputed], SecondLook.Why.DISPUTE, by=by, now=now)
        record_many(
            event("reply", "notice", reply.notice_id, by=by, at=now, data={"answer": reply.answer})
            for reply in replies
        )
    return outcomes


def _refusal(notice: Notice | None, answer: Answer, *, now: datetime) -> str:
    """Why an answer cannot be taken; "" when it can."""
    if notice is None:
        return _("There is no such notice.")
    if notice.state == Notice.State.WITHDRAWN:
        return _("This notice was withdrawn: there is nothing left to do.")
    if notice.state == Notice.State.REMOVED and answer.answer != Reply.Answer.NEED_INFORMATION:
        return _("We have seen that it is gone: there is nothing left to do.")
    return unfit(answer, now=now)


def unfit(answer: Answer, *, now: datetime) -> str:
    """What is wrong with the words of an answer, whatever it is about; "" when nothing is."""
    if answer.answer not in Reply.Answer.values:
        return _("This is not one of the answers.")
    if answer.at is not None and answer.at > now:
        return _("What has happened cannot lie in the future.")
    if answer.answer == Reply.Answer.DISPUTE and not answer.reason.strip():
        return _("Say why you dispute it.")
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
        words = (notice.pk, answer.answer, kept_reason(answer), answer.note)
        if words in said:
            return False
        said.add(words)
        if answer.answer in _DISPUTES:
            notice.disputed_at = notice.disputed_at or now
    notice.acknowledged_at = notice.acknowledged_at or now
    return True


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
