"""From a host name to all its addresses, within a bounded time, whatever the name servers do."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.sources import resolver as resolvers
from providers.sources.resolver import Answer, NoResolver, StaticResolver, SystemResolver


def test_a_file_answers_for_the_demo_and_for_rehearsals(tmp_path: Path) -> None:
    path = tmp_path / "hosts.csv"
    path.write_text(
        "\ufeffhost;addresses\nForum.Example;192.0.2.1 2001:DB8::1\nlost.example;\n", encoding="utf-8"
    )
    answers = StaticResolver(path).resolve(["forum.example", "lost.example", "unknown.example"])

    assert answers["forum.example"] == Answer(("192.0.2.1", "2001:db8::1"))
    assert answers["lost.example"].addresses == ()
    assert answers["unknown.example"] == Answer((), "no_address")


@pytest.fixture
def name_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Name servers of which one never answers, until the event is set."""
    released = threading.Event()

    def ask(host: str, *_arguments: Any, **_more: Any) -> list[Any]:
        if host.startswith("silent"):
            released.wait(20)
        if host.startswith("later"):
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        if host.startswith("lost"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        if host.startswith("odd"):
            raise UnicodeError("label too long")
        both = ("192.0.2.7", 0), ("2001:db8::7%eth0", 0, 0, 0), ("192.0.2.7", 0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in both]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    monkeypatch.setattr(resolvers, "WAIT_S", 0.3)
    yield released
    released.set()


def test_every_outcome_has_its_word(name_servers: threading.Event) -> None:
    answers = SystemResolver().resolve(
        ["found.example", "later.example", "lost.example", "odd.example", "[2001:db8::9]"]
    )

    assert answers["found.example"] == Answer(("192.0.2.7", "2001:db8::7"))
    assert answers["later.example"] == Answer((), "no_answer")
    assert answers["lost.example"] == Answer((), "no_address")
    assert answers["odd.example"] == Answer((), "no_address")
    assert answers["[2001:db8::9]"] == Answer(("2001:db8::9",))


def test_names_that_never_answer_cost_one_wait_for_all_of_them_and_lose_no_other(
    name_servers: threading.Event,
) -> None:
    import time

    silent = [f"silent{i}.example" for i in range(10)]
    began = time.monotonic()
    answers = SystemResolver().resolve([*silent, "found.example"])

    assert time.monotonic() - began < 3
    assert {answers[host] for host in silent} == {Answer((), "no_answer")}
    assert answers["found.example"].addresses


def test_switched_off_no_name_server_is_asked(
    name_servers: threading.Event, host: Callable[..., None]
) -> None:
    host(resolver=False, resolver_file="")
    resolvers.resolver.cache_clear()
    try:
        chosen = resolvers.resolver()
    finally:
        resolvers.resolver.cache_clear()

    assert isinstance(chosen, NoResolver)
    assert chosen.resolve(["found.example"]) == {"found.example": Answer((), "off")}
