"""An authenticator app, as people have one on their telephone (RFC 6238)."""

import base64
import hmac
from datetime import datetime


def code_of(secret: str, now: datetime) -> str:
    """The six digits that the app shows at this moment."""
    counter = int(now.timestamp()) // 30
    digest = hmac.digest(base64.b32decode(secret), counter.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06}"
