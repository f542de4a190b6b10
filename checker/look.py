"""One look: is the material still reachable?

GET and not HEAD: servers answer HEAD by another path of their code, often with 405, 200 or 404 whatever
stands there, and a wrong `gone` closes a case. Of the body at most 64 KB is read, into memory, for a digest
and to know walls and polite not-found pages; where the status says all, nothing of it is read.
"""

import hashlib
import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.parse import unquote_to_bytes

from checker import wire
from checker.exits import Exit
from checker.guard import NotAllowed
from checker.target import NotUsable, Target
from checker.wire import Answer, Deadline

TOTAL_S = 20.0  # of one look, with its redirects and its probe
FOLLOWED_REDIRECTS = 3
PROBE_REMEMBERED_S = 300.0
USER_AGENT = "Mozilla/5.0 (compatible; Takedown-checker/1)"

ONLINE, GONE, CHANGED, BLOCKED, UNKNOWN = "online", "gone", "changed", "blocked", "unknown"

_GONE = frozenset({404, 410, 451})
_BLOCKED = frozenset({401, 403, 429})
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_SHOWN = frozenset({200, 203, 206})

_WALL_HEADERS = (("cf-mitigated", "challenge"), ("x-amzn-waf-action", ""))  # name, a part of the value
_WALL_MARKS = (b"_cf_chl_opt", b"px-captcha", b"_incapsula_resource", b"captcha-delivery.com")
_WALL_TITLES = (b"captcha", b"just a moment", b"attention required", b"access denied", b"are you human")
_TITLE_BYTES = 300
_WALL_TEXT_CHARACTERS = 600  # a wall says little; a page about captchas says more
_LOGIN_PATH = re.compile(r"/(log[-_]?in|sign[-_]?in|wp-login\.php|auth)([/.]|\Z)", re.I)
_PASSWORD = re.compile(rb"""type\s*=\s*["']?password""", re.I)
_HIDING = frozenset({b"script", b"style", b"noscript", b"title", b"template"})
_SHELL_TEXT_CHARACTERS = 20


@dataclass(frozen=True)
class Finding:
    """What one look says. `note` is one of our own phrases: it never holds a part of the URL or the page."""

    outcome: str
    seen_at: datetime  # when the page had answered, or when it was clear that it does not
    http_status: int | None = None
    digest: str | None = None  # SHA-256 of the whole body, as sent; None for HTML, and for more than the cap
    note: str = ""
    requests: int = 0

    @property
    def is_plea_to_slow_down(self) -> bool:
        """Whether the host has had too much of us."""
        return self.http_status == 429


class _Unseen(Exception):
    """There was no answer to judge; the text says why in our own words."""


@dataclass(frozen=True)
class _Probe:
    """What a site says to a path that cannot exist; digests only, no page."""

    fresh_until: float
    status: int
    is_whole: bool
    prints: frozenset[tuple[int, bytes]]

    def is_like(self, answer: Answer, path: str) -> bool:
        """Whether the answer to `path` is the same page (a soft 404, or one page for everything)."""
        if (self.status, self.is_whole) != (answer.status, answer.is_whole):
            return False
        return not self.prints.isdisjoint(_prints(answer.body, path))


class _Visit:
    """The requests of one look: one deadline for all, and counted."""

    def __init__(self, way_out: Exit, user_agent: str, total_s: float) -> None:
        self._exit = way_out
        self._user_agent = user_agent
        self._deadline = Deadline(total_s)
        self.requests = 0

    def fetch(self, target: Target) -> Answer:
        """One answer. Raises _Unseen."""
        self.requests += 1
        lines = [
            f"GET {self._exit.request_target(target)} HTTP/1.1",
            f"Host: {target.authority}",
            f"User-Agent: {self._user_agent}",
            "Accept: */*",
            "Accept-Encoding: identity",  # nothing is ever decompressed: no bombs
            "Connection: close",
        ]
        try:
            with self._exit.open(target, self._deadline) as connection:
                wire.send(connection, lines, self._deadline)
                answer = wire.receive(connection, self._deadline, _wants_body)
        except (OSError, HTTPException) as error:
            raise _Unseen(_reason(error)) from None
        if "error=" in answer.headers.get("Proxy-Status", ""):  # RFC 9209: the proxy speaks, not the site
            raise _Unseen("the proxy could not reach the site")
        return answer

    def follow(self, target: Target) -> tuple[Target, Answer, str]:
        """Where a target leads on its own site, the answer there, and why its redirect was not followed."""
        for followed in range(FOLLOWED_REDIRECTS + 1):
            answer = self.fetch(target)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECT or location is None:
                return target, answer, ""
            try:
                onward = target.redirected(location)
            except NotUsable:
                return target, answer, "redirects to something that is no web page"
            if not onward.is_on_site_of(target):
                return target, answer, "redirects to another site, not followed"
            if followed < FOLLOWED_REDIRECTS:
                target = onward
        return target, answer, "redirects too often"


class Looker:
    """Looks at one URL at a time from any number of threads; remembers what sites say to unknown paths."""

    def __init__(
        self,
        way_out: Exit,
        *,
        user_agent: str = USER_AGENT,
        total_s: float = TOTAL_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._exit = way_out
        self._user_agent = user_agent
        self._total_s = total_s
        self._now = now
        self._lock = threading.Lock()
        self._probes: dict[tuple[str, str, int], _Probe] = {}

    def look(self, url: str, expect_digest: str | None = None) -> Finding:
        """The state of what `url` shows. `expect_digest` is SHA-256 in hexadecimal.

        Never raises for what a site does: what cannot be told is `unknown`.
        """
        try:
            target = Target.parse(url)
        except NotUsable:
            return Finding(UNKNOWN, self._now(), note="not a URL that can be looked at")
        visit = _Visit(self._exit, self._user_agent, self._total_s)
        try:
            landing, answer, halt = visit.follow(target)
        except _Unseen as fault:
            return Finding(UNKNOWN, self._now(), note=str(fault), requests=visit.requests)
        seen_at, digest = self._now(), _digest(answer)
        if halt:
            outcome, note = _judge_head(answer) or (UNKNOWN, halt)
        else:
            outcome, note = (
                _judge_head(answer)
                or _judge_page(answer, digest, expect_digest)
                or self._judge_place(visit, target, landing, answer)
                or ((CHANGED, "") if expect_digest and digest else (ONLINE, ""))
            )
        # What we report is expected of the next looks. A page in HTML is put together anew for every visitor,
        # with a token, a date, an advertisement: expecting it again would find it changed, that is removed.
        reported = None if _is_html(answer) else digest
        return Finding(outcome, seen_at, answer.status, reported, note, visit.requests)

    def _judge_place(
        self, visit: _Visit, target: Target, landing: Target, answer: Answer
    ) -> tuple[str, str] | None:
        """What it means to see this page at this place, None if nothing."""
        if _is_login(landing) and not _is_login(target):
            return BLOCKED, "a login page"
        if target.path == "/":  # every site answers there: that says nothing about unknown paths
            return None
        try:
            probe = self._probe(visit, landing)
        except _Unseen:
            # Without it a soft 404 would pass for online, and open a closed notice again.
            return UNKNOWN, "nothing to compare the page with"
        if probe.is_like(answer, landing.path):
            return _judge_page_for_unknown_paths(answer)
        return (UNKNOWN, "redirects to the start page") if landing.path == "/" else None

    def _probe(self, visit: _Visit, landing: Target) -> _Probe:
        """The site's answer to a random path, asked once in a while. Raises _Unseen."""
        now = time.monotonic()
        with self._lock:
            self._probes = {site: probe for site, probe in self._probes.items() if probe.fresh_until > now}
            probe = self._probes.get(landing.site)
        if probe is None:
            path = f"/takedown-probe-{secrets.token_hex(8)}"
            _, answer, _ = visit.follow(landing.at(path))
            prints = _prints(answer.body, path)
            probe = _Probe(now + PROBE_REMEMBERED_S, answer.status, answer.is_whole, prints)
            with self._lock:
                self._probes[landing.site] = probe
        return probe


def _judge_head(answer: Answer) -> tuple[str, str] | None:
    """Outcome and note where status and headers are enough, else None.

    Walls come first, here and below: a wall says the same everywhere and would pass for a not-found page.
    """
    if any(name in answer.headers and word in answer.headers[name] for name, word in _WALL_HEADERS):
        return BLOCKED, "a challenge"
    if answer.status in _GONE:
        return GONE, ""
    if answer.status in _BLOCKED:
        return BLOCKED, ""
    return None


def _judge_page(answer: Answer, digest: str | None, expect_digest: str | None) -> tuple[str, str] | None:
    """Outcome and note where the page speaks for itself, else None."""
    if expect_digest and digest == expect_digest.lower():
        return ONLINE, "the expected content"
    if _is_wall(answer):
        return BLOCKED, "a challenge"
    return None if answer.status in _SHOWN else (UNKNOWN, "")


def _judge_page_for_unknown_paths(answer: Answer) -> tuple[str, str]:
    """Outcome and note for a page that the site also shows where nothing can be."""
    if not answer.is_whole:
        return UNKNOWN, "begins like the page for unknown paths"
    if _PASSWORD.search(answer.body):
        return BLOCKED, "a login page"
    if b"<script" in answer.body.lower() and len(_visible(answer.body)) < _SHELL_TEXT_CHARACTERS:
        return UNKNOWN, "an empty page that loads its content by script"
    return GONE, "the page for unknown paths"


def _prints(body: bytes, path: str) -> frozenset[tuple[int, bytes]]:
    """Length and digest of a page as it is, and without the path that such pages often repeat."""
    without = body
    for spelling in (path.encode(), path.partition("?")[0].encode(), unquote_to_bytes(path)):
        without = without.replace(spelling, b"") if len(spelling) > 1 else without
    return frozenset((len(page), hashlib.sha256(page).digest()) for page in (body, without))


def _is_html(answer: Answer) -> bool:
    """Whether the answer is a page, or may be one because it does not say."""
    return "html" in answer.headers.get("Content-Type", "text/html").lower()


def _is_login(target: Target) -> bool:
    return _LOGIN_PATH.search(target.path.partition("?")[0]) is not None


def _wants_body(status: int) -> bool:
    return status in _SHOWN or status >= 500  # among 5xx are walls


def _reason(error: OSError | HTTPException) -> str:
    """Our own words: those of the error may hold a name, an address or what the server sent."""
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (NotAllowed, "no public address"),
        (TimeoutError, "timed out"),
        (ssl.SSLError, "TLS failed"),
        (wire.TooMuch, "sends more than is allowed"),
        (ConnectionRefusedError, "connection refused"),
        (ConnectionError, "connection broken"),
        (HTTPException, "not understood"),
    )
    return next((reason for kind, reason in reasons if isinstance(error, kind)), "no connection")


def _digest(answer: Answer) -> str | None:
    """None unless the whole content is at hand as it is; a digest of a part would look like a change."""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if answer.status != 200 or not answer.is_whole or encoding != "identity":
        return None
    return hashlib.sha256(answer.body).hexdigest()


def _visible(page: bytes) -> bytes:
    """What a visitor without scripts would read, roughly; in one pass, whatever the page is made of."""
    before, *pieces = page.split(b"<")
    seen, hidden_by = [before], b""
    for piece in pieces:
        tag, _, text = piece.partition(b">")
        name = (tag[:10].lower().split(maxsplit=1) or [b""])[0]
        if hidden_by:
            hidden_by = b"" if name == b"/" + hidden_by else hidden_by
        elif name in _HIDING:
            hidden_by = name
        if not hidden_by:
            seen.append(text)
    return b" ".join(b" ".join(seen).split())


def _is_wall(answer: Answer) -> bool:
    """Whether the page asks for proof of a human instead of showing anything."""
    if not _is_html(answer):
        return False
    page = answer.body.lower()
    title = page.partition(b"<title")[2][:_TITLE_BYTES].partition(b"</title")[0]
    if any(mark in page for mark in _WALL_MARKS) or any(words in title for words in _WALL_TITLES):
        return True
    text = _visible(page)
    return b"captcha" in text and len(text) < _WALL_TEXT_CHARACTERS
