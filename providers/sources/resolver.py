"""From a host name to all its addresses, IPv4 and IPv6."""

import csv
import socket
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from django.conf import settings

from providers.models import Attribution

WAIT_S = 10  # seconds for a whole batch of look-ups; what has not answered by then is unknown


@dataclass(frozen=True)
class Answer:
    """What a resolver said. `addresses` in its order; `trouble` (Attribution.Trouble) when there are none."""

    addresses: tuple[str, ...]
    trouble: str = ""


class Resolver(Protocol):
    """Answers many host names at once; a host it knows nothing of gets an Answer with trouble."""

    def resolve(self, hosts: Iterable[str]) -> Mapping[str, Answer]: ...


class StaticResolver:
    """Answers from a file `host;addresses`, addresses separated by spaces: for the demo world and for tests."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            self._answers = {
                row["host"].lower(): Answer(tuple(str(ip_address(text)) for text in row["addresses"].split()))
                for row in csv.DictReader(lines, delimiter=";")
            }

    def resolve(self, hosts: Iterable[str]) -> Mapping[str, Answer]:
        return {host: self._answers.get(host, Answer((), Attribution.Trouble.NO_ADDRESS)) for host in hosts}


class NoResolver:
    """Asks nobody: RESOLVER=off. Rules for hosts and addresses that stand in a URL still lead somewhere."""

    def resolve(self, hosts: Iterable[str]) -> Mapping[str, Answer]:
        return {host: Answer((), Attribution.Trouble.OFF) for host in hosts}


class SystemResolver:
    """Asks this machine's resolver, a few names at a time, for a bounded time."""

    def resolve(self, hosts: Iterable[str]) -> Mapping[str, Answer]:
        pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolver")
        try:
            asked = {host: pool.submit(_ask, host) for host in hosts}
            answers = {}
            until = time.monotonic() + WAIT_S
            for host, waiting in asked.items():
                try:
                    answers[host] = waiting.result(timeout=max(0.0, until - time.monotonic()))
                except TimeoutError:
                    answers[host] = Answer((), Attribution.Trouble.NO_ANSWER)
            return answers
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _ask(host: str) -> Answer:
    if host.startswith("["):  # an IPv6 address as it stands in a URL
        return Answer((str(ip_address(host.strip("[]"))),))
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        passing = error.errno == socket.EAI_AGAIN
        return Answer((), Attribution.Trouble.NO_ANSWER if passing else Attribution.Trouble.NO_ADDRESS)
    except UnicodeError:
        return Answer((), Attribution.Trouble.NO_ADDRESS)
    addresses = dict.fromkeys(str(ip_address(str(entry[4][0]).split("%")[0])) for entry in found)
    return Answer(tuple(addresses))


@cache
def resolver() -> Resolver:
    """The resolver that the settings name: RESOLVER_FILE, none (RESOLVER=off), or this machine's."""
    path = settings.HOST.resolver_file
    if path:
        return StaticResolver(Path(path))
    return SystemResolver() if settings.HOST.resolver else NoResolver()
