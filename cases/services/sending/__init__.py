"""The outbox: claim under a lease, look again, hand over with nothing locked, settle once.

A crash at any point leaves a row that says how far it came. Between the server's 250 and our commit the same
message goes out again under the same Message-ID; it is never a new one, and never lost.
"""

from cases.services.sending.claiming import CLAIM, LEASE, Claim, claim
from cases.services.sending.delivering import deliver_due
from cases.services.sending.failing import BACK_OFF, PARK_AFTER, park, set_aside
from cases.services.sending.preparing import Ready, prepare
from cases.services.sending.settling import settle

__all__ = [
    "BACK_OFF",
    "CLAIM",
    "LEASE",
    "PARK_AFTER",
    "Claim",
    "Ready",
    "claim",
    "deliver_due",
    "park",
    "prepare",
    "set_aside",
    "settle",
]
