"""What was judged before of the same address, or of the same file elsewhere: nobody reads it a second time.

What is offered is an offer: a person takes it over, and it is a judgement of theirs (`take_earlier`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import Assessment, Fingerprint, Notice, SecondLook
from cases.services.assess import assess
from cases.services.refused import NotFound, WrongState

#: A file may stand at very many addresses; of so many notices, the last ones, the judgements are compared.
MOST: Final = 200
#: They tell of a moment and not of the material: whoever judges now may well see it.
PASSING: Final = frozenset({"not_found", "password"})


class Evidence(StrEnum):
    """By what it is known."""

    ADDRESS = "address"
    DIGEST = "digest"


@dataclass(frozen=True)
class Earlier:
    """One earlier judgement that still counts: the last of its notice that says what the notice's class is."""

    assessment: Assessment
    notice: Notice
    evidence: Evidence


@dataclass(frozen=True)
class Known:
    """All that was judged before, the last first. `offer` is None when they contradict each other."""

    earlier: tuple[Earlier, ...]
    #: A provider objected to one of them, and was right.
    objection_upheld: bool = False

    @property
    def offer(self) -> Earlier | None:
        """The judgement to take over: of the same address if there is one, else of the same file."""
        classes = {each.assessment.legal_class for each in self.earlier}
        if self.objection_upheld or len(classes) != 1:
            return None
        return min(self.earlier, key=lambda each: each.evidence != Evidence.ADDRESS)

    @property
    def by_address(self) -> int:
        """How many of them are of this very address."""
        return sum(each.evidence == Evidence.ADDRESS for each in self.earlier)

    @property
    def by_digest(self) -> int:
        """How many are of the same file at other addresses."""
        return len(self.earlier) - self.by_address


def known(notice: Notice) -> Known | None:
    """What was judged before of the material of a notice; None if nothing was. Five queries at most.

    While a lead is to decide between two judgements of a notice, both are of it: they contradict each other.
    """
    judged = Notice.objects.filter(assessed_at__isnull=False).exclude(pk=notice.pk).exclude(legal_class="")
    found = {Evidence.ADDRESS: list(judged.filter(content=notice.content_id).order_by("-pk")[:MOST])}
    digests = list(
        Fingerprint.objects.filter(content=notice.content_id).values_list("sha256", flat=True)[:MOST]
    )
    if digests:
        others = Fingerprint.objects.filter(sha256__in=digests).exclude(content=notice.content_id)
        same = others.values("content").distinct()[:MOST]
        found[Evidence.DIGEST] = list(judged.filter(content__in=same).order_by("-pk")[:MOST])
    notices = {each.pk: (each, evidence) for evidence, some in found.items() for each in some}
    if not notices:
        return None
    differing = SecondLook.objects.differing().filter(notice__in=notices)
    doubted = set(differing.values_list("notice_id", flat=True))
    earlier, met = [], set()
    rows = Assessment.objects.filter(notice__in=notices).select_related("assessor").order_by("-at", "-pk")
    for assessment in rows:
        about, evidence = notices[assessment.notice_id]
        # A notice that was judged twice has the class that counts in the end.
        counts = assessment.legal_class == about.legal_class and about.pk not in met
        if counts or about.pk in doubted:
            met.add(about.pk)
            if assessment.reason not in PASSING:
                earlier.append(Earlier(assessment, about, evidence))
    upheld = any(
        each.closed_because == Notice.Withdrawal.OBJECTION_UPHELD for each, _evidence in notices.values()
    )
    return Known(tuple(earlier), upheld) if earlier else None


def take_earlier(
    *, notice_id: int, assessment_id: int, seen_version: int | None = None, by: Actor, now: datetime
) -> Notice:
    """Judge a notice as its material was judged before: this person's judgement, marked as taken over.

    `assessment_id` is the one that was offered. Raises WrongState when that is not offered any more or the notice
    was judged before, Stale, NotFound.
    """
    with transaction.atomic():
        notice = Notice.objects.select_for_update().filter(pk=notice_id).first()
        if notice is None:
            raise NotFound(_("There is no such notice."))
        found = known(notice)
        offer = found.offer if found else None
        if offer is None or offer.assessment.pk != assessment_id:
            raise WrongState(_("This earlier judgement is not offered any more. Look again."))
        earlier = offer.assessment
        # Codes mean the same in every version; the words are those of today.
        judged = assess(
            notice_id=notice_id,
            legal_class=earlier.legal_class,
            reason=earlier.reason,
            answers=earlier.answers,
            taken_from=earlier.pk,
            urgent=offer.notice.urgent,
            seen_version=seen_version,
            by=by,
            now=now,
        )
        data = {"previous": offer.notice.reference}
        record("take_earlier", "notice", notice_id, by=by, at=now, data=data)
    return judged
