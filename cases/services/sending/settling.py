"""What became of attempts, written down once: those that ended together, together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from audit.record import Actor, event, record_many
from cases.formats.letter import ABOUT_MATERIAL
from cases.models import Attempt, Dispatch, DispatchLine, Notice
from cases.services import withdraw
from cases.services.clocks import start_clocks
from cases.services.moving import moving_many
from cases.services.sending import deliveries
from cases.services.sending.claiming import Claim, fenced
from cases.services.sending.failing import failed
from cases.services.sending.pacing import recover
from cases.services.writing import fields_of, write_rows
from providers.channels.result import Accepted, Failed
from providers.models import Contact


class Outcome(NamedTuple):
    """What became of one hand-over."""

    held: Claim
    result: Accepted | Failed


_ENDED = fields_of(Attempt, "ended_at", "accepted", "answer")
_SETTLED = fields_of(
    Dispatch, "state", "evidence", "leased_until", "accepted_at", "trouble", "trouble_answer", "failures"
)


def settle(held: Claim, result: Accepted | Failed, *, by: Actor, now: datetime) -> None:
    """`settle_many` for one."""
    settle_many([Outcome(held, result)], by=by, now=now)


def settle_many(outcomes: Sequence[Outcome], *, by: Actor, now: datetime) -> None:
    """Write down what became of attempts, and start the clocks of what a server accepted. Once: fenced."""
    results = {outcome.held.dispatch_id: outcome.result for outcome in outcomes}
    lines = DispatchLine.objects.filter(dispatch__in=results, dropped_because="")
    on: dict[int, list[int]] = defaultdict(list)
    for dispatch_id, notice_id in lines.order_by("pk").values_list("dispatch_id", "notice_id"):
        on[dispatch_id].append(notice_id)
    ids = [notice_id for own in on.values() for notice_id in own]
    with transaction.atomic(), moving_many(ids, "notify", by=by, now=now) as notices:
        dispatches = fenced([outcome.held for outcome in outcomes])
        _end_attempts(dispatches, results, now=now)
        accepted = []
        for dispatch in dispatches.values():
            result = results[dispatch.pk]
            if isinstance(result, Failed):
                failed(dispatch, result, by=by, now=now)
            else:
                dispatch.evidence = result.answer
                accepted.append(dispatch)
        known = {notice.pk: notice for notice in notices}
        _accept(
            accepted,
            {pk: [known[each] for each in on[pk] if each in known] for pk in dispatches},
            {pk for pk, result in results.items() if isinstance(result, Accepted) and result.theirs},
            by=by,
            now=now,
        )


def _end_attempts(
    dispatches: Mapping[int, Dispatch], results: Mapping[int, Accepted | Failed], *, now: datetime
) -> None:
    begun = [
        attempt
        for attempt in Attempt.objects.defer("copy_sealed").filter(
            dispatch__in=dispatches, number__in={each.attempt for each in dispatches.values()}
        )
        if attempt.number == dispatches[attempt.dispatch_id].attempt
    ]
    for attempt in begun:
        result = results[attempt.dispatch_id]
        attempt.ended_at, attempt.accepted, attempt.answer = now, isinstance(result, Accepted), result.answer
    write_rows(begun, _ENDED)
    by_webhook = [each for each in dispatches.values() if each.contact.channel == Contact.Channel.WEBHOOK]
    deliveries.end({(each.pk, each.attempt): results[each.pk] for each in by_webhook})


def _accept(
    dispatches: Sequence[Dispatch],
    on: Mapping[int, Sequence[Notice]],
    theirs: set[int],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """`theirs`: the dispatches that the provider's own server took; of the others our relay's settings say it."""
    if not dispatches:
        return
    relay_is_theirs = settings.HOST.relay_is_final_hop
    # (when, whether only our relay's word says so) -> whose clocks start.
    started: dict[tuple[datetime, bool], list[Notice]] = defaultdict(list)
    for dispatch in dispatches:
        starts = dispatch.kind == Dispatch.Kind.FIRST
        first = [notice for notice in on[dispatch.pk] if starts and notice.state == Notice.State.RECEIVED]
        # A web server's clock may run ahead of the database's; a term begins late rather than early.
        at = max([now, *(notice.routed_at for notice in first if notice.routed_at)])
        for notice in first:
            notice.sent_at = at
        is_theirs = dispatch.pk in theirs or relay_is_theirs
        if is_theirs:
            started[at, dispatch.pk not in theirs] += first
        dispatch.state = Dispatch.State.ACCEPTED if is_theirs else Dispatch.State.RELAYED
        dispatch.accepted_at, dispatch.leased_until = at if is_theirs else None, None
        dispatch.trouble, dispatch.trouble_answer, dispatch.failures = "", "", 0
    write_rows(dispatches, _SETTLED)
    record_many(
        event(
            "accept" if dispatch.state == Dispatch.State.ACCEPTED else "relay",
            "dispatch",
            dispatch.pk,
            by=by,
            at=now,
            was=Dispatch.State.PENDING,
            became=dispatch.state,
        )
        for dispatch in dispatches
    )
    for (at, estimated), notices in started.items():
        start_clocks(notices, at=at, estimated=estimated)
    contacts = [dispatch.contact_id for dispatch in dispatches]
    Contact.objects.filter(pk__in=contacts, known_since__isnull=True).update(known_since=now)
    recover(contacts)
    for dispatch in dispatches:
        if dispatch.kind in ABOUT_MATERIAL:
            # Withdrawn while it was on its way: they have it in hand now.
            late = [notice for notice in on[dispatch.pk] if notice.state == Notice.State.WITHDRAWN]
            withdraw.tell(contact_id=dispatch.contact_id, notices=late, by=by, now=now)
