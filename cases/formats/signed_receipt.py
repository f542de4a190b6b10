"""What a signed receipt says: the claims of a JSON Web Token (RFC 7519), in one spelling only.

It never says the address, not even masked: a receipt is made to be shown to others, and one that says "still
reachable" would lead them there (docs/adr/0034). `address_digest` binds it to the address for whoever knows that
and the address key, which the provider gets beside the receipt.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from cases.models import Notice, Reply, Sighting, Verdict
from providers.models import Provider
from vault import keys

#: The `typ` of its header (RFC 8725, 3.11): no other token of ours can be taken for it.
KIND: Final = "takedown-receipt+jwt"
VERSION: Final = 1
#: Looks in one receipt, the last ones.
LOOKS: Final = 20

#: What a verdict is called outside: a person's word is "cannot tell" as well, and `decided_by` says whose it is.
WORDS: Final = {
    Notice.ClaimAnswer.CONFIRMED: "confirmed",
    Notice.ClaimAnswer.STILL_REACHABLE: "still_reachable",
    Notice.ClaimAnswer.CANNOT_TELL: "cannot_tell",
    Notice.ClaimAnswer.ACCEPTED: "cannot_tell",
    Notice.ClaimAnswer.PROVEN: "removal_proven",
}


def address_key(reference: str) -> bytes:
    """The key of the address digest of one receipt. Without it nobody can try addresses against the digest."""
    return keys.ring().blind(reference, purpose="receipt-address")


def address_digest(reference: str, url: str) -> str:
    """HMAC-SHA256 (RFC 2104) of the canonical address, in hexadecimal."""
    return hmac.digest(address_key(reference), url.encode(), hashlib.sha256).hex()


def payload(
    verdict: Verdict,
    *,
    notice: Notice,
    provider: Provider,
    claim: Reply,
    looks: Sequence[Sighting],
    url: str,
) -> bytes:
    """What is signed. `looks`: those since the claim, in order; `url`: the canonical address, "" if it cannot be read."""
    said = {
        "iss": settings.BASE_URL,
        "iat": int(verdict.at.timestamp()),
        "jti": verdict.reference,
        "sub": notice.reference,
        "version": VERSION,
        "provider": {"code": provider.code, "name": provider.name},
        "claim": {
            "answer": claim.answer,
            "received_at": _utc(claim.at),
            "says_it_happened_at": _utc(claim.claimed_at),
        },
        "verdict": WORDS[Notice.ClaimAnswer(verdict.answer)],
        "decided_by": "person" if verdict.is_by_person else "check",
        "decided_at": _utc(verdict.at),
        "looks": [_look(look) for look in looks[-LOOKS:]],
        "notice": {
            "state": str(verdict.state),
            "sent_at": _utc(notice.sent_at),
            "notified_at": _utc(notice.notified_at),
            "due_at": _utc(notice.due_at),
            "gone_since": _utc(verdict.gone_since),
        },
        "address_digest": address_digest(verdict.reference, url) if url else None,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _look(look: Sighting) -> dict[str, Any]:
    return {
        "seen_at": _utc(look.seen_at),
        "outcome": str(look.outcome),
        "http_status": look.http_status,
        "vantage": look.vantage,
    }


def _utc(at: datetime | None) -> str | None:
    return (
        None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )
