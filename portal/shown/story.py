"""A notice as a page of its own: five facts, the clock, all that happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.db.models import Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import ApiKey, User
from cases.deadlines import wall_shift
from cases.models import Dispatch, DispatchLine, Notice, Reply, ReplyMail, Sighting
from cases.services.clocks import Evidence
from cases.services.clocks import evidence as evidence_of
from portal.access import Visitor
from portal.shown.rows import CLAIMS, Answered, claimed_at, class_words, observation

#: A sighting's outcome -> tone and icon on the time line.
_SEEN: Final = {
    Sighting.Outcome.ONLINE: ("bad", "eye"),
    Sighting.Outcome.GONE: ("good", "eye-off"),
    Sighting.Outcome.CHANGED: ("good", "refresh"),
    Sighting.Outcome.BLOCKED: ("warn", "ban"),
    Sighting.Outcome.UNKNOWN: ("calm", "question"),
}
#: How far back the time line of one notice goes, in checks.
_CHECKS: Final = 500


@dataclass(frozen=True)
class Happened:
    """A line of the time line: plain text, made safe by the template."""

    at: datetime
    text: str
    tone: str = "calm"
    icon: str = "dot"
    detail: str = ""
    by: str = ""


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
    contradicted_claim: datetime | None
    happened: list[Happened]
    related: list[Notice]
    can_answer: bool
    # Its objection waits for the second judgement.
    is_judged_again: bool


def story(notice: Notice, visitor: Visitor) -> Story:
    """Read what happened with `notice`, which is the visitor's own."""
    lines = _messages(notice)
    replies = list(notice.replies.order_by("at", "pk"))
    sightings = list(notice.sightings.order_by("-seen_at", "-pk")[:_CHECKS])[::-1]
    # What came too late by a link is told below, and is no fact.
    counting = [reply for reply in replies if not reply.late]
    claims = [reply for reply in counting if reply.answer in CLAIMS]
    related = visitor.notices.filter(Q(pk=notice.previous_id) | Q(previous=notice)).order_by("pk")
    return Story(
        legal_class=class_words(notice),
        clock=_clock(notice, lines, replies),
        facts=_facts(notice, counting, sightings),
        contradicted_claim=claimed_at(notice, claims[-1] if claims else None)
        if notice.is_contradicted
        else None,
        happened=_timeline(notice, lines, replies, sightings, visitor),
        related=list(related),
        can_answer=notice.state in {Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED},
        is_judged_again=any(reply.answer == Reply.Answer.DISPUTE for reply in counting)
        and notice.objection_rejected_at is None
        and notice.state in {Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED},
    )


def _messages(notice: Notice) -> list[DispatchLine]:
    """The messages about it that have left, oldest first; `left_at` is when the last attempt ended."""
    return list(
        notice.dispatch_lines.filter(
            dropped_because="", dispatch__state__in=[Dispatch.State.ACCEPTED, Dispatch.State.RELAYED]
        )
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
            "hours": f"{hours:g}",
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
        code, at = sightings[-1].outcome, sightings[-1].seen_at
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


def _timeline(
    notice: Notice,
    lines: Sequence[DispatchLine],
    replies: Sequence[Reply],
    sightings: Sequence[Sighting],
    visitor: Visitor,
) -> list[Happened]:
    """Newest first; of the same instant, what follows from another thing stands above it."""
    names = _names(replies, visitor)
    messages = [_message(notice, line) for line in lines]
    sent, reminders = messages[:1], messages[1:]
    said = [_reply(reply, names.get(reply.by, "")) for reply in replies]
    turns = sorted(event.at for event in (*messages, *said))
    happened = [
        *reminders,
        *_turns(notice, lines),
        *said,
        *_checks(sightings, turns=turns),
        *sent,
    ]
    return sorted(happened, key=lambda event: event.at, reverse=True)


def _message(notice: Notice, line: DispatchLine) -> Happened:
    dispatch = line.dispatch
    first = dispatch.kind == Dispatch.Kind.FIRST
    sent_at = notice.sent_at if first else None
    text = _("We sent notice %(number)s.") if first else _("We sent reminder %(round)d, %(number)s.")
    return Happened(
        at=sent_at or dispatch.accepted_at or getattr(line, "left_at", None) or dispatch.created_at,
        text=text % {"number": dispatch.number, "round": dispatch.round},
        tone="calm" if first else "warn",
        icon="mail",
        detail=_("To %(address)s.") % {"address": dispatch.contact.address},
    )


def _reply(reply: Reply, name: str) -> Happened:
    answered = Answered.of(reply)
    told = [reply.reason, reply.note]
    if reply.claimed_at is not None:
        told.insert(0, _("Happened at %(at)s UTC.") % {"at": f"{reply.claimed_at:%Y-%m-%d %H:%M}"})
    return Happened(
        at=reply.at,
        text=(_("You answered, too late: %(answer)s.") if reply.late else _("You answered: %(answer)s."))
        % {"answer": answered.words},
        tone=answered.tone,
        icon=answered.icon,
        detail=" ".join(filter(None, told)),
        by=name or (_("by mail") if reply.mail_id else "") or _by_link(reply),
    )


def _by_link(reply: Reply) -> str:
    """By the link of which message, for what was answered without a log-in; "" for other answers."""
    kind, _colon, number = reply.by.partition(":")
    return _("by the link in %(number)s") % {"number": number} if kind == "link" else ""


def _checks(sightings: Sequence[Sighting], *, turns: Sequence[datetime]) -> list[Happened]:
    """What the checks saw, one line for each run of the same outcome that nothing else interrupts."""
    happened = []
    for (outcome, _between), run in groupby(
        sightings, key=lambda look: (look.outcome, sum(at <= look.seen_at for at in turns))
    ):
        looks = list(run)
        tone, icon = _SEEN[Sighting.Outcome(outcome)]
        first, last = looks[0], looks[-1]
        answers = sorted({look.http_status for look in looks if look.http_status})
        detail = _("HTTP %(codes)s.") % {"codes": ", ".join(map(str, answers))} if answers else ""
        if len(looks) > 1:
            detail = (
                _("%(count)d checks since %(at)s UTC.")
                % {"count": len(looks), "at": f"{first.seen_at:%Y-%m-%d %H:%M}"}
                + f" {detail}"
            )
        happened.append(Happened(last.seen_at, _SEEN_WORDS[outcome](), tone, icon, detail.strip()))
    return happened


_SEEN_WORDS: Final = {
    Sighting.Outcome.ONLINE: lambda: _("Our check sees it online."),
    Sighting.Outcome.GONE: lambda: _("Our check finds it gone."),
    Sighting.Outcome.CHANGED: lambda: _("Our check finds something else there."),
    Sighting.Outcome.BLOCKED: lambda: _("Our check is blocked: we cannot tell."),
    Sighting.Outcome.UNKNOWN: lambda: _("Our check cannot tell."),
}


def _turns(notice: Notice, lines: Sequence[DispatchLine]) -> list[Happened]:
    """The moments at which the notice itself turned."""
    turns = []
    if notice.notified_at is not None:
        by_server = any(line.dispatch.accepted_at == notice.notified_at for line in lines)
        turns.append(
            Happened(
                notice.notified_at,
                _("Your server accepted it: your clock started.")
                if by_server
                else _("It had reached you: your clock started."),
                "info",
                "clock",
            )
        )
    if notice.escalated_at is not None:
        turns.append(
            Happened(notice.escalated_at, _("The term ended without proven removal."), "bad", "warning")
        )
    if notice.objection_rejected_at is not None:
        turns.append(
            Happened(notice.objection_rejected_at, _("Your objection was rejected."), "warn", "flag")
        )
    if notice.removed_at is not None:
        turns.append(
            Happened(
                notice.removed_at, _("Removal is proven: nothing is left to do."), "good", "check-circle"
            )
        )
    if notice.closed_at is not None:
        turns.append(
            Happened(
                notice.closed_at,
                _("We withdrew this notice: %(why)s.") % {"why": notice.get_closed_because_display()}
                if notice.state == Notice.State.WITHDRAWN
                else _("We closed this notice."),
                "good",
                "return",
            )
        )
    return turns


def _names(replies: Sequence[Reply], visitor: Visitor) -> dict[str, str]:
    """Who answered, by actor: the visitor's colleagues and their keys; nobody else has a name here."""
    ids: dict[str, set[int]] = {"user": set(), "key": set()}
    for reply in replies:
        kind, _colon, name = reply.by.partition(":")
        if kind in ids and name.isdigit():
            ids[kind].add(int(name))
    names: dict[str, str] = {}
    if ids["user"]:
        people = User.objects.filter(provider=visitor.provider_id, pk__in=ids["user"])
        names |= {f"user:{user.pk}": str(user) for user in people}
    if ids["key"]:
        keys = ApiKey.objects.filter(provider=visitor.provider_id, pk__in=ids["key"])
        names |= {f"key:{key.pk}": key.name for key in keys}
    return names
