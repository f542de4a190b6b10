"""The client that providers copy does its work against a running server."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from cases.models import Notice, Reply
from providers.models import Provider
from tests.factories import NoticeFactory, ProviderFactory, api_key

CLIENT = Path(__file__).resolve().parents[2] / "docs" / "client.py"

pytestmark = pytest.mark.django_db(transaction=True)


def run(api: str, key: str) -> "subprocess.CompletedProcess[str]":
    """The client, as cron would start it."""
    return subprocess.run(
        [sys.executable, "-I", str(CLIENT)],
        env={"PATH": os.environ["PATH"], "TAKEDOWN_API": f"{api}/api/v1/", "TAKEDOWN_KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def alfa() -> Provider:
    """Who runs it."""
    return ProviderFactory(code="alfa")


class Moody(BaseHTTPRequestHandler):
    """Stands before the API and is not always in the mood for it."""

    protocol_version = "HTTP/1.0"
    moods: list[str]
    target: str
    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        """As POST."""
        self.do_POST()

    def do_POST(self) -> None:
        """What mood we are in, and in a good one what the API says."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.headers["Idempotency-Key"]))
        mood = self.moods.pop(0) if self.moods else ""
        if mood.isdigit():
            self.send_response(int(mood))
            self.send_header("Retry-After", "0")
            self.end_headers()
        else:
            self._pass_on(body)

    def _pass_on(self, body: bytes) -> None:
        names = ("Authorization", "Content-Type", "Idempotency-Key")
        request = urllib.request.Request(
            self.target + self.path,
            body or None,
            {name: self.headers[name] for name in names},
        )
        with urllib.request.urlopen(request) as answer:
            said = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *words: Any) -> None:
        """Nothing."""


@pytest.fixture
def moody(live_server: LiveServer) -> Iterator[ThreadingHTTPServer]:
    """A server before the API; `moods` is what the next calls meet."""
    Moody.moods, Moody.seen, Moody.target = [], [], live_server.url
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_has_sixty_lines_at_most() -> None:
    assert len(CLIENT.read_text(encoding="utf-8").splitlines()) <= 60


def test_it_takes_what_is_open_and_acknowledges_it_once(live_server: LiveServer, alfa: Provider) -> None:
    known, new = NoticeFactory(notified=True, provider=alfa), NoticeFactory(sent=True, provider=alfa)
    foreign = NoticeFactory(notified=True, provider=ProviderFactory(code="beta"))
    _key, secret = api_key(provider=alfa)

    first, second = run(live_server.url, secret), run(live_server.url, secret)

    assert (first.returncode, first.stderr) == (0, "")
    assert f"{known.reference} recorded" in first.stdout
    assert f"{new.reference} recorded" in first.stdout
    assert foreign.reference not in first.stdout
    assert (second.returncode, "recorded" in second.stdout) == (0, False)
    assert {reply.notice_id for reply in Reply.objects.all()} == {known.pk, new.pk}
    assert Notice.objects.get(pk=new.pk).notified_at is not None


def test_it_comes_back_when_it_is_told_to_and_counts_once(moody: ThreadingHTTPServer, alfa: Provider) -> None:
    notice = NoticeFactory(notified=True, provider=alfa)
    _key, secret = api_key(provider=alfa)
    Moody.moods = ["503", "", "", "", "429", "409"]

    done = run(f"http://127.0.0.1:{moody.server_port}", secret)

    assert (done.returncode, f"{notice.reference} recorded" in done.stdout) == (0, True), done.stderr
    posts = [token for method, token in Moody.seen if method == "POST"]
    assert (len(posts), len(set(posts))) == (3, 1)


def test_it_says_when_its_key_opens_nothing(live_server: LiveServer) -> None:
    done = run(live_server.url, "td_wrong")

    assert done.returncode == 1
    assert done.stderr.startswith("401 ")
