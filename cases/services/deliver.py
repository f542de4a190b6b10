"""The outbox: claim under a lease, look again, hand over with nothing locked, settle once.

A crash at any point leaves a row that says how far it came. Between the server's 250 and our commit the same
message goes out again under the same Message-ID; it is never a new one, and never lost.
"""

import hashlib
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases import deadlines
from cases.formats import letter as letters
from cases.formats import mail, text
from cases.models import Attempt, Dispatch, DispatchLine, Notice, SecondLook, Step
from cases.services.ladder import seen_lately
from cases.services.moving import moving, moving_many
from cases.services.refused import Invalid
from cases.services.route import FIRST, HOME, refresh_attributions
from cases.services.rules import rule_at
from providers.channels import CHANNELS
from providers.channels.result import Accepted, Channel, Failed
from providers.models import Attribution
from providers.sources.resolver import Resolver

logger = logging.getLogger(__name__)

#: Longer than a hand-over can take (EMAIL_TIMEOUT bounds the whole of it), so a lease that ran out is dead. It
#: begins again with each hand-over: what a killed worker held is free again within this time.
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
                try:
                    ready = prepare(each, resolver=resolver, by=by, now=clock())
                    if ready is None:
                        continue
                    if ready.channel not in sessions:
                        sessions[ready.channel] = stack.enter_context(CHANNELS[ready.channel]())
                    result = sessions[ready.channel].hand_over(
                        ready.message, sender=ready.sender, recipient=ready.recipient
                    )
                    settle(each, result, by=by, now=clock())
                except (OperationalError, InterfaceError):
                    raise  # the database is away: that is no fault of this row
                except Exception:
                    logger.exception("dispatch %s cannot be handed over", each.dispatch_id)
                    set_aside(each, by=by, now=clock())
                total += 1
    return total


def claim(*, now: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` due dispatches in order; others skip them while the lease lasts."""
    due = Dispatch.objects.due(now=now).order_by("next_attempt_at", "pk").select_for_update(skip_locked=True)
    with transaction.atomic():
        rows = list(due.only("pk", "attempt")[:limit])
        Dispatch.objects.filter(pk__in=[row.pk for row in rows]).update(
            leased_until=now + LEASE,
            attempt=F("attempt") + 1,
            gathering=False,
        )
    return [Claim(row.pk, row.attempt + 1) for row in rows]


def prepare(held: Claim, *, resolver: Resolver, by: Actor, now: datetime) -> Ready | None:
    """Look again before anything leaves: contact, withdrawals, place. None when nothing is to be sent now.

    Once an attempt ended in silence (a crash), that copy may be with them already: the words stay as they are
    unless a line has to go.
    """
    lines = DispatchLine.objects.filter(dispatch_id=held.dispatch_id, dropped_because="")
    unknown = refresh_attributions(
        list(lines.filter(step=FIRST).values_list("notice_id", flat=True)), resolver=resolver, by=by, now=now
    )
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
            if unknown:
                _failed(
                    dispatch, Failed(_("The name servers did not answer."), permanent=False), by=by, now=now
                )
                return None
            kept = _keep(dispatch, notices, by=by, now=now)
            if not kept:
                _change(dispatch, Dispatch.State.CANCELLED, "cancel", by=by, now=now)
                return None
        letter = _letter(dispatch, kept, now=now)
        silent = dispatch.attempts.filter(ended_at__isnull=True).exists()
        if not silent or len(kept) < len(notices):
            dispatch.subject, dispatch.body = text.subject(letter), text.body(letter)
            dispatch.body_digest = hashlib.sha256(dispatch.body.encode()).digest()
        dispatch.leased_until = now + LEASE
        dispatch.save(update_fields=["subject", "body_sealed", "body_digest", "leased_until"])
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
        # A web server's clock may run ahead of the database's; a term begins late rather than early.
        at = max([now, *(notice.routed_at for notice in first if notice.routed_at)])
        for notice in first:
            notice.sent_at = at
        if settings.HOST.relay_is_final_hop:
            dispatch.accepted_at = at
            _change(dispatch, Dispatch.State.ACCEPTED, "accept", by=by, now=now)
            start_clocks(first, at=at, estimated=True)
        else:
            _change(dispatch, Dispatch.State.RELAYED, "relay", by=by, now=now)
        type(dispatch.contact).objects.filter(pk=dispatch.contact_id, known_since__isnull=True).update(
            known_since=at
        )


def set_aside(held: Claim, *, by: Actor, now: datetime) -> None:
    """A message that cannot be made or settled fails like any other, and is parked in the end. Fenced.

    Its attempt stays open: nobody knows whether a copy is with them.
    """
    with transaction.atomic():
        dispatch = _fenced(held)
        if dispatch is not None:
            result = Failed(_("This message cannot be made; the log says why."), permanent=False)
            _failed(dispatch, result, by=by, now=now, when_parked=Dispatch.Trouble.UNMADE)


def start_clocks(notices: Sequence[Notice], *, at: datetime, estimated: bool) -> None:
    """t0 for locked notices that were sent, by the rule that counts at `at`; their ladder begins to wait."""
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
            start_clocks([notice], at=max(now, notice.sent_at), estimated=False)
    return notice


def withdraw(
    *, notice_id: int, because: str, by: Actor, now: datetime, seen_version: int | None = None
) -> Notice:
    """Take a notice back after it was sent. Raises WrongState, Stale, Invalid."""
    if because not in Notice.Withdrawal.values:
        raise Invalid(_("Choose why it is withdrawn."))
    with moving(
        notice_id, "withdraw", by=by, now=now, seen_version=seen_version, data={"because": because}
    ) as notice:
        notice.withdraw(at=now, because=Notice.Withdrawal(because))
        Step.objects.filter(notice=notice).overtake(at=now)
        SecondLook.objects.filter(notice=notice).overtake(at=now)
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


def _keep(dispatch: Dispatch, notices: Sequence[Notice], *, by: Actor, now: datetime) -> list[Notice]:
    """The notices that still belong on the message; the others' lines are struck with their reason."""
    if dispatch.kind == Dispatch.Kind.FIRST:
        dropped = _no_longer_to_send(dispatch, notices, by=by)
    else:
        dropped = _no_longer_to_remind(dispatch, notices, now=now)
    for because in set(dropped.values()):
        struck = [pk for pk, reason in dropped.items() if reason == because]
        dispatch.lines.filter(notice__in=struck, dropped_because="").update(dropped_because=because)
    return [notice for notice in notices if notice.pk not in dropped]


def _no_longer_to_send(
    dispatch: Dispatch, notices: Sequence[Notice], *, by: Actor
) -> dict[int, DispatchLine.Dropped]:
    """Notices that a first message must not speak of: they go back to routing, or to a person."""
    dropped = {}
    places = Attribution.objects.in_bulk({notice.attribution_id for notice in notices})
    doubted = set(
        SecondLook.objects.blocking().filter(notice__in=notices).values_list("notice_id", flat=True)
    )
    for notice in notices:
        place = places.get(notice.attribution_id)
        if notice.state != Notice.State.RECEIVED:
            dropped[notice.pk] = DispatchLine.Dropped.OVERTAKEN
        elif notice.pk in doubted:
            dropped[notice.pk] = DispatchLine.Dropped.DOUBTED
            notice.routed_at = None
            notice.hold, notice.hold_review = Notice.Hold.SECOND_ASSESSMENT, Notice.Review.SECOND
            notice.hold_by = str(by)
        elif notice.provider_id != dispatch.contact.provider_id:
            dropped[notice.pk] = DispatchLine.Dropped.MOVED
            notice.routed_at = None
            found = Notice.Review.MOVED if notice.provider_id else Notice.Review.NOBODY_FOUND
            notice.hold, notice.hold_review = Notice.Hold.CONTACT_REVIEW, found
            notice.hold_by = str(by)
        elif place is not None and place.country != HOME:
            # The next routing dismisses it as hosted abroad.
            dropped[notice.pk] = DispatchLine.Dropped.MOVED
            notice.routed_at = None
    return dropped


def _no_longer_to_remind(
    dispatch: Dispatch, notices: Sequence[Notice], *, now: datetime
) -> dict[int, DispatchLine.Dropped]:
    """Notices that a reminder must not speak of (I7); what nobody saw lately waits for a supervisor again."""
    insisted = set(
        Step.objects.filter(
            notice__in=notices,
            code=f"{deadlines.REMINDER}{dispatch.round}",
            outcome=Step.Outcome.INSISTED,
        ).values_list("notice_id", flat=True)
    )
    dropped = {}
    for notice in notices:
        if notice.state != Notice.State.ESCALATED:
            dropped[notice.pk] = DispatchLine.Dropped.OVERTAKEN
        elif notice.pk not in insisted and not seen_lately(notice, now=now):
            dropped[notice.pk] = DispatchLine.Dropped.UNSEEN
    Step.objects.filter(
        notice__in=[pk for pk, because in dropped.items() if because == DispatchLine.Dropped.UNSEEN],
        code=f"{deadlines.REMINDER}{dispatch.round}",
    ).update(taken_at=None, outcome="", waits_for=Step.WaitsFor.SIGHTING)
    return dropped


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


def _failed(
    dispatch: Dispatch,
    result: Failed,
    *,
    by: Actor,
    now: datetime,
    when_parked: Dispatch.Trouble = Dispatch.Trouble.NO_LUCK,
) -> None:
    dispatch.failures += 1
    dispatch.trouble_answer, dispatch.leased_until = result.answer, None
    if result.permanent or dispatch.failures >= PARK_AFTER:
        park(dispatch, Dispatch.Trouble.REFUSED if result.permanent else when_parked, by=by, now=now)
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
