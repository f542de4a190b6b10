"""How often a door may be used: counted in the database, where a lost Redis neither opens nor closes it.

Each use is a drop in three buckets: that of the client's address, of its network and of everybody; a log-in also
in one of its account. A bucket leaks evenly; one that is full refuses. So what is kept of a client is one instant
under a keyed hash, and once that has passed it says nothing any more and is deleted.
"""

import ipaddress
import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.client import Address
from accounts.models import Bucket
from audit.refused import Refused
from vault.keys import ring

#: Bits of an address that are one customer's, and those that are one network's: (IPv4, IPv6).
_CIRCLES: Final = {"address": (32, 64), "network": (24, 48)}
_EVERYBODY: Final = "everybody"

_POUR: Final = """
    INSERT INTO accounts_bucket AS b (door, key, empty_at) VALUES (%(door)s, %(key)s, %(now)s + %(drop)s)
    ON CONFLICT (door, key) DO UPDATE SET empty_at = greatest(b.empty_at, %(now)s) + %(drop)s
        WHERE greatest(b.empty_at, %(now)s) + %(drop)s <= %(now)s + %(per)s
    RETURNING empty_at
"""


class TooOften(Refused):
    """The door was used too often; the same may be asked again after `wait`."""

    code = "too_often"

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(_("There were too many requests. Please try again later."))

    @property
    def retry_after_s(self) -> int:
        """What the header Retry-After says."""
        return max(1, math.ceil(self.wait.total_seconds()))


def let_in(
    door: str, address: Address | None = None, *, now: datetime, also: Mapping[str, str] | None = None
) -> None:
    """Count one use of `door`, a key of settings.RATES. Raises TooOften, and then counts nothing.

    `also`: circle -> who, for what is counted beside an address, such as {"account": "noor@hotline.example"}.
    The buckets of everybody come last: whoever floods fills his own, and shuts nobody else out.
    """
    rates = settings.RATES[door]
    told = ((circle, f"{circle} {who}") for circle, who in (also or {}).items())
    with transaction.atomic():
        for circle, key in (*told, *_keys(address)):
            if circle not in rates:
                continue
            times, per = rates[circle]
            _pour(door, ring().blind(key, purpose="throttle"), now=now, drop=per // times, per=per)


def network_of(address: Address | None) -> str:
    """The network that an address counts for, such as 192.0.2.0/24; "" when it is not known."""
    if address is None:
        return ""
    bits = _CIRCLES["network"][address.version == 6]
    return str(ipaddress.ip_network((address, bits), strict=False))


def forget_empty(*, now: datetime) -> int:
    """Delete the buckets that have run empty; returns how many."""
    return Bucket.objects.filter(empty_at__lte=now).delete()[0]


def _keys(address: Address | None) -> Iterator[tuple[str, str]]:
    """(circle, what is hashed), from the narrowest; an address that is not known is only one of everybody."""
    if address is not None:
        for circle, bits in _CIRCLES.items():
            network = ipaddress.ip_network((address, bits[address.version == 6]), strict=False)
            yield circle, f"{circle} {network}"
    yield _EVERYBODY, _EVERYBODY


def _pour(door: str, key: bytes, *, now: datetime, drop: timedelta, per: timedelta) -> None:
    values: dict[str, Any] = {"door": door, "key": key, "now": now, "drop": drop, "per": per}
    with connection.cursor() as cursor:
        cursor.execute(_POUR, values)
        if cursor.fetchone():
            return
    full = Bucket.objects.get(door=door, key=key).empty_at
    raise TooOften(full + drop - (now + per))
