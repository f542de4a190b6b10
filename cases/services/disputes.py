"""Objections: kept with their ground and their end, and decided by whoever has not judged the notice before.

What is said of the material is decided by the second judgement (second.py). That it is not theirs is about the place:
the notice desk finds out, and when it is so the notice is taken back and its content looked up anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases import deadlines
from cases.models import Dispute, Notice, Reply, SecondLook
from cases.models.dispute import LONGEST_WHY
from cases.services.assess import hold
from cases.services.ladder import hasten
from cases.services.looks import want
from cases.services.moving import moving
from cases.services.observe import reopen
from cases.services.placing import lock_intake
from cases.services.refused import Invalid, NotFound, WrongState
from cases.services.withdraw import withdraw

Ground, Outcome = Dispute.Ground, Dispute.Outcome
_OPEN = frozenset({Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED})


class Standing:
    """What was objected to locked notices before."""

    def __init__(self, notices: Iterable[Notice]) -> None:
        self._waiting: dict[int, datetime] = {}
        self._judged: set[int] = set()
        found = Dispute.objects.filter(notice__in=[notice.pk for notice in notices])
        for dispute in found.order_by("pk").only("notice_id", "ground", "outcome", "at"):
            if not dispute.outcome:
                self._waiting[dispute.notice_id] = dispute.at
            elif dispute.outcome == Outcome.REJECTED and not dispute.is_about_place:
                self._judged.add(dispute.notice_id)

    def refusal(self, notice_id: int, ground: str) -> str:
        """Why another objection cannot be taken; "" when it can."""
        since = self._waiting.get(notice_id)
        if since is not None:
            return _(
                "Your objection of %(at)s UTC still waits for its decision, and there is one at a time. Write us a"
                " message if you have something to add."
            ) % {"at": f"{since:%Y-%m-%d %H:%M}"}
        if notice_id in self._judged and ground != Ground.NOT_OURS:
            return _(
                "You objected before, and somebody who had not judged it before judged it again: the notice stands."
                " Write us a message if you know something new."
            )
        return ""

    def add(self, notice_id: int, *, at: datetime) -> None:
        """One was taken just now."""
        self._waiting[notice_id] = at


def ground_of(answer: str, ground: str) -> str:
    """The ground of an objection, as it is kept: who says only that they dispute it has a reason in words."""
    return Ground.NOT_OURS if answer == Reply.Answer.NOT_OURS else ground or Ground.OTHER


def open_disputes(
    notices: Sequence[Notice], objections: Mapping[int, tuple[Reply, str]], *, by: Actor, now: datetime
) -> None:
    """Keep the objections to locked notices (notice -> saved answer and ground), and want a second judgement of those
    about the material."""
    due_at = deadlines.working_days_after(now, settings.HOST.second_working_days)
    Dispute.objects.bulk_create(
        (
            Dispute(notice_id=pk, reply=reply, ground=ground, at=now, due_at=due_at)
            for pk, (reply, ground) in objections.items()
        ),
        batch_size=1_000,
    )
    material = {pk for pk, (_reply, ground) in objections.items() if ground != Ground.NOT_OURS}
    if material:
        # "Not ours" is about the place: nobody needs to judge the material again for it.
        want([notice for notice in notices if notice.pk in material], SecondLook.Why.DISPUTE, by=by, now=now)


def uphold(*, dispute_id: int, by: Actor, now: datetime) -> str:
    """It is not theirs: take the notice back, and look anew at who hosts its content, under a person's eyes.

    Returns the reference of the notice that goes on, "" when there is none to open. Raises NotFound, WrongState.
    """
    with transaction.atomic():
        # Before the notice: the order in which intake locks them.
        lock_intake()
        dispute = _locked(dispute_id)
        notice = dispute.notice
        if notice.state not in _OPEN:
            Dispute.objects.filter(pk=dispute.pk).settle(Outcome.UPHELD, at=now, by=str(by))
            return ""
        withdraw(notice_id=notice.pk, because=Notice.Withdrawal.WRONG_PROVIDER, by=by, now=now)
        reference = reopen(content=notice.content, previous=notice, by=by, now=now)
        if reference:
            hold(
                notice_id=Notice.objects.only("pk").get(reference=reference).pk,
                kind=Notice.Hold.CONTACT_REVIEW,
                reason=_("%(provider)s says that it is not theirs, and we agreed (%(reference)s).")
                % {"provider": notice.provider, "reference": notice.reference},
                until=None,
                by=by,
                now=now,
            )
    return reference


def reject(*, dispute_id: int, why: str, by: Actor, now: datetime) -> Dispute:
    """It is theirs after all; `why` is the one sentence that they read. The clock never stopped, and the ladder goes on.

    Raises NotFound, WrongState, Invalid.
    """
    why = " ".join(why.split())
    if not why:
        raise Invalid(_("Say in one sentence why: the provider reads it."))
    if len(why) > LONGEST_WHY or not why.isprintable():
        raise Invalid(_("Write at most %(most)d characters.") % {"most": LONGEST_WHY})
    with transaction.atomic():
        found = _found(dispute_id)
        with moving(found.notice_id, "reject_objection", by=by, now=now) as notice:
            dispute = _locked(dispute_id)
            Dispute.objects.filter(pk=dispute.pk).settle(Outcome.REJECTED, at=now, by=str(by), why=why)
            if notice.objection_rejected_at is None:
                notice.objection_rejected_at = now
            else:
                record("reject_objection", "notice", notice.pk, by=by, at=now)
            if notice.state in _OPEN:
                hasten(notice_ids=[notice.pk], now=now)
    return dispute


def _found(dispute_id: int) -> Dispute:
    dispute = Dispute.objects.filter(pk=dispute_id).first()
    if dispute is None:
        raise NotFound(_("There is no such objection."))
    return dispute


def _locked(dispute_id: int) -> Dispute:
    found = _found(dispute_id)
    # The notice first: the order in which every writer locks them.
    Notice.objects.select_for_update().filter(pk=found.notice_id).first()
    dispute = (
        Dispute.objects.select_related("notice__content", "notice__provider")
        .select_for_update(of=("self",))
        .get(pk=dispute_id)
    )
    if dispute.outcome:
        raise WrongState(_("Somebody has decided on this objection already."))
    if not dispute.is_about_place:
        raise WrongState(
            _("This objection is about the material: somebody who has not judged it before judges it.")
        )
    return dispute
