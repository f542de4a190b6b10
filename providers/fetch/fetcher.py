"""GET and POST by a URL that somebody else chose."""

import ssl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from urllib.parse import urljoin

import can_ada
import httpcore
import ssrfguard

from providers.fetch import addresses
from providers.fetch.addresses import Resolver, Rules
from providers.fetch.answer import Answer, FetchFailed, NoAnswer, NotUnderstood, Refused, TooLarge
from providers.fetch.deadline import Deadline
from providers.fetch.wire import HEAD_CAP_BYTES, Backend, Meter

WITHIN = timedelta(seconds=10)
CAP_BYTES = 1024 * 1024
KEPT_BYTES = 2_000  # of an answer that is only looked at

_REDIRECT = frozenset({301, 302, 303, 307, 308})
_URL_CAP_CHARACTERS = 2_000


@dataclass(frozen=True)
class _Place:
    """A URL that we use. Parsed once, by the browsers' rules; what is connected to comes from nowhere else."""

    href: str
    authority: str  # for the Host header
    path: str  # with the query
    target: ssrfguard.Target
    rules: Rules

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.target.scheme, self.target.host, self.target.port


class Fetcher:
    """Fetches under rules that no caller can loosen. May be used from any number of threads.

    `also` names peers on loopback as (host, port); it is empty wherever the application serves anybody. Tests give
    another resolver and other certificates: there is no setting for either.
    """

    def __init__(
        self,
        *,
        resolve: Resolver = addresses.system_resolver,
        also: Collection[tuple[str, int]] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._resolve = resolve
        self._also = frozenset(also)
        self._given_tls = tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or ssl.create_default_context()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        within: timedelta = WITHIN,
        cap_bytes: int = CAP_BYTES,
        redirects: int = 0,
    ) -> Answer:
        """The whole answer. Raises FetchFailed, TooLarge of a body above `cap_bytes`.

        Up to `redirects` redirects are followed, each checked as if it were the first; with 0 a redirect is the
        answer. `headers` beside Accept do not go to another origin.
        """
        deadline = Deadline(within)
        place = self._place(url)
        answer = self._exchange("GET", place, headers or {}, b"", deadline, cap_bytes, is_cut=False)
        for _ in range(redirects):
            if answer.status not in _REDIRECT or not answer.header("Location"):
                return answer
            onward = self._place(answer.header("Location"), place.href)
            if onward.origin != place.origin:
                headers = {name: value for name, value in (headers or {}).items() if name.lower() == "accept"}
            place = onward
            answer = self._exchange("GET", place, headers or {}, b"", deadline, cap_bytes, is_cut=False)
        if redirects and answer.status in _REDIRECT:
            raise Refused("it redirects too often")
        return answer

    def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        within: timedelta = WITHIN,
        keep_bytes: int = KEPT_BYTES,
    ) -> Answer:
        """The status, the headers, and the first `keep_bytes` of what the server says to it. Raises FetchFailed.

        The head decides: once it is there, a body that is endless, slow or broken off is only not whole. Redirects
        are never followed.
        """
        return self._exchange(
            "POST", self._place(url), headers or {}, body, Deadline(within), keep_bytes, is_cut=True
        )

    def check(self, url: str) -> None:
        """Whether we would go there, as far as the URL alone says. Asks nobody. Raises Refused."""
        self._place(url)

    def _place(self, url: str, base: str | None = None) -> _Place:
        """Raises Refused. What a library says of a URL holds the URL: it goes no further."""
        if len(url) > _URL_CAP_CHARACTERS or not url.isprintable() or " " in url or "\\" in url:
            raise Refused("it is not a URL that we use")
        try:
            parsed = can_ada.parse(urljoin(base, url) if base else url)
        except ValueError:
            raise Refused("it is not a URL that we use") from None
        port = int(parsed.port or {"https:": 443, "http:": 80}.get(parsed.protocol, 0))
        rules = addresses.loopback(port) if (parsed.hostname, port) in self._also else addresses.PUBLIC
        try:
            target = rules.check_url(parsed.href)
        except ssrfguard.SSRFGuardError as refusal:
            raise Refused(_rule(parsed.protocol, port, refusal, rules)) from None
        return _Place(parsed.href, parsed.host, parsed.pathname + parsed.search, target, rules)

    def _exchange(
        self,
        method: str,
        place: _Place,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        cap_bytes: int,
        *,
        is_cut: bool,
    ) -> Answer:
        meter = Meter()
        try:
            found = addresses.look_up(place.target, place.rules, self._resolve, deadline)
            backend = Backend(found, place.rules, deadline, meter)
            with self._asked(method, place, headers, body, backend, meter) as response:
                return _read(response, meter, cap_bytes, is_cut=is_cut)
        except FetchFailed as failure:
            failure.was_sent = meter.was_sent
            raise

    @contextmanager
    def _asked(
        self,
        method: str,
        place: _Place,
        headers: Mapping[str, str],
        body: bytes,
        backend: Backend,
        meter: Meter,
    ) -> Iterator[httpcore.Response]:
        url = httpcore.URL(
            scheme=place.target.scheme.encode(),
            host=place.target.host.encode(),
            port=place.target.port,
            target=place.path.encode(),
        )
        ours = {
            "host": place.authority,
            "user-agent": "Takedown",
            "accept-encoding": "identity",  # nothing is ever decompressed: no bombs
            "connection": "close",
        }
        given = {name.lower(): value for name, value in headers.items()}
        with httpcore.ConnectionPool(
            ssl_context=self._tls, http1=True, http2=False, retries=0, network_backend=backend
        ) as pool:
            try:
                sent = list((given | ours).items())
                with pool.stream(method, url, headers=sent, content=body or None) as response:
                    yield response
            except httpcore.LocalProtocolError:
                raise Refused("it cannot be asked with such headers") from None
            except httpcore.ProtocolError:
                if meter.has_ended:
                    raise NoAnswer("the answer broke off") from None
                raise NotUnderstood("the answer is not HTTP") from None


def _read(response: httpcore.Response, meter: Meter, cap_bytes: int, *, is_cut: bool) -> Answer:
    """The answer with its body. Raises FetchFailed, or a ProtocolError of httpcore."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    is_plain = headers.get("content-encoding", "identity").strip().lower() in {"", "identity"}
    if not is_plain and not is_cut:
        raise NotUnderstood("the answer is compressed")
    # Chunks have a frame each, and may be nothing but frames.
    meter.may_read = 4 * cap_bytes + HEAD_CAP_BYTES
    body, is_whole = bytearray(), is_plain
    try:
        for piece in response.iter_stream() if is_plain else ():
            body += piece
            if len(body) > cap_bytes:
                raise TooLarge("the answer is longer than is allowed")
    except (FetchFailed, httpcore.ProtocolError):
        if not is_cut:
            raise
        is_whole = False
    return Answer(response.status, headers, bytes(body[:cap_bytes]), is_whole)


def _rule(protocol: str, port: int, refusal: Exception, rules: Rules) -> str:
    """Which rule said no, in our words: those of the library repeat the URL."""
    if protocol.removesuffix(":") not in rules.allowed_schemes:
        return "only https is used"
    if port not in rules.allowed_ports:
        return "this port is not used"
    if isinstance(refusal, ssrfguard.BlockedURLError) and "credentials" in refusal.reason:
        return "it holds a user name or a password"
    return "it is not the address of a public host"
