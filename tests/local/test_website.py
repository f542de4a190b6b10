"""The demo's web sites, behind one forward proxy."""

import json
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from local import servers
from providers.rdap import read


class Proxy:
    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=5)

    def ask(
        self, method: str, target: str, body: object = None, kind: str = "application/json"
    ) -> tuple[int, bytes]:
        headers = {} if body is None else {"Content-Type": kind}
        self.connection.request(method, target, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        answer = response.status, response.read()
        self.connection.close()
        return answer


@pytest.fixture
def restart(start_module: Callable[..., None], tmp_path: Path) -> Callable[[], Proxy]:
    port = servers.free_port()

    def start() -> Proxy:
        start_module(
            "local.demo.website", port, DEMO_SITE_PORT=str(port), DEMO_SITE_FILE=str(tmp_path / "site.json")
        )
        return Proxy(port)

    return start


def test_every_page_is_there_until_it_is_taken_down(restart: Callable[[], Proxy]) -> None:
    proxy = restart()
    assert proxy.ask("GET", "http://one.live.example/page?id=1")[0] == 200
    assert proxy.ask("HEAD", "http://one.live.example/page?id=1") == (200, b"")
    assert proxy.ask("GET", "http://one.live.example/takedown-probe-0123")[0] == 404

    page = {"host": "ONE.live.example", "path": "/page?id=1"}
    assert proxy.ask("POST", "/_control/take-down", page)[0] == 204

    assert proxy.ask("GET", "http://one.live.example/page?id=1")[0] == 404
    assert proxy.ask("GET", "http://one.live.example/page?id=2")[0] == 200
    assert proxy.ask("GET", "http://two.live.example/page?id=1")[0] == 200

    assert proxy.ask("POST", "/_control/put-back", page)[0] == 204
    assert proxy.ask("GET", "http://one.live.example/page?id=1")[0] == 200


def test_pages_differ_from_each_other_and_stay_the_same(restart: Callable[[], Proxy]) -> None:
    proxy = restart()
    first = proxy.ask("GET", "http://one.example/a")
    assert first == proxy.ask("GET", "http://one.example/a")
    assert first != proxy.ask("GET", "http://one.example/b")


def test_what_was_taken_down_stays_down_after_a_restart(
    restart: Callable[[], Proxy], launcher: object, tmp_path: Path
) -> None:
    restart().ask("POST", "/_control/take-down", {"host": "one.example", "path": "/"})
    launcher.stop("local.demo.website")  # type: ignore[attr-defined]

    assert restart().ask("GET", "http://one.example/")[0] == 404
    assert (tmp_path / "site.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("CONNECT", "one.example:443", None, 405),
        ("GET", "https://one.example/", None, 405),
        ("POST", "http://one.example/", {}, 405),
        ("POST", "/_control/take-down", {"host": 5}, 400),
        ("POST", "/_control/take-down", [], 400),
        ("GET", "/_control/take-down", None, 404),
        ("GET", "/", None, 200),
    ],
)
def test_anything_else_is_refused(
    restart: Callable[[], Proxy], method: str, target: str, body: object, status: int
) -> None:
    assert restart().ask(method, target, body)[0] == status


def test_a_page_in_a_browser_cannot_take_pages_down(restart: Callable[[], Proxy]) -> None:
    page = {"host": "one.example", "path": "/"}
    assert restart().ask("POST", "/_control/take-down", page, kind="text/plain")[0] == 415


def test_the_registry_of_the_demo_is_one_that_we_can_read(restart: Callable[[], Proxy]) -> None:
    proxy = restart()
    status, body = proxy.ask("GET", "/rdap/ip/198.51.100.131")
    network = read(body, "198.51.100.131")

    assert (status, str(network.prefix), network.holder_handle) == (
        200,
        "198.51.100.128/26",
        "ORG-CHARLIE-DEMO",
    )
    assert network.abuse_mailbox == "abuse-desk@charlie.test"
    assert read(proxy.ask("GET", "/rdap/ip/2001:db8:99::1")[1], "2001:db8:99::1").holder_name == "Golf (demo)"
    assert proxy.ask("GET", "/rdap/ip/192.168.0.1")[0] == 404
    assert proxy.ask("GET", "/rdap/ip/nonsense")[0] == 400
