"""Alfa Hosting, the demo provider that answers: `python -m local.demo.provider`.

It reads its mail in the demo's mail folder, asks our API for its open notices with its own key, and answers
each live one as a good provider would: acknowledged at once, the page off the site some seconds later,
then `removed`. Live is a notice whose host ends in `.live.example`; the others of the demo world keep the
states they were made with. The other provider, Bravo, never answers.

Environment: DEMO_API, DEMO_PROVIDER_KEY_FILE, DEMO_MAIL_FOLDER, DEMO_SITE_PORT, DEMO_REMOVE_AFTER_S.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

MAILBOX = "abuse@alfa.test"
LIVE = ".live.example"
LOOK_EVERY_S, ASK_ANYWAY_S, LONGEST_PAUSE_S = 0.5, 10.0, 30.0


class Unavailable(Exception):
    """The API or the site gives no usable answer now; `wait_s` is what it asked for, if it did."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Mailbox:
    """Says whether mail came in for us since the last look."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._read_to = 0

    def has_new(self) -> bool:
        """Read on in the index; a half-written line is left for the next time."""
        if not self._index.exists() or self._index.stat().st_size <= self._read_to:
            return False
        with self._index.open("rb") as index:
            index.seek(self._read_to)
            fresh = index.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read_to += len(whole)
        return any(MAILBOX in json.loads(line)["rcpt"] for line in whole.splitlines())


class Api:
    """Our REST API with a provider's key."""

    def __init__(self, base: str, key: str) -> None:
        self._base = urlsplit(base)
        self._key = key

    def open_notices(self) -> Iterator[dict[str, Any]]:
        """Every notice that is with us and still open, page after page."""
        path: str | None = "/api/v1/notices/?" + urlencode({"state": "notified"})
        while path:
            answer = self._ask("GET", path)
            yield from answer["results"]
            following = urlsplit(answer["next"] or "")
            path = f"{following.path}?{following.query}" if answer["next"] else None

    def notice(self, reference: str) -> dict[str, Any]:
        """One notice, with its URL."""
        return self._ask("GET", f"/api/v1/notices/{reference}/")

    def answer(self, reference: str, answer: str) -> None:
        """Say one thing about one notice."""
        body = {"answers": [{"reference": reference, "answer": answer}]}
        result = self._ask("POST", "/api/v1/notices/answers/", body)["results"][0]
        print(f"{reference} {answer}: {result['outcome']}", flush=True)

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        status, retry_after, raw = _exchange(
            self._base.hostname or "", self._base.port or 80, method, path, body, headers
        )
        if status != 200:
            wait_s = float(retry_after) if retry_after.isdecimal() else None
            raise Unavailable(f"the API answered {status}", wait_s)
        answer: dict[str, Any] = json.loads(raw)
        return answer


def take_down(site_port: int, url: str) -> None:
    """Take the page off the demo's web site."""
    parts = urlsplit(url)
    page = {"host": parts.hostname, "path": (parts.path or "/") + (f"?{parts.query}" if parts.query else "")}
    headers = {"Content-Type": "application/json"}
    status, _, _ = _exchange("127.0.0.1", site_port, "POST", "/_control/take-down", page, headers)
    if status != 204:
        raise Unavailable(f"the site answered {status}")


def _exchange(
    host: str, port: int, method: str, path: str, body: object, headers: dict[str, str]
) -> tuple[int, str, bytes]:
    """Status, Retry-After and body of the answer. Raises Unavailable when there is none."""
    connection = HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        response = connection.getresponse()
        return response.status, response.headers.get("Retry-After", ""), response.read()
    except (OSError, HTTPException) as problem:
        raise Unavailable(f"no answer ({type(problem).__name__})") from None
    finally:
        connection.close()


class Provider:
    """What Alfa knows between two looks: what it acknowledged, and when it takes the pages down."""

    def __init__(self, api: Api, site_port: int, remove_after_s: float) -> None:
        self._api = api
        self._site_port = site_port
        self._remove_after_s = remove_after_s
        self._at_work: dict[str, tuple[float, str]] = {}

    def read_notices(self, now_s: float) -> None:
        """Acknowledge what is new and live."""
        for notice in self._api.open_notices():
            reference = notice["reference"]
            if reference in self._at_work or notice["claimed_removed_at"]:
                continue
            url = notice["url"] or self._api.notice(reference)["url"]
            if url and (urlsplit(url).hostname or "").endswith(LIVE):
                if not notice["acknowledged_at"]:
                    self._api.answer(reference, "acknowledged")
                self._at_work[reference] = (now_s + self._remove_after_s, url)

    def remove_pages(self, now_s: float) -> None:
        """Take down what is due, and say so. A step that fails is done again at the next look."""
        for reference, (at_s, url) in list(self._at_work.items()):
            if at_s <= now_s:
                take_down(self._site_port, url)
                self._api.answer(reference, "removed")
                del self._at_work[reference]


def main() -> None:
    """Work until stopped. While the API is down: wait longer and longer, or as long as it asks."""
    key = Path(os.environ["DEMO_PROVIDER_KEY_FILE"]).read_text(encoding="utf-8").strip()
    provider = Provider(
        Api(os.environ["DEMO_API"], key),
        int(os.environ["DEMO_SITE_PORT"]),
        float(os.environ.get("DEMO_REMOVE_AFTER_S", "5")),
    )
    mailbox = Mailbox(Path(os.environ["DEMO_MAIL_FOLDER"]) / "index.jsonl")
    asked_at, pause_s, ask = 0.0, LOOK_EVERY_S, True
    while True:
        ask = mailbox.has_new() or ask or time.monotonic() - asked_at > ASK_ANYWAY_S
        try:
            if ask:
                provider.read_notices(time.monotonic())
                asked_at, ask = time.monotonic(), False
            provider.remove_pages(time.monotonic())
            pause_s = LOOK_EVERY_S
        except Unavailable as problem:
            pause_s = min(problem.wait_s or pause_s * 2, LONGEST_PAUSE_S)
            sys.stderr.write(f"{problem}; again in {pause_s:g} s\n")
        time.sleep(pause_s)


if __name__ == "__main__":
    main()
