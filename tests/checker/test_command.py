"""The program as it is started: options, exit status, signals, its log, its proxy."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checker.exits import ByProxy, tls_context
from checker.look import ONLINE, UNKNOWN, Looker
from tests.checker.api import KEY, Api
from tests.hostile import CERTIFICATE, Site, drips, opens_a_tunnel, says

ROOT = Path(__file__).parents[2]
PAGE = "http://site.test/a-page"


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        yield api


@pytest.fixture
def proxy() -> Iterator[Site]:
    with Site() as proxy:
        yield proxy


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CHECKER_")}
    return subprocess.Popen(
        [sys.executable, "-m", "checker", *arguments],
        cwd=ROOT, env={**clean, **environment}, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status and everything it said."""
    with start(*arguments, **environment) as program:
        out, err = program.communicate(timeout=10)
    return program.returncode, out + err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--api", "http://127.0.0.1:9"],
        ["--key", "k"],
        ["--api", "not a url", "--key", "k"],
        ["--api", "ftp://127.0.0.1", "--key", "k"],
        ["--api", "http://127.0.0.1:9", "--key", "secret key"],
        ["--api", "http://127.0.0.1:9", "--key", "k", "--limit", "501"],
        ["--api", "http://127.0.0.1:9", "--key", "k", "--every", "0"],
        ["--api", "http://127.0.0.1:9", "--key", "k", "--proxy", "socks5://127.0.0.1:9"],
        ["--api", "http://127.0.0.1:9", "--key", "k", "--proxy", "http://u:p@127.0.0.1:9"],
        ["--api", "http://127.0.0.1:9", "--key", "k", "--vantage", "x" * 61],
        ["--api", "http://127.0.0.1:9", "--key", "k", "--no-such-option"],
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(arguments: list[str]) -> None:
    status, said = run(*arguments)

    assert status == 2
    assert said.startswith("checker: ")
    assert said.count("\n") == 1
    assert "secret" not in said


def test_a_refused_key_is_one_sentence_and_status_1(api: Api) -> None:
    status, said = run("--api", api.url.geturl(), "--key", "another")

    assert (status, said) == (1, "checker: The API refuses the key.\n")


def test_no_option_opens_the_guard(api: Api) -> None:
    with Site({"/page": says(200, b"ours")}) as ours:
        api.expects("N-1", ours.url("/page", host="127.0.0.1"))
        api.expects("N-2", ours.url("/page", host="localhost"))

        status, _ = run("--api", api.url.geturl(), "--key", KEY, "--once")

        assert status == 0
        assert api.outcomes() == {"N-1": "unknown", "N-2": "unknown"}
        assert ours.connections == 0


def test_every_option_comes_from_the_environment_too_and_the_log_says_references_only(
    api: Api, proxy: Site, tmp_path: Path
) -> None:
    proxy.behaviours[PAGE] = says(200, b"there")
    proxy.behaviours["http://moved.test/page"] = says(302, Location="http://elsewhere.test/x")
    for notice, url in (("N-1", PAGE), ("N-2", "http://gone.test/"), ("N-3", "http://moved.test/page")):
        api.expects(notice, url)
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")

    status, said = run(
        CHECKER_API=api.url.geturl(), CHECKER_KEY_FILE=str(key_file), CHECKER_ONCE="1",
        CHECKER_PROXY=f"http://127.0.0.1:{proxy.port}", CHECKER_VANTAGE="by proxy",
    )  # fmt: skip

    assert status == 0
    assert api.outcomes() == {"N-1": "online", "N-2": "gone", "N-3": "unknown"}
    assert {sighting["vantage"] for batch in api.batches.values() for sighting in batch} == {"by proxy"}
    assert "N-1: online" in said
    assert not any(part in said for part in (".test", "page", KEY))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds_in_the_middle_of_a_look(
    api: Api, proxy: Site, number: signal.Signals
) -> None:
    proxy.behaviours[PAGE] = drips(b"", b"H")
    api.expects("N-1", PAGE)
    arguments = ("--api", api.url.geturl(), "--key", KEY, "--proxy", f"http://127.0.0.1:{proxy.port}")
    with start(*arguments) as program:
        end = time.monotonic() + 5
        while not proxy.heads and time.monotonic() < end:
            time.sleep(0.02)

        asked_to_stop = time.monotonic()
        program.send_signal(number)
        _, said = program.communicate(timeout=5)

    assert time.monotonic() - asked_to_stop < 2
    assert program.returncode == 0
    assert "Traceback" not in said


def test_by_a_proxy_no_name_is_resolved_and_nothing_else_is_connected_to(
    proxy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    resolve = socket.getaddrinfo

    def recorded(host: object, *rest: object, **options: object) -> object:
        asked.append(host)
        return resolve(host, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", recorded)
    proxy.behaviours = {
        PAGE: says(200, b"there"),
        "site.test:443": opens_a_tunnel,
        "/secured": says(200, b"there as well"),
    }
    tls = ssl.create_default_context(cafile=str(CERTIFICATE))
    looker = Looker(ByProxy("127.0.0.1", proxy.port, tls), total_s=2)

    assert looker.look(PAGE).outcome == ONLINE
    assert looker.look("https://site.test/secured").outcome == ONLINE
    assert set(asked) == {"127.0.0.1"}
    assert "\r\nHost: site.test\r\n" in proxy.heads[0]


def test_a_proxy_that_cannot_or_may_not_is_unknown_and_never_gone(proxy: Site) -> None:
    looker = Looker(ByProxy("127.0.0.1", proxy.port, tls_context()), total_s=1)
    proxy.behaviours = {
        PAGE: says(404, b"", Proxy_Status="proxy; error=dns_error"),
        "site.test:443": says(404),
        "http://other.test/": says(407),
    }

    for url in (PAGE, "https://site.test/", "http://other.test/"):
        assert looker.look(url).outcome == UNKNOWN


def test_a_proxy_that_is_not_there_is_unknown_and_nothing_goes_around_it() -> None:
    with Site() as proxy:
        port = proxy.port
    with Site({"/page": says(200, b"there")}) as ours:
        looker = Looker(ByProxy("127.0.0.1", port, tls_context()), total_s=1)

        assert looker.look(ours.url("/page", host="127.0.0.1")).outcome == UNKNOWN
        assert ours.connections == 0
