"""What we answered to the provider's claims of removal, as pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from cases.formats.signed_receipt import address_key
from cases.models import Notice, Verdict
from cases.models.notice import NoticeQuerySet

ClaimAnswer = Notice.ClaimAnswer

#: An answer -> its code among the badges.
BADGES: Final = {
    ClaimAnswer.WAITING: "claim_waiting",
    ClaimAnswer.CONFIRMED: "no_longer_found",
    ClaimAnswer.STILL_REACHABLE: "still_reachable",
    ClaimAnswer.CANNOT_TELL: "cannot_tell",
    ClaimAnswer.ACCEPTED: "cannot_tell",
    ClaimAnswer.PROVEN: "confirmed",
}
#: After these the page need not ask on: what else may come is for the next time it is opened.
_SETTLED: Final = frozenset(ClaimAnswer) - {ClaimAnswer.WAITING, ClaimAnswer.CANNOT_TELL}


@dataclass(frozen=True)
class ClaimShown:
    """What we say to the last claim about a notice, just now. `verdict` says since when; None while nothing is said."""

    notice: Notice
    verdict: Verdict | None

    @property
    def answer(self) -> str:
        """A word of Notice.ClaimAnswer."""
        return str(self.notice.claim_answer)

    @property
    def badge(self) -> str:
        """Its code among the badges."""
        return BADGES[ClaimAnswer(self.notice.claim_answer)]

    @property
    def claimed_at(self) -> datetime | None:
        """When it was removed by their word; else when they said so."""
        if self.verdict is not None and self.verdict.reply.claimed_at is not None:
            return self.verdict.reply.claimed_at
        return self.notice.claimed_removed_at

    @property
    def seen_at(self) -> datetime | None:
        """When the last look was that says so."""
        if self.notice.claim_answer == ClaimAnswer.STILL_REACHABLE:
            return self.notice.last_seen_online_at
        look = self.verdict.look if self.verdict is not None else None
        return look.seen_at if look is not None else None

    @property
    def person_at(self) -> datetime | None:
        """When one of us looks, if no check could tell until then."""
        claimed = self.notice.claimed_removed_at
        return None if claimed is None else claimed + settings.HOST.claim_person_within

    @property
    def is_settled(self) -> bool:
        """Whether a page may stop asking."""
        with_them = self.notice.state in {Notice.State.NOTIFIED, Notice.State.ESCALATED}
        return not with_them or ClaimAnswer(self.notice.claim_answer) in _SETTLED


@dataclass(frozen=True)
class ReceiptShown:
    """A receipt on the page of its notice."""

    verdict: Verdict

    @property
    def badge(self) -> str:
        """The code of what it says among the badges."""
        return BADGES[ClaimAnswer(self.verdict.answer)]

    @property
    def address_key(self) -> str:
        """What shows which address it is about, in hexadecimal."""
        return address_key(self.verdict.reference).hex()


def claims(notices: Sequence[Notice]) -> dict[int, ClaimShown]:
    """Notice -> what we say to its last claim; without those that nobody claims. One query at most."""
    claimed = {notice.pk: notice for notice in notices if notice.claim_answer and notice.claimed_removed_at}
    if not claimed:
        return {}
    newest = (
        Verdict.objects.filter(notice__in=claimed)
        .select_related("look", "reply")
        .defer("reply__note_sealed")
        .order_by("notice_id", "-pk")
        .distinct("notice_id")
    )
    said = {verdict.notice_id: verdict for verdict in newest}
    return {
        pk: ClaimShown(notice, None if notice.claim_answer == ClaimAnswer.WAITING else said.get(pk))
        for pk, notice in claimed.items()
    }


def receipts(notice: Notice) -> list[ReceiptShown]:
    """The receipts about a notice, newest first."""
    kept = Verdict.objects.filter(notice=notice, receipt__isnull=False).order_by("-pk")
    return [ReceiptShown(verdict) for verdict in kept]


def asked_for(own: NoticeQuerySet, references: Sequence[str]) -> list[ClaimShown]:
    """What we say about those of the provider's `own` that are named and claimed, in the order of their references."""
    found = list(own.filter(reference__in=references).order_by("reference"))
    return list(claims(found).values())
