"""What providers say: acknowledged, removed, not ours, disputed. Words move facts, never the state."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db.models import BigIntegerField, Q, TextField
from django.utils.translation import gettext as _

from audit.record import Actor, record_alike
from cases.models import Dispute, Notice, Reply, ReplyMail
from cases.models.among import Among
from cases.models.notice import NoticeQuerySet
from cases.models.reply import CLAIMS, LONGEST_REASON
from cases.services import conversation, forwarding
from cases.services.clocks import start_clocks
from cases.services.disputes import Standing, ground_of, open_disputes
from cases.services.moving import moving_many, noting_many
from cases.services.writing import insert_rows

BATCH: Final = 5_000
_DISPUTES: Final = frozenset({Reply.Answer.DISPUTE, Reply.Answer.NOT_OURS})
#: What a claim was answered with, if it may be made anew: otherwise we have it, and look.
_CLAIM_ANEW: Final = frozenset(
    {Notice.ClaimAnswer.NONE, Notice.ClaimAnswer.STILL_REACHABLE, Notice.ClaimAnswer.ACCEPTED}
)
#: Answers that may be given again in other words.
_REPEATABLE: Final = _DISPUTES | {Reply.Answer.FORWARDED, Reply.Answer.NEED_INFORMATION}
_ANSWERS: Final = frozenset(Reply.Answer.values)
#: What an answer changes of its notice, and what else must be known of it.
_FACTS: Final = (
    "acknowledged_at", "claimed_removed_at", "claim_answer", "disputed_at", "next_check_at", "check_leased_until",
)  # fmt: skip
_JUDGED: Final = ("reference", "state")

#: What tells a repetition: notice, answer, and three parts of what is said.
_Saying = tuple[int, str, str, str, str]


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one answer: recorded, unchanged or refused with a reason in words.

    `column` names the part of the answer that is at fault, when one is.
    """

    reference: str
    outcome: str
    reason: str = ""
    column: str = ""


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


def foresee(*, provider_id: int, answers: Sequence[Answer], now: datetime) -> list[Outcome]:
    """What would become of the answers as things are now. Locks and changes nothing."""
    outcomes: list[Outcome] = []
    for start in range(0, len(answers), BATCH):
        batch = answers[start : start + BATCH]
        known = _named(provider_id, batch).only(*_judged_by(batch), *_FACTS)
        outcomes += [each.outcome for each in _judged(provider_id, batch, list(known), now=now)]
    return outcomes


@dataclass(frozen=True, slots=True)
class _Judged:
    """An answer, its notice (None when there is none) and what becomes of it."""

    answer: Answer
    notice: Notice | None
    outcome: Outcome


def _named(provider_id: int, answers: Sequence[Answer]) -> NoticeQuerySet:
    references = {answer.reference for answer in answers}
    return Notice.objects.of(provider_id).filter(Among("reference", references, of=TextField()))


def _judged_by(answers: Sequence[Answer]) -> tuple[str, ...]:
    """What must be known of a notice besides the facts: no instant that nobody asks for, they are dear to read."""
    forwards = any(answer.answer == Reply.Answer.FORWARDED for answer in answers)
    return (*_JUDGED, "due_at") if forwards else _JUDGED


def _batch(
    provider_id: int, answers: Sequence[Answer], *, by: Actor, now: datetime, mail: ReplyMail | None
) -> list[Outcome]:
    with noting_many(_named(provider_id, answers), facts=_FACTS, besides=_judged_by(answers)) as notices:
        # An answer starts the clock of these: that moves a state.
        unproven = [notice.pk for notice in notices if notice.state == Notice.State.RECEIVED]
        with moving_many(unproven, "answer", by=by, now=now) as arriving:
            judged = _judged(provider_id, answers, [*notices, *arriving], now=now)
            taken = [(each.notice, each.answer) for each in judged if each.notice and _is_taken(each)]
            reached = {notice.pk: notice for notice, _ in taken if notice.state == Notice.State.RECEIVED}
            sent = [notice.sent_at for notice in reached.values() if notice.sent_at]
            start_clocks(list(reached.values()), at=max([now, *sent]), estimated=False)
        _keep(taken, by=by, now=now, mail=mail)
    return [each.outcome for each in judged]


def _keep(
    taken: Sequence[tuple[Notice, Answer]], *, by: Actor, now: datetime, mail: ReplyMail | None
) -> None:
    """The answers about locked notices, and what follows from them beside the notices' own rows."""
    replies = [_reply(notice, answer, by=by, now=now, mail=mail) for notice, answer in taken]
    insert_rows(replies)
    conversation.asked(replies)
    passed_on = {
        place: (answer.customer, answer.forwarded_to.strip(), answer.expected_by)
        for place, (_notice, answer) in enumerate(taken)
        if answer.answer == Reply.Answer.FORWARDED
    }
    forwarding.forward(replies, passed_on, now=now)
    objections = {
        notice.pk: (reply, ground_of(answer.answer, answer.ground))
        for reply, (notice, answer) in zip(replies, taken, strict=True)
        if answer.answer in _DISPUTES
    }
    if objections:
        open_disputes([notice for notice, _ in taken], objections, by=by, now=now)
    told = ((reply.notice_id, {"answer": reply.answer}) for reply in replies)
    record_alike("reply", "notice", told, by=by, at=now)


def _is_taken(each: _Judged) -> bool:
    return each.outcome.outcome == "recorded"


def _judged(
    provider_id: int, answers: Sequence[Answer], notices: Sequence[Notice], *, now: datetime
) -> list[_Judged]:
    """What becomes of each answer, in order; sets the facts of the notices."""
    known = {notice.reference: notice for notice in notices}
    customers = _customers(provider_id, answers, now=now)
    said = _said(notices)
    standing = Standing(notices if _DISPUTES & {answer.answer for answer in answers} else [])
    judged = []
    for answer in answers:
        notice = known.get(answer.reference)
        column, why = _refusal(notice, answer, customers, now=now)
        if notice is not None and not why and _words(notice, answer) not in said:
            column, why = _new_refusal(notice, answer, standing, now=now)
        if notice is None or why:
            outcome = Outcome(answer.reference, "refused", why, column)
        elif not _apply(notice, answer, said, now=now):
            outcome = Outcome(answer.reference, "unchanged")
        else:
            outcome = Outcome(answer.reference, "recorded")
            if answer.answer in _DISPUTES:
                standing.add(notice.pk, at=now)
        judged.append(_Judged(answer, notice, outcome))
    return judged


def _customers(provider_id: int, answers: Sequence[Answer], *, now: datetime) -> Collection[int]:
    """Those that something may be said to be forwarded to, if anybody says so."""
    if all(answer.customer is None for answer in answers):
        return ()
    return forwarding.customers_of(provider_id, now=now).keys()


def _refusal(
    notice: Notice | None, answer: Answer, customers: Collection[int], *, now: datetime
) -> tuple[str, str]:
    """Why an answer cannot be taken, and the part of it that is at fault if one is; "" when it can."""
    if notice is None:
        return "reference", _("There is no such notice.")
    state = notice.state
    if state == Notice.State.WITHDRAWN:
        return "", _("This notice was withdrawn: there is nothing left to do.")
    if state == Notice.State.REMOVED and answer.answer != Reply.Answer.NEED_INFORMATION:
        return "", _("We have seen that it is gone: there is nothing left to do.")
    if answer.customer is not None and answer.customer not in customers:
        return "customer", _("This is not one of your customers that we know of.")
    return _unfit(answer, now=now)


def unfit(answer: Answer, *, now: datetime) -> str:
    """What is wrong with the words of an answer, whatever it is about; "" when nothing is."""
    return _unfit(answer, now=now)[1]


def _unfit(answer: Answer, *, now: datetime) -> tuple[str, str]:
    if answer.answer not in _ANSWERS:
        return "answer", _("This is not one of the answers.")
    if answer.at is not None and answer.at > now:
        return "at", _("What has happened cannot lie in the future.")
    # A ground says why by itself, unless it is "another reason".
    says_why = answer.reason.strip() or answer.ground not in {"", Dispute.Ground.OTHER}
    if answer.answer == Reply.Answer.DISPUTE and not says_why:
        return "reason", _("Say why you dispute it.")
    if answer.ground and (
        answer.answer != Reply.Answer.DISPUTE or answer.ground not in Dispute.Ground.values
    ):
        return "ground", _("This is not one of the grounds of a dispute.")
    return "", ""


def _new_refusal(notice: Notice, answer: Answer, standing: Standing, *, now: datetime) -> tuple[str, str]:
    """Why an answer that was not given before cannot be taken; "" when it can."""
    if answer.answer in _DISPUTES:
        return "", standing.refusal(notice.pk, ground_of(answer.answer, answer.ground))
    if answer.answer == Reply.Answer.FORWARDED:
        return "", forwarding.refusal(
            notice,
            expected_by=answer.expected_by,
            knows_late=answer.knows_late,
            name=answer.forwarded_to.strip(),
            now=now,
        )
    return "", ""


def _said(notices: Sequence[Notice]) -> set[_Saying]:
    """What was said before, as far as it tells a repetition: `_saying` of each reply."""
    about = Among("notice_id", (notice.pk for notice in notices), of=BigIntegerField())
    replies = Reply.objects.filter(about, late=False).filter(
        Q(answer__in=_REPEATABLE) | Q(claimed_at__isnull=False)
    )
    return {
        _saying(
            reply.notice_id, reply.answer, reply.claimed_at, reply.reason, reply.note, _kept_besides(reply)
        )
        for reply in replies.select_related("forwarding", "dispute")
    }


def _words(notice: Notice, answer: Answer) -> _Saying:
    """What makes an answer the same as one before."""
    besides = ""
    if answer.answer == Reply.Answer.FORWARDED:
        besides = _to(answer.customer, answer.forwarded_to.strip(), answer.expected_by)
    elif answer.answer in _DISPUTES:
        besides = ground_of(answer.answer, answer.ground)
    return _saying(notice.pk, answer.answer, answer.at, kept_reason(answer), answer.note, besides)


def _saying(
    notice_id: int, answer: str, at: datetime | None, reason: str, note: str, besides: str
) -> _Saying:
    """Of a claim that names its moment that moment counts, of the rest the words, and what is kept beside them."""
    if answer in CLAIMS:
        return notice_id, answer, _iso(at), "", ""
    return notice_id, answer, reason, note, besides


def _kept_besides(reply: Reply) -> str:
    """Of an answer that was kept: to whom and until when it was forwarded, or on what ground it is disputed."""
    if reply.answer == Reply.Answer.FORWARDED:
        forwarded = getattr(reply, "forwarding", None)
        return (
            _to(forwarded.to_id, forwarded.to_name, forwarded.expected_by)
            if forwarded
            else _to(None, "", None)
        )
    dispute = getattr(reply, "dispute", None)
    return str(dispute.ground) if dispute else ""


def _to(customer: int | None, name: str, expected_by: datetime | None) -> str:
    return f"{customer or ''}/{_iso(expected_by)}/{name}"


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _apply(notice: Notice, answer: Answer, said: set[_Saying], *, now: datetime) -> bool:
    """Set the facts; False when we knew already."""
    if answer.answer == Reply.Answer.ACKNOWLEDGED:
        if notice.acknowledged_at is not None:
            return False
    elif answer.answer in CLAIMS:
        if notice.claim_answer not in _CLAIM_ANEW:
            return False
        # The same moment said again, after we saw it online, is what we have contradicted already.
        if answer.at is not None:
            words = _words(notice, answer)
            if words in said:
                return False
            said.add(words)
        notice.claimed_removed_at, notice.claim_answer = now, Notice.ClaimAnswer.WAITING
        if notice.next_check_at is None or notice.next_check_at > now:
            notice.next_check_at = now
        # What a checker is looking at already, it may have seen before this was said.
        notice.check_leased_until = None
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


def kept_reason(answer: Answer) -> str:
    """As much of the reason as is kept."""
    return answer.reason.strip()[:LONGEST_REASON]


def _reply(notice: Notice, answer: Answer, *, by: Actor, now: datetime, mail: ReplyMail | None) -> Reply:
    # By ids: setting the rows themselves takes half of the time that an answer takes.
    reply = Reply(
        notice_id=notice.pk,
        answer=answer.answer,
        at=now,
        claimed_at=answer.at,
        by=str(by),
        mail_id=mail.pk if mail else None,
        reason=kept_reason(answer),
        token=uuid.uuid4(),
    )
    if answer.note:
        reply.note = answer.note
    return reply
