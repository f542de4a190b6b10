"""A notice as a page of its own: five facts, the clock, what was objected and passed on, and the thread of it all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.deadlines import wall_shift
from cases.models import (
    Dispatch,
    DispatchLine,
    Dispute,
    Forwarding,
    Notice,
    Reply,
    ReplyMail,
    Sighting,
)
from cases.services.clocks import Evidence
from cases.services.clocks import evidence as evidence_of
from portal.access import Visitor
from portal.shown.claims import ClaimShown, ReceiptShown, claims, receipts
from portal.shown.rows import Answered, class_words, observation
from portal.shown.thread import Happened, turns_of, why_rejected

#: How far back the thread of one notice goes, in checks and in messages.
_CHECKS: Final = 500
_MESSAGES: Final = 200


@dataclass(frozen=True)
class Objection:
    """Where the last objection stands. `why`: of one that was rejected, in one sentence."""

    dispute: Dispute
    ground: str
    why: str

    @property
    def waits(self) -> bool:
        """Nothing is decided."""
        return not self.dispute.outcome


@dataclass(frozen=True)
class Clock:
    """Why it is due then. `evidence` says in words how we know that it arrived."""

    notified_at: datetime | None
    evidence: str
    estimated: bool
    rule: str
    # Since when the rule counts, and by how much the clocks of Amsterdam are put forward within the term.
    valid_from: datetime | None
    shift: timedelta
    due_at: datetime | None
    stopped_at: datetime | None


@dataclass(frozen=True)
class Story:
    """All that the page of one notice says beside the notice itself."""

    legal_class: str
    clock: Clock
    facts: dict[str, object]
    # What we say to their last claim, and the receipts of all that we said.
    claim: ClaimShown | None
    receipts: list[ReceiptShown]
    happened: list[Happened]
    related: list[Notice]
    can_answer: bool
    objection: Objection | None
    # To whom it was passed on, while the provider waits for them.
    forwarding: Forwarding | None
    unread: int


def story(notice: Notice, visitor: Visitor) -> Story:
    """Read what happened with `notice`, which is the visitor's own."""
    lines = _messages(notice)
    replies = list(notice.replies.order_by("at", "pk"))
    sightings = list(notice.sightings.order_by("-seen_at", "-pk")[:_CHECKS])[::-1]
    # What came too late by a link is told below, and is no fact.
    counting = [reply for reply in replies if not reply.late]
    related = visitor.notices.filter(Q(pk=notice.previous_id) | Q(previous=notice)).order_by("pk")
    disputes = list(notice.disputes.order_by("at", "pk"))
    forwardings = list(notice.forwardings.select_related("to").order_by("at", "pk"))
    written = list(notice.messages.order_by("-at", "-pk")[:_MESSAGES])
    is_open = notice.state in {Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED}
    happened = turns_of(notice, lines, replies, sightings, visitor, disputes, forwardings, written)
    return Story(
        legal_class=class_words(notice.legal_class),
        clock=_clock(notice, lines, replies),
        facts=_facts(notice, counting, sightings),
        claim=claims([notice]).get(notice.pk) if notice.state != Notice.State.WITHDRAWN else None,
        receipts=receipts(notice) if notice.claim_answer else [],
        happened=happened,
        related=list(related),
        can_answer=is_open,
        objection=_objection(notice, disputes),
        forwarding=next((each for each in forwardings if each.ended_at is None and is_open), None),
        unread=sum(turn.is_new for turn in happened),
    )


def _objection(notice: Notice, disputes: Sequence[Dispute]) -> Objection | None:
    """The last that was not overtaken."""
    last = next((each for each in reversed(disputes) if each.outcome != Dispute.Outcome.OVERTAKEN), None)
    if last is None:
        return None
    return Objection(last, str(last.get_ground_display()), why_rejected(notice, last))


def _messages(notice: Notice) -> list[DispatchLine]:
    """The messages about it that have left, oldest first; `left_at` is when the last attempt ended."""
    return list(
        notice.dispatch_lines.filter(
            dropped_because="", dispatch__state__in=[Dispatch.State.ACCEPTED, Dispatch.State.RELAYED]
        )
        .exclude(dispatch__kind__in=[Dispatch.Kind.ORIGIN, Dispatch.Kind.MESSAGE])
        .select_related("dispatch__contact")
        .annotate(left_at=Max("dispatch__attempts__ended_at"))
        .order_by("pk")
    )


def _clock(notice: Notice, lines: Iterable[DispatchLine], replies: Iterable[Reply]) -> Clock:
    evidence = ""
    if notice.notified_at is not None:
        known_by, proof = evidence_of(
            notice,
            dispatches=[line.dispatch for line in lines],
            answered={reply.at for reply in replies},
        )
        if proof is None:
            evidence = (
                _("You answered it, so it had reached you.")
                if known_by == Evidence.ANSWER
                else _("It was shown in this portal to one of you, logged in.")
            )
        elif known_by == Evidence.RELAY:
            evidence = _("Our relay, which hands over to your server, took %(number)s: “%(answer)s”.") % {
                "number": proof.number,
                "answer": proof.evidence,
            }
        else:
            evidence = _("Your server accepted %(number)s: “%(answer)s”.") % {
                "number": proof.number,
                "answer": proof.evidence,
            }
    rule = ""
    if notice.rule is not None:
        hours = notice.rule.term.total_seconds() / 3600
        rule = _("Rule %(version)d: %(hours)s hours after your server accepted, on the wall clock.") % {
            "version": notice.rule.version,
            "hours": f"{round(hours, 2):g}",
        }
    shift = timedelta(0)
    if notice.notified_at is not None and notice.due_at is not None:
        shift = wall_shift(notice.notified_at, notice.due_at)
    return Clock(
        notified_at=notice.notified_at,
        evidence=evidence,
        estimated=notice.notified_estimated,
        rule=rule,
        valid_from=notice.rule.valid_from if notice.rule else None,
        shift=shift,
        due_at=notice.due_at,
        stopped_at=notice.gone_since or notice.closed_at,
    )


def _facts(notice: Notice, replies: Sequence[Reply], sightings: Sequence[Sighting]) -> dict[str, object]:
    """The five, for components/facts.html."""
    receipt = ReplyMail.objects.receipts().about(notice).order_by("pk").first()
    code, at = observation(notice)
    if not code and sightings:
        code = sightings[-1].outcome
    # Of an answer to a claim: when the look was that it is about.
    if at is None and sightings and notice.claim_answer != Notice.ClaimAnswer.WAITING:
        at = sightings[-1].seen_at
    return {
        "sent": notice.sent_at,
        "accepted": notice.notified_at,
        "accepted_note": _("estimated: our relay took it") if notice.notified_estimated else "",
        "receipt": receipt.received_at if receipt else None,
        "receipt_note": receipt.ticket if receipt else "",
        "answered": replies[-1].at if replies else notice.acknowledged_at,
        "answer": Answered.of(replies[-1]) if replies else None,
        "observed": at,
        "observed_as": code,
        "observed_note": ngettext("%(count)d check", "%(count)d checks", len(sightings))
        % {"count": len(sightings)}
        if sightings
        else "",
    }
