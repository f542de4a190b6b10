"""Our API as the checker sees it: leases, receipts, and the days on which it does not answer."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

KEY = "key-for-tests"


class Api:
    """Hands out `due` once each; keeps the sightings of each Idempotency-Key once."""

    def __init__(self) -> None:
        self.due: list[dict[str, Any]] = []
        self.batches: dict[str, list[dict[str, Any]]] = {}
        self.tries: list[str] = []  # the Idempotency-Key of each report that came in
        self.is_down = False
        self.loses_answers = 0  # so many reports are recorded and not answered
        self.refuses: set[str] = set()  # a report with one of these notices is answered 422
        self.takes_reports = True  # otherwise they are answered 503, and checks are handed out all the same
        self.asked_for: list[dict[str, str]] = []  # the query of each lease
        self.clock_off = timedelta()
        self.down_tries = 0
        self.reported = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string((datetime.now(UTC) + api.clock_off).timestamp())

            def do_GET(self) -> None:
                if self._is_let_in():
                    asked = dict(parse_qsl(urlsplit(self.path).query))
                    api.asked_for.append(asked)
                    limit = int(asked["limit"])
                    checks, api.due = api.due[:limit], api.due[limit:]
                    self._say(200, {"checks": checks})

            def do_POST(self) -> None:
                sightings = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["sightings"]
                if not self._is_let_in():
                    return
                key = self.headers["Idempotency-Key"]
                api.tries.append(key)
                if not api.takes_reports:
                    self._say(503, {})
                    return
                if any(sighting["notice"] in api.refuses for sighting in sightings):
                    self._say(422, {})
                    return
                api.batches.setdefault(key, sightings)
                if api.loses_answers:
                    api.loses_answers -= 1
                    self.close_connection = True
                    return
                results = [{"notice": sighting["notice"], "outcome": "recorded"} for sighting in sightings]
                self._say(200, {"results": results})
                api.reported.set()

            def _is_let_in(self) -> bool:
                if api.is_down:
                    api.down_tries += 1
                    self.close_connection = True
                    return False
                if self.headers["Authorization"] != f"Bearer {KEY}":
                    self._say(401, {})
                    return False
                return True

            def _say(self, status: int, answer: object) -> None:
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> SplitResult:
        return urlsplit(f"http://127.0.0.1:{self._server.server_port}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def expects(self, notice: str, url: str, *, lease: timedelta = timedelta(minutes=10)) -> None:
        """Put a check in the queue."""
        lease_until = (datetime.now(UTC) + lease).isoformat()
        self.due.append({"notice": notice, "url": url, "expect_digest": None, "lease_until": lease_until})

    def outcomes(self) -> dict[str, str]:
        """What was reported, by notice."""
        return {
            sighting["notice"]: sighting["outcome"]
            for sightings in list(self.batches.values())
            for sighting in sightings
        }
