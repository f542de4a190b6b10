"""Which notices still belong on a message, just before it leaves."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from audit.record import Actor
from cases import deadlines
from cases.models import Dispatch, DispatchLine, Message, Notice, OriginRequest, SecondLook, Step
from cases.services.ladder import seen_lately, wait_for_eyes
from cases.services.route import HOME
from providers.models import Attribution

#: What would be said of each notice by each message: the lines, with both ends of them locked.
Lines = Sequence[tuple[DispatchLine, Dispatch, Notice]]


def keep(lines: Lines, *, by: Actor, now: datetime) -> dict[int, list[Notice]]:
    """dispatch -> the notices that still belong on it; the others' lines are struck with their reason."""
    kinds: dict[str, list[tuple[DispatchLine, Dispatch, Notice]]] = defaultdict(list)
    for each in lines:
        kinds[each[1].kind].append(each)
    dropped = (
        _no_longer_to_send(kinds[Dispatch.Kind.FIRST], by=by)
        | _no_longer_to_remind(kinds[Dispatch.Kind.REMINDER], now=now)
        | _not_withdrawn(kinds[Dispatch.Kind.WITHDRAWAL])
        | _no_longer_to_ask(kinds[Dispatch.Kind.ORIGIN])
        | _read_meanwhile(kinds[Dispatch.Kind.MESSAGE])
    )
    struck: dict[DispatchLine.Dropped, list[int]] = defaultdict(list)
    for line_id, because in dropped.items():
        struck[because].append(line_id)
    for because, ids in struck.items():
        DispatchLine.objects.filter(pk__in=ids, dropped_because="").update(dropped_because=because)
    kept: dict[int, list[Notice]] = defaultdict(list)
    for line, dispatch, notice in lines:
        if line.pk not in dropped:
            kept[dispatch.pk].append(notice)
    return kept


def _no_longer_to_send(lines: Lines, *, by: Actor) -> dict[int, DispatchLine.Dropped]:
    """Lines of notices that a first message must not speak of: they go back to routing, or to a person."""
    if not lines:
        return {}
    dropped = {}
    places = Attribution.objects.in_bulk({notice.attribution_id for _line, _dispatch, notice in lines})
    doubted = set(
        SecondLook.objects.blocking()
        .filter(notice__in=[notice.pk for _line, _dispatch, notice in lines])
        .values_list("notice_id", flat=True)
    )
    for line, dispatch, notice in lines:
        place = places.get(notice.attribution_id)
        if notice.state != Notice.State.RECEIVED:
            dropped[line.pk] = DispatchLine.Dropped.OVERTAKEN
        elif notice.pk in doubted:
            dropped[line.pk] = DispatchLine.Dropped.DOUBTED
            notice.routed_at = None
            notice.hold, notice.hold_review = Notice.Hold.SECOND_ASSESSMENT, Notice.Review.SECOND
            notice.hold_by = str(by)
        elif notice.provider_id != dispatch.contact.provider_id:
            dropped[line.pk] = DispatchLine.Dropped.MOVED
            notice.routed_at = None
            found = Notice.Review.MOVED if notice.provider_id else Notice.Review.NOBODY_FOUND
            notice.hold, notice.hold_review = Notice.Hold.CONTACT_REVIEW, found
            notice.hold_by = str(by)
        elif place is not None and place.country != HOME:
            # The next routing dismisses it as hosted abroad.
            dropped[line.pk] = DispatchLine.Dropped.MOVED
            notice.routed_at = None
    return dropped


def _not_withdrawn(lines: Lines) -> dict[int, DispatchLine.Dropped]:
    """Nothing leads out of that state: this holds even if something should one day."""
    withdrawn = Notice.State.WITHDRAWN
    return {
        line.pk: DispatchLine.Dropped.OVERTAKEN
        for line, _dispatch, notice in lines
        if notice.state != withdrawn
    }


def _no_longer_to_ask(lines: Lines) -> dict[int, DispatchLine.Dropped]:
    """Lines of hosts whose question was answered, or that nobody waits for any more; others may wait than its notice."""
    if not lines:
        return {}
    asked = set(
        OriginRequest.objects.filter(
            notice__in=[notice.pk for _line, _dispatch, notice in lines], outcome=OriginRequest.Outcome.WAITS
        ).values_list("notice_id", "round")
    )
    return {
        line.pk: DispatchLine.Dropped.OVERTAKEN
        for line, dispatch, notice in lines
        if (notice.pk, dispatch.round) not in asked
    }


def _read_meanwhile(lines: Lines) -> dict[int, DispatchLine.Dropped]:
    """Lines of notices about which no message of ours is unread any more, or that are another provider's now."""
    if not lines:
        return {}
    unread = set(
        Message.objects.unread()
        .filter(notice__in=[notice.pk for _line, _dispatch, notice in lines])
        .values_list("notice_id", flat=True)
    )
    return {
        line.pk: DispatchLine.Dropped.OVERTAKEN
        for line, dispatch, notice in lines
        if notice.pk not in unread or notice.provider_id != dispatch.contact.provider_id
    }


def _no_longer_to_remind(lines: Lines, *, now: datetime) -> dict[int, DispatchLine.Dropped]:
    """Lines of notices that a reminder must not speak of (I7); what nobody saw lately waits for a supervisor again."""
    if not lines:
        return {}
    codes = {line.pk: f"{deadlines.REMINDER}{dispatch.round}" for line, dispatch, _notice in lines}
    insisted = set(
        Step.objects.filter(
            notice__in=[notice.pk for _line, _dispatch, notice in lines],
            voided=0,
            code__in=set(codes.values()),
            outcome=Step.Outcome.INSISTED,
        ).values_list("notice_id", "code")
    )
    dropped = {}
    unseen: dict[str, list[int]] = defaultdict(list)
    for line, _dispatch, notice in lines:
        if notice.state != Notice.State.ESCALATED:
            dropped[line.pk] = DispatchLine.Dropped.OVERTAKEN
        elif (notice.pk, codes[line.pk]) not in insisted and not seen_lately(notice, now=now):
            dropped[line.pk] = DispatchLine.Dropped.UNSEEN
            unseen[codes[line.pk]].append(notice.pk)
    for code, notice_ids in unseen.items():
        wait_for_eyes(notice_ids=notice_ids, code=code, now=now)
    return dropped
