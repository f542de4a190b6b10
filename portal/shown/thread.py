"""The thread of a notice: what was sent, written, answered, seen and decided, in one line of time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Final

from django.utils.translation import gettext as _

from accounts.models import ApiKey, User
from cases.models import Dispatch, DispatchLine, Dispute, Forwarding, Message, Notice, Reply, Sighting
from cases.url import without_addresses
from portal.access import Visitor
from portal.shown.rows import Answered, class_words

#: A sighting's outcome -> tone and icon on the time line.
_SEEN: Final = {
    Sighting.Outcome.ONLINE: ("bad", "eye"),
    Sighting.Outcome.GONE: ("good", "eye-off"),
    Sighting.Outcome.CHANGED: ("good", "refresh"),
    Sighting.Outcome.BLOCKED: ("warn", "ban"),
    Sighting.Outcome.UNKNOWN: ("calm", "question"),
}


class Side(StrEnum):
    """Whose turn of the thread it is; what nobody said is the system's."""

    YOU = "you"
    HOTLINE = "hotline"
    SYSTEM = "system"


@dataclass(frozen=True)
class Happened:
    """A turn of the thread: plain text, made safe by the template. `is_new`: nobody of theirs has read it."""

    at: datetime
    text: str
    tone: str = "calm"
    icon: str = "dot"
    detail: str = ""
    by: str = ""
    side: Side = Side.SYSTEM
    is_new: bool = False


def turns_of(
    notice: Notice,
    lines: Sequence[DispatchLine],
    replies: Sequence[Reply],
    sightings: Sequence[Sighting],
    visitor: Visitor,
    disputes: Sequence[Dispute],
    forwardings: Sequence[Forwarding],
    written: Sequence[Message],
) -> list[Happened]:
    """The thread of a notice. Newest first; of the same instant, what follows from another thing stands above it."""
    names = _names([*(reply.by for reply in replies), *(message.by for message in written)], visitor)
    messages = [_message(notice, line) for line in lines]
    sent, reminders = messages[:1], messages[1:]
    grounds = {dispute.reply_id: dispute for dispute in disputes}
    passed_on = {each.reply_id: each for each in forwardings}
    said = [
        _reply(reply, names.get(reply.by, ""), grounds.get(reply.pk), passed_on.get(reply.pk))
        for reply in replies
    ]
    told = {each.pk: each for each in forwardings}
    # What was asked with an answer stands there already.
    talk = [
        _written(message, names.get(message.by, ""), told.get(message.forwarding_id or 0))
        for message in written
        if message.reply_id is None
    ]
    turns = sorted(event.at for event in (*messages, *said, *talk))
    happened = [
        *reminders,
        *_turns(notice, lines, disputes),
        *talk,
        *said,
        *_checks(sightings, turns=turns),
        *sent,
    ]
    return sorted(happened, key=lambda event: event.at, reverse=True)


def _message(notice: Notice, line: DispatchLine) -> Happened:
    dispatch = line.dispatch
    first = dispatch.kind == Dispatch.Kind.FIRST
    sent_at = notice.sent_at if first else None
    text = {
        Dispatch.Kind.FIRST: _("We sent notice %(number)s."),
        Dispatch.Kind.WITHDRAWAL: _("We told you that we withdraw it, %(number)s."),
    }.get(Dispatch.Kind(dispatch.kind), _("We sent reminder %(round)d, %(number)s."))
    return Happened(
        at=sent_at or dispatch.accepted_at or getattr(line, "left_at", None) or dispatch.created_at,
        text=text % {"number": dispatch.number, "round": dispatch.round},
        tone="warn" if dispatch.kind == Dispatch.Kind.REMINDER else "calm",
        icon="mail",
        detail=_("To %(address)s.") % {"address": dispatch.contact.address},
        side=Side.HOTLINE,
    )


def _reply(reply: Reply, name: str, dispute: Dispute | None, passed_on: Forwarding | None) -> Happened:
    answered = Answered.of(reply)
    told = [without_addresses(reply.reason), without_addresses(reply.note)]
    if dispute is not None and not dispute.is_about_place:
        told.insert(0, f"{str(dispute.get_ground_display()).capitalize()}.")
    if passed_on is not None:
        told.insert(0, _passed_on(passed_on))
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
        side=Side.YOU,
    )


def _by_link(reply: Reply) -> str:
    """By the link of which message, for what was answered without a log-in; "" for other answers."""
    kind, _colon, number = reply.by.partition(":")
    return _("by the link in %(number)s") % {"number": number} if kind == "link" else ""


def _passed_on(forwarding: Forwarding) -> str:
    said = []
    if forwarding.name:
        said.append(_("To %(name)s.") % {"name": without_addresses(forwarding.name)})
    if forwarding.expected_by:
        said.append(_("Expected to act by %(at)s UTC.") % {"at": f"{forwarding.expected_by:%Y-%m-%d %H:%M}"})
    return " ".join(said)


def _written(message: Message, name: str, told: Forwarding | None) -> Happened:
    """What was written, without addresses. Nobody of the hotline has a name here."""
    if told is not None:
        said = _(
            "You forwarded it and expected your customer to act by %(at)s UTC. Our check has seen it online since."
            " Your own clock runs on."
        ) % {"at": f"{told.expected_by:%Y-%m-%d %H:%M}"}
        return Happened(message.at, said, "warn", "bell", side=Side.HOTLINE, is_new=message.read_at is None)
    ours = message.side == Message.Side.HOTLINE
    return Happened(
        at=message.at,
        text=_("The hotline wrote:") if ours else _("You wrote:"),
        tone="info",
        icon="mail" if ours else "person",
        detail=without_addresses(message.words),
        by="" if ours else name,
        side=Side.HOTLINE if ours else Side.YOU,
        is_new=ours and message.read_at is None,
    )


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


def _turns(notice: Notice, lines: Sequence[DispatchLine], disputes: Sequence[Dispute]) -> list[Happened]:
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
    turns += [
        Happened(
            dispute.decided_at,
            _("Your objection was rejected."),
            "warn",
            "flag",
            why_rejected(notice, dispute),
        )
        for dispute in disputes
        if dispute.outcome == Dispute.Outcome.REJECTED and dispute.decided_at is not None
    ]
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


def _names(actors: Iterable[str], visitor: Visitor) -> dict[str, str]:
    """Who said it, by actor: the visitor's colleagues and their keys; nobody else has a name here."""
    ids: dict[str, set[int]] = {"user": set(), "key": set()}
    for actor in actors:
        kind, _colon, name = actor.partition(":")
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


def why_rejected(notice: Notice, dispute: Dispute) -> str:
    """One sentence, which says nothing of who decided."""
    if dispute.outcome != Dispute.Outcome.REJECTED:
        return ""
    if dispute.is_about_place:
        return dispute.why
    return _(
        "Somebody who had not judged it before has judged it again, and found it illegal (%(legal_class)s)."
    ) % {"legal_class": class_words(notice.legal_class)}
