"""One pass over what is due: this thread asks the database, the hands speak with the world."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Count, Q

from audit.record import Actor
from cases.models import Dispatch
from cases.services.restored import look_round
from cases.services.sending.claiming import CLAIM, Claim, claim, give_back
from cases.services.sending.failing import set_aside
from cases.services.sending.hands import Back, Hands
from cases.services.sending.preparing import Ready, prepare_many
from cases.services.sending.settling import Outcome, settle_many
from providers.channels.result import Failed
from providers.sources.resolver import Resolver

logger = logging.getLogger(__name__)

#: So many lines are prepared at once: a message of many lines must not keep its neighbours' answers waiting.
LINES_AT_ONCE: Final = 1_000


def deliver_due(*, resolver: Resolver, by: Actor, clock: Callable[[], datetime]) -> int:
    """Hand over everything that is due; returns how many hand-overs were tried.

    `clock` is asked again at each turn, because handing over takes time and acceptance is a legal instant.
    """
    look_round(by=by, now=clock())
    total, we_can = 0, True
    # The hands have no database: nothing is locked, and no transaction is open, while a message is handed over.
    with closing(Hands(settings.HOST.send_at_once)) as hands:
        while True:
            claims = claim(now=clock(), limit=CLAIM) if we_can and hands.has_room else []
            for some in _portions(claims):
                for ready in _prepared(some, resolver=resolver, by=by, clock=clock):
                    hands.give(ready)
                    total += 1
                we_can &= _settled(hands.come_back(wait=False), by=by, clock=clock)
            if not claims and not hands.out:
                return total
            we_can &= _settled(hands.come_back(wait=not claims), by=by, clock=clock)


def _portions(claims: Sequence[Claim]) -> list[list[Claim]]:
    """In portions that are prepared quickly."""
    counted = Dispatch.objects.filter(pk__in=[each.dispatch_id for each in claims])
    lines = dict(
        counted.annotate(count=Count("lines", filter=Q(lines__dropped_because=""))).values_list("pk", "count")
    )
    portions: list[list[Claim]] = []
    room = 0
    for each in claims:
        if not portions or lines[each.dispatch_id] > room:
            portions.append([])
            room = LINES_AT_ONCE
        portions[-1].append(each)
        room -= lines[each.dispatch_id]
    return portions


def _prepared(
    claims: Sequence[Claim], *, resolver: Resolver, by: Actor, clock: Callable[[], datetime]
) -> list[Ready]:
    """Prepared together; one by one when that fails, so that a row with a fault costs only itself."""
    try:
        return prepare_many(claims, resolver=resolver, by=by, now=clock())
    except (OperationalError, InterfaceError):
        raise  # the database is away: that is no fault of these rows
    except Exception:
        if len(claims) > 1:
            alone = [_prepared([each], resolver=resolver, by=by, clock=clock) for each in claims]
            return [ready for found in alone for ready in found]
        logger.exception("dispatch %s cannot be handed over", claims[0].dispatch_id)
        set_aside(claims[0], by=by, now=clock())
        return []


def _settled(back: Sequence[Back], *, by: Actor, clock: Callable[[], datetime]) -> bool:
    """Write down what came back. False when our own relay is away: the rest would only be so many more failures."""
    for each in back:
        if each.fault is not None:
            set_aside(each.held, by=by, now=clock())
        elif each.result is None:
            give_back(each.held, now=clock())
    outcomes = [Outcome(each.held, each.result) for each in back if each.result is not None]
    _settle(outcomes, by=by, clock=clock)
    return not any(isinstance(each.result, Failed) and each.result.ours for each in outcomes)


def _settle(outcomes: Sequence[Outcome], *, by: Actor, clock: Callable[[], datetime]) -> None:
    """Settled together; one by one when that fails."""
    if not outcomes:
        return
    try:
        settle_many(outcomes, by=by, now=clock())
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(outcomes) > 1:
            for each in outcomes:
                _settle([each], by=by, clock=clock)
            return
        logger.exception("dispatch %s cannot be settled", outcomes[0].held.dispatch_id)
        set_aside(outcomes[0].held, by=by, now=clock())
