"""One question to one server, through the guarded fetcher. No row is locked meanwhile."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from providers.fetch import Fetcher, FetchFailed
from providers.models import RegistryQuestion
from providers.rdap.reading import Network, Unreadable, read

_WITHIN: Final = timedelta(seconds=4)
_CAP_BYTES: Final = 256 * 1024
_REDIRECTS: Final = 3  # a registry sends on to the one that the block was handed to
_HEADERS: Final = {"Accept": "application/rdap+json, application/json;q=0.5"}
_PATIENCE: Final = timedelta(minutes=5)
_LONGEST_PATIENCE: Final = timedelta(hours=6)

_Trouble = RegistryQuestion.Trouble


class Unanswered(Exception):
    """There is nothing to keep. `trouble` says why, in the words of RegistryQuestion."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Limited(Unanswered):
    """The server wants to be left alone for `wait`."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(_Trouble.LIMITED)
        self.wait = wait


@dataclass(frozen=True)
class Said:
    """An answer, and by which its bytes can be known again."""

    network: Network
    server: str
    digest: bytes


def ask(address: str, base: str, *, fetcher: Fetcher) -> Said:
    """What the server at `base` says of an address. Raises Unanswered."""
    try:
        answer = fetcher.get(
            f"{base}ip/{address}",
            headers=_HEADERS,
            within=_WITHIN,
            cap_bytes=_CAP_BYTES,
            redirects=_REDIRECTS,
        )
    except FetchFailed as failure:
        raise Unanswered(failure.code) from None
    if answer.status in {429, 503}:
        raise Limited(_wait(answer.header("Retry-After")))
    if answer.status == 404:
        raise Unanswered(_Trouble.NOT_FOUND)
    if answer.status != 200:
        raise Unanswered(_Trouble.NOT_UNDERSTOOD)
    try:
        network = read(answer.body, address)
    except Unreadable as fault:
        raise Unanswered(_Trouble.ELSEWHERE if fault.is_elsewhere else _Trouble.NOT_UNDERSTOOD) from None
    server = (urlsplit(base).hostname or "")[:253]
    return Said(network, server, hashlib.sha256(answer.body).digest())


def _wait(said: str) -> timedelta:
    """Of a Retry-After in seconds, within reason; a date is as good as nothing said."""
    if not said.isascii() or not said.isdigit() or len(said) > 6:
        return _PATIENCE
    return min(max(timedelta(seconds=int(said)), timedelta(minutes=1)), _LONGEST_PATIENCE)
