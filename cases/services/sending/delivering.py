"""One pass over what is due."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from django.db import InterfaceError, OperationalError

from audit.record import Actor
from cases.formats.files import Unmade
from cases.services.sending.claiming import CLAIM, claim
from cases.services.sending.failing import give_up, set_aside
from cases.services.sending.preparing import prepare
from cases.services.sending.settling import settle
from providers.channels import CHANNELS
from providers.channels.result import Channel
from providers.sources.resolver import Resolver

logger = logging.getLogger(__name__)


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
                except Unmade as problem:
                    logger.error("dispatch %s cannot be made: %s", each.dispatch_id, problem)
                    give_up(each, problem, by=by, now=clock())
                except Exception:
                    logger.exception("dispatch %s cannot be handed over", each.dispatch_id)
                    set_aside(each, by=by, now=clock())
                total += 1
    return total
