"""Answering claims of removal: confirmed, still reachable, cannot tell; each answer with its signed receipt.

An answer is about the looks since the claim. Whether the notice is `removed` is for removal.gone_since to say, as ever.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from audit.record import Actor, event, record_many
from cases import removal
from cases.formats import signed_receipt
from cases.models import Content, Notice, Receipt, Reply, Sighting, Verdict
from cases.models.reply import CLAIMS
from cases.services.moving import moving
from cases.services.refused import WrongState
from vault.keys import CannotUnseal
from vault.signing import signer

logger = logging.getLogger(__name__)

ClaimAnswer = Notice.ClaimAnswer
_OPEN: Final = frozenset({Notice.State.NOTIFIED, Notice.State.ESCALATED})
#: What a person may accept as impossible to tell.
UNSETTLED: Final = frozenset({ClaimAnswer.WAITING, ClaimAnswer.STILL_REACHABLE, ClaimAnswer.CANNOT_TELL})


def decide(notices: Iterable[Notice], *, rule: removal.RemovalRule, by: Actor, now: datetime) -> None:
    """Answer the claims about the locked `notices` as far as what was seen of them answers them.

    Sets when to look again where a claim wants it sooner than usual.
    """
    open_claims = [notice for notice in notices if _has_open_claim(notice)]
    looks = _last_looks(open_claims)
    decided = []
    for notice in open_claims:
        claimed_at, before = notice.claimed_removed_at, notice.claim_answer
        if claimed_at is None:
            continue
        since = [look for look in looks[notice.pk] if look.seen_at > claimed_at]
        notice.claim_answer = removal.answer_to_claim(
            before, since, proven=notice.state == Notice.State.REMOVED
        )
        sooner = removal.look_for_claim_at(
            notice.claim_answer, now=now, claimed_at=claimed_at, rule=rule, every=settings.HOST.check_every
        )
        if sooner is not None:
            notice.next_check_at = min(sooner, notice.next_check_at or sooner)
        if notice.claim_answer != before:
            decided.append(notice)
    _write(decided, looks, by=by, now=now)


def accept(*, notice_id: int, by: Actor, now: datetime) -> Notice:
    """One of us has looked, and accepts that nobody can tell: the claim leaves the queue of disagreements.

    Nothing else changes: the clock runs, the checks go on, and what they find may still answer the claim.
    Raises NotFound; WrongState when no claim waits.
    """
    with moving(notice_id, "accept_claim", by=by, now=now) as notice:
        if notice.state not in _OPEN or notice.claim_answer not in UNSETTLED:
            raise WrongState(_("No claim of removal waits for an answer here."))
        notice.claim_answer = ClaimAnswer.ACCEPTED
        _write([notice], _last_looks([notice]), by=by, now=now)
    return notice


def check_again(*, notice_id: int, by: Actor, now: datetime) -> Notice:
    """Have a notice looked at now. Raises NotFound; WrongState when it is not with its provider."""
    with moving(notice_id, "check_again", by=by, now=now) as notice:
        if notice.state not in _OPEN:
            raise WrongState(_("It is not with the provider: there is nothing to check."))
        notice.next_check_at, notice.check_leased_until = now, None
    return notice


def _has_open_claim(notice: Notice) -> bool:
    """Whether somebody claims that it is gone, and it is neither proven nor taken back."""
    is_answered = notice.claim_answer in {ClaimAnswer.NONE, ClaimAnswer.PROVEN}
    return not is_answered and (notice.state in _OPEN or notice.state == Notice.State.REMOVED)


def _last_looks(notices: Sequence[Notice]) -> dict[int, list[Sighting]]:
    """Notice -> its last looks in order, as many as a receipt shows. An older one that could tell was answered then."""
    looks: dict[int, list[Sighting]] = {notice.pk: [] for notice in notices}
    if looks:
        statement = """
            SELECT s.id, s.notice_id, s.seen_at, s.outcome, s.http_status, s.vantage
            FROM unnest(%s::bigint[]) AS of_notice (id)
            CROSS JOIN LATERAL (
                SELECT * FROM cases_sighting WHERE notice_id = of_notice.id ORDER BY seen_at DESC LIMIT %s
            ) s
            ORDER BY s.notice_id, s.seen_at, s.id
        """
        for look in Sighting.objects.raw(statement, [list(looks), signed_receipt.LOOKS]):
            looks[look.notice_id].append(look)
    return looks


def _write(
    notices: Sequence[Notice], looks: Mapping[int, Sequence[Sighting]], *, by: Actor, now: datetime
) -> None:
    """Keep the verdicts of locked notices, their receipts and their events."""
    if not notices:
        return
    ids = [notice.pk for notice in notices]
    said = Reply.objects.filter(notice__in=ids, answer__in=CLAIMS, late=False).order_by(
        "notice_id", "-at", "-pk"
    )
    claims = {reply.notice_id: reply for reply in said.distinct("notice_id").defer("note_sealed")}
    contents = Content.objects.in_bulk([notice.content_id for notice in notices])
    prefetch_related_objects(notices, "provider")
    verdicts, receipts = [], []
    for notice in notices:
        claim = claims.get(notice.pk)
        if claim is None or notice.provider is None:
            continue
        since = _since(looks.get(notice.pk, ()), notice, claim)
        verdict = Verdict(
            notice=notice,
            provider=notice.provider,
            reply=claim,
            answer=notice.claim_answer,
            at=now,
            by=str(by),
            look=_deciding(since, notice.claim_answer),
            state=notice.state,
            gone_since=notice.gone_since,
        )
        text = signed_receipt.payload(
            verdict,
            notice=notice,
            provider=notice.provider,
            claim=claim,
            looks=since,
            url=_address(contents[notice.content_id], notice),
        )
        verdicts.append(verdict)
        receipts.append(signer().sign(text, kind=signed_receipt.KIND))
    Verdict.objects.bulk_create(verdicts, batch_size=1_000)
    Receipt.objects.bulk_create(
        (
            Receipt(verdict=verdict, key_id=signer().key_id, signed=signed)
            for verdict, signed in zip(verdicts, receipts, strict=True)
        ),
        batch_size=1_000,
    )
    record_many(
        event(
            "answer_claim",
            "notice",
            verdict.notice_id,
            by=by,
            at=now,
            data={"claim_answer": str(verdict.answer), "receipt": verdict.reference},
        )
        for verdict in verdicts
    )


def _since(looks: Sequence[Sighting], notice: Notice, claim: Reply) -> list[Sighting]:
    """The looks since the claim, and all of the run that proves a removal, if that began before."""
    start = min(claim.at, notice.gone_since or claim.at)
    return [look for look in looks if look.seen_at > claim.at or look.seen_at >= start == notice.gone_since]


def _deciding(looks: Sequence[Sighting], answer: str) -> Sighting | None:
    """The last look that says what the answer says; of one that says nothing, the last at all."""
    wanted = {
        ClaimAnswer.CONFIRMED: removal.GONE,
        ClaimAnswer.PROVEN: removal.GONE,
        ClaimAnswer.STILL_REACHABLE: frozenset({removal.ONLINE}),
    }.get(ClaimAnswer(answer))
    return next((look for look in reversed(looks) if wanted is None or look.outcome in wanted), None)


def _address(content: Content, notice: Notice) -> str:
    try:
        return str(content.url)
    except CannotUnseal:
        logger.error(
            "the address of notice %s does not open: its receipt has no digest of it", notice.reference
        )
        return ""
