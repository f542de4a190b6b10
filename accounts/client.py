"""Whose machine a request comes from."""

import ipaddress
import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: What some proxies write: 192.0.2.1:50312 or [2001:db8::1]:50312.
_WITH_PORT: Final = re.compile(r"\[([^\]]*)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+")


def address_of(request: HttpRequest) -> Address | None:
    """The address of the client, which nobody chooses by writing a header; None when it is not known.

    Each of our TRUSTED_PROXIES adds the address that it was asked from at the end of X-Forwarded-For; what
    stands before those was written by the client and counts for nothing. A request with fewer came around
    the proxies: then it is the address that asked us.
    """
    hops = settings.HOST.trusted_proxies
    said = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hops else []
    if len(said) >= hops > 0 and (address := _read(said[-hops])) is not None:
        return address
    return _read(str(request.META.get("REMOTE_ADDR", "")))


def _read(text: str) -> Address | None:
    match = _WITH_PORT.fullmatch(text.strip())
    try:
        address = ipaddress.ip_address((match[1] or match[2]) if match else text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
