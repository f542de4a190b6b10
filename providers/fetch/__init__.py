"""All HTTP that leaves the application. Nothing else here may open a connection for it (pyproject.toml holds that).

    answer = fetcher().get("https://rdap.example/ip/192.0.2.1", within=timedelta(seconds=5))
    answer = fetcher().post(url, body, headers={"Content-Type": "application/json"})

Whoever names the server is a stranger: a provider its webhook, a registry the next registry. So a name is resolved
once, refused if any of its answers is not an ordinary public host, and connected to by the address that was checked;
https only, few ports, no proxy, no cookie, nothing decompressed, one deadline and one cap for all of it.
"""

from functools import cache

from django.conf import settings

from providers.fetch.answer import (
    Answer,
    FetchFailed,
    NoAnswer,
    NotUnderstood,
    Refused,
    TlsFailed,
    TooLarge,
    TooSlow,
)
from providers.fetch.fetcher import Fetcher

__all__ = [
    "Answer",
    "FetchFailed",
    "Fetcher",
    "NoAnswer",
    "NotUnderstood",
    "Refused",
    "TlsFailed",
    "TooLarge",
    "TooSlow",
    "fetcher",
]


@cache
def fetcher() -> Fetcher:
    """The fetcher of this process. Where there is a demo world, it may reach the peers there that FETCH_ALSO names."""
    return Fetcher(also=settings.HOST.fetch_also)
