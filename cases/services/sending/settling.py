"""What became of an attempt, written down once."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from audit.record import Actor
from cases.models import Attempt, Dispatch, DispatchLine, Notice
from cases.services.clocks import start_clocks
from cases.services.moving import moving_many
from cases.services.sending.claiming import Claim, fenced
from cases.services.sending.failing import change, failed
from providers.channels.result import Accepted, Failed


def settle(held: Claim, result: Accepted | Failed, *, by: Actor, now: datetime) -> None:
    """Write down what became of an attempt, and start the clocks if their server accepted. Once: fenced."""
    ids = list(
        DispatchLine.objects.filter(dispatch_id=held.dispatch_id, dropped_because="").values_list(
            "notice_id", flat=True
        )
    )
    with transaction.atomic(), moving_many(ids, "notify", by=by, now=now) as notices:
        dispatch = fenced(held)
        if dispatch is None:
            return
        Attempt.objects.filter(dispatch=dispatch, number=held.attempt).update(
            ended_at=now, accepted=isinstance(result, Accepted), answer=result.answer
        )
        if isinstance(result, Failed):
            failed(dispatch, result, by=by, now=now)
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
            change(dispatch, Dispatch.State.ACCEPTED, "accept", by=by, now=now)
            start_clocks(first, at=at, estimated=True)
        else:
            change(dispatch, Dispatch.State.RELAYED, "relay", by=by, now=now)
        type(dispatch.contact).objects.filter(pk=dispatch.contact_id, known_since__isnull=True).update(
            known_since=at
        )
