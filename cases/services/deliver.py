"""The outbox: claim under a lease, look again, hand over with nothing locked, settle once.

A crash at any point leaves a row that says how far it came. Between the server's 250 and our commit the same
message goes out again under the same Message-ID; it is never a new one, and never lost.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases import deadlines
from cases.formats import letter as letters
from cases.formats import mail, text
from cases.models import Attempt, Dispatch, DispatchLine, Notice, Step
from cases.services.moving import moving, moving_many
from cases.services.refused import WrongState
from cases.services.route import FIRST, refresh_attributions
from cases.services.rules import rule_at
from providers.channels import CHANNELS
from providers.channels.result import Accepted, Channel, Failed
from providers.sources.resolver import Resolver

#: Longer than any hand-over may take (EMAIL_TIMEOUT bounds each network call), so a lease that ran out is dead.
LEASE: Final = timedelta(seconds=90)
BACK_OFF: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60))
PARK_AFTER: Final = 5
CLAIM: Final = 20


@dataclass(frozen=True)
class Claim:
    """A dispatch in our hands; `attempt` is the fence: whoever holds an older number writes nothing."""

    dispatch_id: int
    attempt: int


@dataclass(frozen=True)
class Ready:
    """A message that may go out now."""

    message: EmailMessage
    sender: str
    recipient: str
    channel: str


def deliver_due(*, resolver: Resolver, by: Actor, clock: Callable[[], datetime]) -> int:
    """Hand over everything that is due; returns how many hand-overs were tried.

    `clock` is asked again for each message, because handing over takes time and acceptance is a legal instant.
    """
    total = 0
    with ExitStack() as stack:
        sessions: dict[str, Channel] = {}
        while claims := claim(now=clock(), limit=CLAIM):
            for each in claims:
                ready = prepare(each, resolver=resolver, by=by, now=clock())
                if ready is None:
                    continue
                if ready.channel not in sessions:
                    sessions[ready.channel] = stack.enter_context(CHANNELS[ready.channel]())
                result = sessions[ready.channel].hand_over(
                    ready.message, sender=ready.sender, recipient=ready.recipient
                )
                settle(each, result, by=by, now=clock())
                total += 1
    return total


def claim(*, now: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` due dispatches in order; others skip them while the lease lasts."""
    due = Dispatch.objects.due(now=now).order_by("next_attempt_at", "pk").select_for_update(skip_locked=True)
    with transaction.atomic():
        rows = list(due.only("pk", "attempt")[:limit])
        Dispatch.objects.filter(pk__in=[row.pk for row in rows]).update(
            # The leases of a batch follow one another: the last one must outlive the hand-overs before it.
            leased_until=now + LEASE * max(len(rows), 1),
            attempt=F("attempt") + 1,
            gathering=False,
        )
    return [Claim(row.pk, row.attempt + 1) for row in rows]


def prepare(held: Claim, *, resolver: Resolver, by: Actor, now: datetime) -> Ready | None:
    """Look again before anything leaves: contact, withdrawals, place. None when nothing is to be sent now.

    Once an attempt ended in silence (a crash), the words are frozen: that copy may be with them already.
    """
    lines = DispatchLine.objects.filter(dispatch_id=held.dispatch_id, dropped_because="")
    refresh_attributions(list(lines.values_list("notice_id", flat=True)), resolver=resolver, by=by, now=now)
    with transaction.atomic():
        ids = list(lines.values_list("notice_id", flat=True))
        with moving_many(ids, "drop", by=by, now=now) as notices:
            dispatch = _fenced(held)
            if dispatch is None:
                return None
            if not dispatch.contact.usable:
                park(dispatch, Dispatch.Trouble.CONTACT, by=by, now=now)
                return None
            if dispatch.contact.channel not in CHANNELS:
                park(dispatch, Dispatch.Trouble.CHANNEL, by=by, now=now)
                return None
            silent = dispatch.attempts.filter(ended_at__isnull=True).exists()
            kept = _keep(dispatch, notices, frozen=silent)
            if not kept:
                _change(dispatch, Dispatch.State.CANCELLED, "cancel", by=by, now=now)
                return None
        letter = _letter(dispatch, kept, now=now)
        if not silent:
            dispatch.subject, dispatch.body = text.subject(letter), text.body(letter)
            dispatch.body_digest = hashlib.sha256(dispatch.body.encode()).digest()
            dispatch.save(update_fields=["subject", "body_sealed", "body_digest"])
        Attempt.objects.create(dispatch=dispatch, number=held.attempt, started_at=now)
        message = mail.message(
            letter, subject=dispatch.subject, body=dispatch.body, in_reply_to=_thread(dispatch)
        )
    return Ready(
        message=message,
        sender=mail.return_path(dispatch.token),
        recipient=settings.HOST.dry_run_address or dispatch.contact.address,
        channel=dispatch.contact.channel,
    )


def settle(held: Claim, result: Accepted | Failed, *, by: Actor, now: datetime) -> None:
    """Write down what became of an attempt, and start the clocks if their server accepted. Once: fenced."""
    ids = list(
        DispatchLine.objects.filter(dispatch_id=held.dispatch_id, dropped_because="").values_list(
            "notice_id", flat=True
        )
    )
    with transaction.atomic(), moving_many(ids, "notify", by=by, now=now) as notices:
        dispatch = _fenced(held)
        if dispatch is None:
            return
        Attempt.objects.filter(dispatch=dispatch, number=held.attempt).update(
            ended_at=now, accepted=isinstance(result, Accepted), answer=result.answer
        )
        if isinstance(result, Failed):
            _failed(dispatch, result, by=by, now=now)
            return
        dispatch.evidence, dispatch.leased_until = result.answer, None
        dispatch.trouble, dispatch.trouble_answer, dispatch.failures = "", "", 0
        first = [notice for notice in notices if notice.state == Notice.State.RECEIVED]
        for notice in first:
            notice.sent_at = now
        if settings.HOST.relay_is_final_hop:
            dispatch.accepted_at = now
            _change(dispatch, Dispatch.State.ACCEPTED, "accept", by=by, now=now)
            start_clocks(first, at=now, estimated=True)
        else:
            _change(dispatch, Dispatch.State.RELAYED, "relay", by=by, now=now)
        type(dispatch.contact).objects.filter(pk=dispatch.contact_id, known_since__isnull=True).update(
            known_since=now
        )


def start_clocks(notices: Sequence[Notice], *, at: datetime, estimated: bool) -> None:
    """t0 for locked notices, by the rule that counts at `at`; their ladder begins to wait."""
    if not notices:
        return
    rule = rule_at(at)
    for notice in notices:
        notice.notify(at=at, rule=rule, estimated=estimated)
        notice.next_check_at = at
    Step.objects.bulk_create(
        Step(
            notice=notice,
            code="hint",
            due_at=deadlines.step_due_at("hint", at, rule.term),
            owner=deadlines.rung("hint").role,
        )
        for notice in notices
    )


def shown(*, notice_id: int, by: Actor, now: datetime) -> Notice:
    """The portal showed a notice to a logged-in contact: evidence that it arrived, if there was none yet."""
    with moving(notice_id, "notify", by=by, now=now) as notice:
        if notice.state == Notice.State.RECEIVED and notice.sent_at is not None:
            start_clocks([notice], at=now, estimated=False)
    return notice


def withdraw(
    *, notice_id: int, because: str, by: Actor, now: datetime, seen_version: int | None = None
) -> Notice:
    """Take a notice back after it was sent. Raises WrongState, Stale."""
    if because not in Notice.Withdrawal.values:
        raise WrongState(_("Choose why it is withdrawn."))
    with moving(
        notice_id, "withdraw", by=by, now=now, seen_version=seen_version, data={"because": because}
    ) as notice:
        notice.withdraw(at=now, because=Notice.Withdrawal(because))
        Step.objects.filter(notice=notice, taken_at__isnull=True).update(
            taken_at=now, outcome=Step.Outcome.OVERTAKEN
        )
    return notice


def park(dispatch: Dispatch, trouble: Dispatch.Trouble, *, by: Actor, now: datetime) -> None:
    """Set a locked dispatch aside for a person; its neighbours flow on."""
    dispatch.trouble, dispatch.leased_until = trouble, None
    _change(dispatch, Dispatch.State.PARKED, "park", by=by, now=now)


def _fenced(held: Claim) -> Dispatch | None:
    """The dispatch, locked, if the claim still holds it; None when somebody else took over or settled it."""
    return (
        Dispatch.objects.select_related("contact__provider")
        .select_for_update(of=("self",))
        .filter(pk=held.dispatch_id, attempt=held.attempt, state=Dispatch.State.PENDING)
        .first()
    )


def _keep(dispatch: Dispatch, notices: Sequence[Notice], *, frozen: bool) -> list[Notice]:
    """The notices that still belong on the message; the others' lines are struck with their reason."""
    kept, dropped = [], {}
    for notice in notices:
        because = "" if frozen else _no_longer(dispatch, notice)
        if because:
            dropped[notice.pk] = because
        else:
            kept.append(notice)
    for pk, because in dropped.items():
        dispatch.lines.filter(notice_id=pk).update(dropped_because=because)
    return kept


def _no_longer(dispatch: Dispatch, notice: Notice) -> str:
    if dispatch.kind != Dispatch.Kind.FIRST:
        return "" if notice.state == Notice.State.ESCALATED else DispatchLine.Dropped.OVERTAKEN
    if notice.state != Notice.State.RECEIVED:
        return DispatchLine.Dropped.OVERTAKEN
    if notice.provider_id != dispatch.contact.provider_id:
        notice.routed_at = None
        notice.hold, notice.hold_review = Notice.Hold.CONTACT_REVIEW, Notice.Review.MOVED
        return DispatchLine.Dropped.MOVED
    return ""


def _letter(dispatch: Dispatch, notices: Sequence[Notice], *, now: datetime) -> letters.Letter:
    contact = dispatch.contact
    numbered = enumerate(
        Notice.objects.filter(pk__in=[n.pk for n in notices])
        .select_related("content", "attribution")
        .order_by("pk"),
        start=1,
    )
    return letters.Letter(
        dispatch=dispatch,
        contact=contact,
        provider=contact.provider,
        lines=tuple(letters.line(number, notice, contact.mode) for number, notice in numbered),
        term=rule_at(now).term,
        at=now,
    )


def _thread(dispatch: Dispatch) -> str:
    """The Message-ID that a reminder answers to: that of the first message about its first notice."""
    if dispatch.kind == Dispatch.Kind.FIRST:
        return ""
    first = (
        Dispatch.objects.filter(
            lines__notice__in=dispatch.lines.values("notice"), lines__step=FIRST, contact=dispatch.contact
        )
        .order_by("created_at", "pk")
        .values_list("message_id", flat=True)
        .first()
    )
    return first or ""


def _failed(dispatch: Dispatch, result: Failed, *, by: Actor, now: datetime) -> None:
    dispatch.failures += 1
    dispatch.trouble_answer, dispatch.leased_until = result.answer, None
    if result.permanent or dispatch.failures >= PARK_AFTER:
        park(
            dispatch,
            Dispatch.Trouble.REFUSED if result.permanent else Dispatch.Trouble.NO_LUCK,
            by=by,
            now=now,
        )
        return
    dispatch.trouble = Dispatch.Trouble.LATER
    pause = BACK_OFF[min(dispatch.failures, len(BACK_OFF)) - 1]
    # Jitter, so that what failed together does not come back together.
    dispatch.next_attempt_at = now + pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    dispatch.save(update_fields=["failures", "trouble", "trouble_answer", "leased_until", "next_attempt_at"])
    record("fail", "dispatch", dispatch.pk, by=by, at=now, data={"failures": dispatch.failures})


def _change(dispatch: Dispatch, to: Dispatch.State, act: str, *, by: Actor, now: datetime) -> None:
    was, dispatch.state = dispatch.state, to
    dispatch.save()
    record(act, "dispatch", dispatch.pk, by=by, at=now, was=was, became=to)
