"""Calls that somebody might make and calls that nobody should: by schemathesis from the description, by hypothesis
around it, and as bytes that no client would send. Drawn from a fixed seed: the same calls each time."""

import json
import re
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException, HTTPResponse
from itertools import cycle
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import requests
import schemathesis
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests.exceptions import ConnectionError as Cut
from requests.exceptions import RequestException
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import Scope
from takedown.api_docs import description
from tests.factories import NoticeFactory, ProviderFactory, api_key

SEED: Final = 5
#: seconds; the server's own limit for a whole request is far above it, and so is that of a slow machine.
PATIENCE_S: Final = 30
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
]


#: An address or headers too long to be read: answered before the API is asked.
_OF_THE_WEB_SERVER: Final = frozenset({414, 431})


@dataclass
class Keys:
    """Secrets by scope, in turn: each provider has a rate, and it is not what is tried here."""

    by_scope: dict[str, Iterator[str]]
    references: list[str]

    def of(self, scope: str) -> str:
        """The next key with that scope."""
        return next(self.by_scope[scope])


def world(tenants: int) -> Keys:
    """`tenants` providers with a notice in each state, a partner, a checker, a program of ours; rows are committed."""
    found: dict[str, list[str]] = {str(scope): [] for scope in Scope}
    references = []
    for number in range(tenants):
        provider = ProviderFactory(code=f"tenant-{number}")
        states = ("sent", "notified", "escalated", "removed")
        references += [NoticeFactory(provider=provider, **{state: True}).reference for state in states]
        for scope in (Scope.NOTICES_READ, Scope.NOTICES_ANSWER):
            found[scope].append(api_key(scope, provider=provider)[1])
        for scope in (Scope.REPORTS_WRITE, Scope.SIGHTINGS_WRITE, Scope.NOTICES_READ):
            found[scope].append(api_key(scope)[1])
    return Keys({scope: cycle(keys) for scope, keys in found.items()}, references)


@dataclass
class Findings:
    """What was sent, how long it took, and what should not have been."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """Requests."""
        return len(self.seconds)

    def note(self, what: str, status: int, took_s: float) -> None:
        """One request and its answer; status 0 is a connection that was closed without one."""
        self.statuses[status] += 1
        self.seconds.append(took_s)
        if status >= 500:
            self.blame(f"{status}", what)

    def blame(self, why: str, what: str) -> None:
        """The first of each kind is kept."""
        self.wrong.setdefault(why, what[:2_000])


def spread(seconds: Sequence[float]) -> str:
    """Half of them, all but one in a hundred, and the worst."""
    ordered = sorted(seconds)
    half, most = (ordered[int(share * len(ordered))] for share in (0.5, 0.99))
    return f"p50 {half * 1_000:.0f} ms, p99 {most * 1_000:.0f} ms, worst {ordered[-1] * 1_000:.0f} ms"


def drawn(strategy: st.SearchStrategy[Any], count: int, act: Callable[[Any], None]) -> None:
    """`act` on about `count` draws, the same ones each time. hypothesis stops when it has seen all there are."""

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(value: Any) -> None:
        act(value)

    run()


# -- What the description says, and its opposite -------------------------------------------------------


def by_description(url: str, keys: Keys, findings: Findings, each: int) -> None:
    """For every operation `each` calls that the description allows, and as many that it forbids."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(description())))
    with requests.Session() as session:
        for found in schema.get_all_operations():
            operation = found.ok()
            scope = operation.definition.raw["x-scope"]
            send = partial(_send, url=url, session=session, keys=keys, scope=scope, findings=findings)
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                drawn(operation.as_strategy(mode), each, send)


def _send(
    case: Any, *, url: str, session: requests.Session, keys: Keys, scope: str, findings: Findings
) -> None:
    headers = {"Authorization": f"Bearer {keys.of(scope)}", "Accept-Language": "en"}
    began = time.monotonic()
    try:
        answer = case.call(base_url=url, session=session, headers=headers, timeout=PATIENCE_S)
    except Cut:
        findings.note(case.operation.label, 0, time.monotonic() - began)
        return
    except (RequestException, ValueError, HTTPException):
        return  # a client cannot send it; `by_bytes` can
    findings.note(case.operation.label, answer.status_code, time.monotonic() - began)
    if answer.status_code in _OF_THE_WEB_SERVER:
        return
    try:
        case.validate_response(answer, checks=CHECKS)
    except (Failure, FailureGroup) as group:
        for failure in getattr(group, "exceptions", [group]):
            if not _is_meant(case, answer, failure):
                findings.blame(
                    f"{case.operation.label}: {failure.title}", f"{failure} {case.as_curl_command()}"
                )


def _is_meant(case: Any, answer: Any, failure: Failure) -> bool:
    """Refusals that a schema cannot foretell: of instants that no calendar has or nobody can mean, of names that are
    not known here, of an Idempotency-Key that had another body, of texts of white space or with NUL, and of the filter
    that only the hotline has. And a call without its key is none: each is given one."""
    if failure.title == "Schema-violating request accepted":
        return "(was Authorization)" in str(failure)
    if failure.title != "Schema-valid request rejected":
        return False
    said = json.loads(answer.content)
    if answer.status_code == 422:
        return said["code"] in {"unknown_source", "idempotency_key_reused"}
    words = ("ISO 8601", "may not be blank", "Null characters", "NUL")
    told = [(error["pointer"], error["detail"]) for error in said.get("errors", [])] or [("", said["detail"])]
    return all(where == "#/provider" or any(word in what for word in words) for where, what in told)


# -- Around it ----------------------------------------------------------------------------------------

_ODD: Final = st.sampled_from(
    [
        "", " ", "0", "-1", "1_0", "٣", "10000000000", "9" * 400, "1e999", "NaN", "null", "true", "[]", "{}", "\x00",
        "\ud7ff", "\u202e", "%00", "%ff", "..", "../../etc/passwd", "' OR 1=1 --", "{{7*7}}", "<b>", "a" * 3_000,
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-06-30T23:59:60Z",
        "2026-03-29T02:30:00", "https://forum.example/a.jpg", "http://example.com\\@evil.test/", "cD0lMDA=",
    ]
)  # fmt: skip
_TEXTS: Final = st.one_of(_ODD, st.text(max_size=40))
_NUMBERS: Final = st.one_of(st.integers(), st.floats(), st.just(10**400))
_TREES: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)),
    max_leaves=12,
)
_PARAMETERS: Final = st.one_of(
    st.sampled_from(
        ["state", "due_before", "acknowledged", "provider", "cursor", "page_size", "limit", "format", "lang"]
    ),
    _TEXTS,
)
_METHODS: Final = st.sampled_from(
    ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
)
_HEADERS: Final = st.dictionaries(
    st.sampled_from(
        [
            "Accept", "Accept-Encoding", "Accept-Language", "Content-Encoding", "Content-Type", "Cookie", "Host",
            "Idempotency-Key", "If-Match", "If-Modified-Since", "Origin", "Range", "Referer", "X-Forwarded-For",
            "X-Forwarded-Proto", "X-HTTP-Method-Override", "X-Unattended", "Expect",
        ]
    ),
    st.one_of(
        st.sampled_from(
            [
                "application/json", "application/json; charset=utf-16", "text/html", "*/*", "gzip", "nl, en;q=0.5",
                "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "bytes=0-", "100-continue",
                "takedown_session=x; csrftoken=y", "localhost", "evil.test", "127.0.0.1, ::1", "DELETE", "a-1",
            ]
        ),
        st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60),
    ),
    max_size=4,
)  # fmt: skip


@st.composite
def _calls(draw: st.DrawFn, keys: Keys) -> bytes:
    """A request to one of the doors, or next to it, with something in it that does not belong there."""
    bodies = {
        "notices/answers/": {
            "answers": [{"reference": draw(st.sampled_from(keys.references)), "answer": "removed"}]
        },
        "reports/": {"source": "partner", "lines": [{"url": "https://forum.example/a.jpg"}]},
        "sightings/": {
            "sightings": [
                {"notice": draw(st.sampled_from(keys.references)), "outcome": "gone", "vantage": "nl"}
                | {"seen_at": "2026-11-24T12:30:00Z"}
            ]
        },
    }
    scope, path = draw(
        st.sampled_from(
            [
                (Scope.NOTICES_READ, "notices/"), (Scope.NOTICES_READ, "notices/{}/"), (Scope.NOTICES_READ, "{}"),
                (Scope.NOTICES_ANSWER, "notices/answers/"), (Scope.REPORTS_WRITE, "reports/"),
                (Scope.REPORTS_WRITE, "reports/{}/"), (Scope.SIGHTINGS_WRITE, "sightings/"),
                (Scope.SIGHTINGS_WRITE, "checks/due/"),
            ]
        )
    )  # fmt: skip
    names = st.one_of(st.sampled_from(keys.references), _TEXTS)
    target = "/api/v1/" + path.replace(
        "{}", quote(draw(names), safe=draw(st.sampled_from(["", "/.%"])))[:3_000]
    )
    if draw(st.booleans()):
        asked = draw(st.lists(st.tuples(_PARAMETERS, _TEXTS), max_size=3))
        target += "?" + urlencode(asked, errors="replace")[:3_500]
    method = draw(st.one_of(st.just("POST" if path in bodies else "GET"), _METHODS))
    headers = {"Host": "127.0.0.1", "Content-Type": "application/json"} | draw(_HEADERS)
    headers["Authorization"] = draw(
        st.one_of(
            st.just(f"Bearer {keys.of(scope)}"),
            st.sampled_from(["", "Bearer", "Bearer x", "Basic eA==", "Bearer \xff"]),
        )
    )
    body = b""
    if method not in {"GET", "HEAD"} or draw(st.booleans()):
        body = draw(st.one_of(_documents(bodies.get(path, {})), st.binary(max_size=200)))
    return request(method, target, headers, body)


@st.composite
def _documents(draw: st.DrawFn, right: dict[str, Any]) -> bytes:
    """`right` with one thing in it replaced, added or left out, as JSON of Python's kind (NaN and 1e999 included)."""
    document = json.loads(json.dumps(right))
    places = [document]
    for value in document.values():
        places += [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    place = draw(st.sampled_from(places))
    name = draw(
        st.one_of(
            st.sampled_from(sorted(place) or ["answers"]), st.sampled_from(["note", "at", "reason"]), _TEXTS
        )
    )
    if name in place and draw(st.booleans()):
        del place[name]
    else:
        place[name] = draw(_TREES)
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    doubled = draw(
        st.sampled_from(
            ["", '"source": 1, "source": 2, ', '"a": 1e999, ', '"\\ud800": 0, ', '"\\u0000": 0, ']
        )
    )
    return text.replace("{", "{" + doubled, 1).encode("utf-8", "surrogatepass")


def request(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of a request. Header values are Latin-1, as they are on the wire."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


def around(url: str, keys: Keys, findings: Findings, count: int) -> None:
    """`count` calls to the doors and next to them."""
    drawn(_calls(keys), count, lambda call: by_socket(url, call, findings))


# -- What no client would send -------------------------------------------------------------------------


@st.composite
def _broken(draw: st.DrawFn, keys: Keys) -> bytes:
    """A request of which bytes are lost, doubled, changed or put in; or its framing lies."""
    whole = draw(_calls(keys))
    match draw(st.integers(0, 5)):
        case 0:  # it breaks off
            return whole[: draw(st.integers(0, len(whole)))]
        case 1:  # bytes in the middle of it
            place = draw(st.integers(0, len(whole)))
            return whole[:place] + draw(st.binary(min_size=1, max_size=40)) + whole[place:]
        case 2:  # a length that is not so
            lie = draw(
                st.sampled_from(
                    [b"-1", b"+5", b"1_0", b"99999999999999999999", b"0x10", b"", b"5, 6", b"\xb2"]
                )
            )
            return whole.replace(b"Connection: close", b"Connection: close\r\nContent-Length: " + lie, 1)
        case 3:  # pieces that are none
            pieces = draw(
                st.sampled_from(
                    [
                        b"5\r\n{}",
                        b"zz\r\n{}\r\n0\r\n\r\n",
                        b"-2\r\n{}",
                        b"2;x=\0\r\n{}\r\n0\r\n\r\n",
                        b"FFFFFFFFF\r\n",
                    ]
                )
            )
            head = whole.partition(b"\r\n\r\n")[0].replace(b"Content-Length", b"X-Length")
            return head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces
        case 4:  # too much of it
            huge = draw(
                st.sampled_from(
                    [b"X: " + b"a" * 70_000, b"\r\n".join(b"X: a" for _ in range(300)), b"X" * 9_000]
                )
            )
            return whole.replace(b"Connection: close", huge + b"\r\nConnection: close", 1)
        case _:  # no HTTP at all
            return draw(st.binary(max_size=300))


def by_bytes(url: str, keys: Keys, findings: Findings, count: int) -> None:
    """`count` times bytes that no client would send."""
    drawn(_broken(keys), count, lambda call: by_socket(url, call, findings))


def by_socket(url: str, call: bytes, findings: Findings) -> None:
    """Send the bytes, say that no more will come, and take what is answered."""
    place = urlsplit(url)
    began = time.monotonic()
    status = 0
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE_S) as connection:
        with suppress(ConnectionError):  # it may be shut in our face
            connection.sendall(call)
            connection.shutdown(socket.SHUT_WR)
        answer = HTTPResponse(connection, method=call.partition(b" ")[0].decode("latin-1"))
        try:
            answer.begin()
            status = answer.status
            answer.read()
        except TimeoutError:
            findings.blame("no answer", repr(call))
        except (HTTPException, ConnectionError, ValueError):
            pass
        finally:
            answer.close()
    findings.note(repr(call), status, time.monotonic() - began)


def answers(url: str) -> bool:
    """Whether the server lives."""
    with suppress(RequestException):
        return requests.get(f"{url}/healthz", timeout=PATIENCE_S).status_code == 200
    return False


# -- Forms of people -----------------------------------------------------------------------------------

#: What is not walked: the staff's rooms have desks of their own, and the API is called above.
CLOSED: Final = ("staff/", "api/", "styleguide/", "healthz", "readyz", "metrics", "logout/")
_FIELD: Final = re.compile(r'\bname="([^"]+)"')
_OPTION: Final = re.compile(r'\bvalue="([^"]{1,60})"')


def pages(
    patterns: Sequence[URLPattern | URLResolver] | None = None, before: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(route, its converters) of every page that the public and providers have."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns, route)
        elif not route.startswith(CLOSED):
            yield route, pattern.pattern.converters


def _address(draw: st.DrawFn, route: str, converters: dict[str, Any], references: list[str]) -> str:
    """The route with something in its places, which its converters may or may not take."""
    for name in converters:
        fits = st.sampled_from(
            [*references, "2026-Q3", "csv", "1", "0", "9" * 18, "9" * 30, str(uuid.UUID(int=7)), "x" * 43]
        )
        value = quote(draw(st.one_of(fits, fits, _ODD)), safe="")[:2_000]
        before, _place, after = re.split(rf"(<(?:\w+:)?{name}>)", route)
        route = before + value + after
    return f"/{route}"


@st.composite
def _visits(
    draw: st.DrawFn, routes: list[tuple[str, dict[str, Any]]], references: list[str]
) -> tuple[str, str, Any, int]:
    """(method, address, what is filled in before the page's own fields, a number to choose those by)."""
    route, converters = draw(st.sampled_from(routes))
    address = _address(draw, route, converters, references)
    method = draw(st.sampled_from(["GET", "POST", "POST"]))
    values = st.one_of(st.sampled_from(references), _TEXTS, st.lists(_TEXTS, max_size=3))
    return (
        method,
        address,
        draw(st.lists(st.tuples(_TEXTS, values), min_size=1, max_size=5)),
        draw(st.integers(0, 2**31)),
    )


def in_forms(visitors: Sequence[Client], references: list[str], count: int) -> Findings:
    """`count` visits with odd things in the fields of the pages. Only the first fault of a route is kept."""
    routes, findings, known = list(pages()), Findings(), dict[str, list[str]]()

    def visit(drawn_visit: tuple[str, str, Any, int]) -> None:
        method, address, fields, choice = drawn_visit
        client = visitors[choice % len(visitors)]
        names = known.get(address)
        if names is None:
            # What a page asks for it gets, and so do the pages that it posts to.
            page = client.get(address).content.decode("utf-8", "replace")
            names = known[address] = sorted({*_FIELD.findall(page), *known.get("/", [])})
            known["/"] = sorted({*known.get("/", []), *names})[:400]
        told = {
            names[(choice + n) % len(names)] if names and n else name: value
            for n, (name, value) in enumerate(fields)
        }
        began = time.monotonic()
        try:
            answer = client.get(address, told) if method == "GET" else client.post(address, told)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it would have been a 500
            findings.blame(f"{type(fault).__name__} {address[:60]}", f"{method} {address} {told!r}: {fault}")
        else:
            findings.note(f"{method} {address} {told!r}", answer.status_code, time.monotonic() - began)

    drawn(_visits(routes, references), count, visit)
    return findings
