"""Proposals of a provider, with the mail that proves a new address."""

from datetime import datetime
from typing import Any

from django.db import transaction

from audit.record import Actor
from cases.services.system_mail import send_code
from providers import services
from providers.models import Proposal


def propose(*, provider_id: int, kind: str, by: Actor, now: datetime, **what: Any) -> Proposal:
    """Keep a proposal, and send the code that its address asks for. Raises Unfit."""
    with transaction.atomic():
        proposal = services.propose(provider_id=provider_id, kind=kind, by=by, now=now, **what)
        if proposal.state == Proposal.State.UNPROVEN:
            ask_code(provider_id=provider_id, proposal_id=proposal.pk, by=by, now=now)
    return proposal


def ask_code(*, provider_id: int, proposal_id: int, by: Actor, now: datetime) -> Proposal:
    """Have a new code sent to the proposed address. Raises NoProposal, Unfit."""
    with transaction.atomic():
        proposal = services.new_code(provider_id=provider_id, proposal_id=proposal_id, by=by, now=now)
        send_code(proposal=proposal, now=now)
    return proposal
