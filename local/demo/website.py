"""Every web site of the demo world, reached as an HTTP forward proxy: `python -m local.demo.website`.

`GET http://host/path` (the whole URL in the first line) answers with a harmless placeholder for every host
and every path. Two kinds of page are not there (404): those whose last part starts with `takedown-probe-`, so
that a page that cannot exist is seen not to, and those that were taken down. There is no TLS: CONNECT is 405.

On the proxy's own address, `GET /rdap/ip/ADDRESS` is the registry of the demo's networks, and
`POST /_control/take-down` and `/_control/put-back` with `{"host", "path"}` change what is there. What was taken
down is kept in `var/site.json`. Environment: DEMO_SITE_PORT, DEMO_SITE_FILE.
"""

import asyncio
import hashlib
import json
import os
import signal
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from local.demo import plain_http, registry
from local.demo.plain_http import Request, Response

NEVER_THERE = "takedown-probe-"
NOT_FOUND = Response(
    HTTPStatus.NOT_FOUND, "<!doctype html><title>Not found</title><p>There is no such page.\n"
)


class Site:
    """What is there and what is not. Hosts are compared in lower case, paths with their query as they are."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._gone: set[tuple[str, str]] = set()
        if file.exists():
            self._gone = {(host, path) for host, path in json.loads(file.read_text(encoding="utf-8"))}

    def shows(self, host: str, path: str) -> bool:
        """Whether there is a page."""
        last = path.partition("?")[0].rsplit("/", 1)[-1]
        return not last.startswith(NEVER_THERE) and (host.lower(), path) not in self._gone

    def change(self, host: str, path: str, *, there: bool) -> None:
        """Take a page down or put it back; a restart continues with it."""
        page = host.lower(), path or "/"
        if (page not in self._gone) == there:
            return
        self._gone = self._gone - {page} if there else self._gone | {page}
        half = self._file.with_suffix(".half")
        half.touch(mode=0o600)
        half.write_text(json.dumps(sorted(self._gone)), encoding="utf-8")
        half.replace(self._file)

    async def answer(self, request: Request) -> Response:
        """The proxy's whole behaviour."""
        if request.target.startswith("/"):
            return self._own(request)
        parts = urlsplit(request.target) if request.target.startswith("http://") else None
        if parts is None or not parts.hostname or request.method not in {"GET", "HEAD"}:
            return _say(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD of http:// addresses.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not self.shows(parts.hostname, path):
            return NOT_FOUND
        # Each page differs from the others and stays the same, as the checker's digests expect.
        mark = hashlib.sha256(f"{parts.hostname}{path}".encode()).hexdigest()[:16]
        return Response(
            HTTPStatus.OK,
            "<!doctype html><title>Placeholder</title>"
            f"<p>A placeholder of the demo world: there is nothing to see here. Page {mark}.\n",
        )

    def _own(self, request: Request) -> Response:
        if request.method in {"GET", "HEAD"} and request.target == "/":
            return _say(HTTPStatus.OK, f"The demo web sites' proxy. Pages taken down: {len(self._gone)}.")
        if request.method == "GET" and request.target.startswith("/rdap/ip/"):
            return registry.answer(request.target.removeprefix("/rdap/ip/"))
        verbs = {"/_control/take-down": False, "/_control/put-back": True}
        if request.method != "POST" or request.target not in verbs:
            return _say(HTTPStatus.NOT_FOUND, "No such page.")
        if request.headers.get("content-type") != "application/json":
            # A web page open in a browser on this machine cannot send this type to us without asking first.
            return _say(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")
        try:
            page = json.loads(request.body)
            host, path = page["host"], page["path"]
        except (ValueError, KeyError, TypeError):
            host = path = None
        if not isinstance(host, str) or not isinstance(path, str):
            return _say(HTTPStatus.BAD_REQUEST, 'Send {"host": ..., "path": ...}.')
        self.change(host, path, there=verbs[request.target])
        return Response(HTTPStatus.NO_CONTENT, "")


def _say(status: HTTPStatus, text: str) -> Response:
    return Response(status, text + "\n", "text/plain; charset=utf-8")


async def main() -> None:
    """Serve until told to stop."""
    site = Site(Path(os.environ["DEMO_SITE_FILE"]))
    server = await plain_http.serve(site.answer, int(os.environ["DEMO_SITE_PORT"]))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
