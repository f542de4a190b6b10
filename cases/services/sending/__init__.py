"""The outbox: claim under a lease, look again, hand over with nothing locked, settle once.

A crash at any point leaves a row that says how far it came. Between the server's 250 and our commit the same
message goes out again under the same Message-ID; it is never a new one, and never lost.
"""

from cases.services.sending.claiming import CLAIM, LEASE, Claim, claim, give_back
from cases.services.sending.delivering import deliver_due
from cases.services.sending.failing import BACK_OFF, PARK_AFTER, park, set_aside
from cases.services.sending.fallback import fallback_of
from cases.services.sending.preparing import Ready, prepare, prepare_many
from cases.services.sending.settling import Outcome, settle, settle_many

__all__ = [
    "BACK_OFF",
    "CLAIM",
    "LEASE",
    "PARK_AFTER",
    "Claim",
    "Outcome",
    "Ready",
    "claim",
    "deliver_due",
    "fallback_of",
    "give_back",
    "park",
    "prepare",
    "prepare_many",
    "set_aside",
    "settle",
    "settle_many",
]
