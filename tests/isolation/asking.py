"""Asking for an address as somebody, and what comes back."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.isolation.table import OPERATIONS, ROUTES
from tests.isolation.walking import Found, operations, routes

#: What differs between two answers to the same question.
_CHANGES: Final = re.compile(
    r'name="(?:csrfmiddlewaretoken|token|once)" value="[^"]*"|csrftoken=[^;]*;|expires=[^;]*;|nonce-[\w+/=-]+|nonce="[^"]*"'
    # Links, rows and signatures that were made for it, and how long a call took.
    r"|/join/[\w-]{20,}/|\b73\d{5}\b|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d+ ms\b|:\w{6}:[\w-]{43}\b"
)
_LONG_ENOUGH: Final = 5
_OF_THE_MOMENT: Final = frozenset({"Content-Length", "Expires", "Last-Modified"})
#: Stands for any row in texts that a question sends along.
_PLACE: Final = re.compile(r"\{(\w+)\}")
#: Of these a question sends a part only: an answer that names them has not repeated the question.
_PARTS: Final = frozenset({"name", "addresses"})


@dataclass(frozen=True)
class Answer:
    """What came back, without what is new in every answer and without what was asked for."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str = field(repr=False)

    @property
    def bytes(self) -> str:
        """All of it, to be searched."""
        return "\n".join([*(f"{name}: {value}" for name, value in self.headers), self.body])


@dataclass(frozen=True)
class Walker:
    """Somebody who asks: by the cookie of a session, by a key, or as nobody."""

    name: str
    session: str = ""
    key: str = ""

    def asks(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        without: tuple[str, ...] = (),
        follow: bool = False,
    ) -> Answer:
        """The answer. What it changed is taken back.

        `without`: the values that the question itself names; in the answer they are all called "it".
        """
        client = Client(raise_request_exception=False)
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if self.session:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.session
        kind = {"content_type": "application/json"} if address.startswith("/api/") else {}
        with transaction.atomic():
            if method == "GET":
                response = client.get(address, headers=headers)
            else:
                data = json.dumps(body) if kind and not isinstance(body, str) else body or {}
                response = client.post(address, data, headers=headers, follow=follow, **kind)
            answer = _plain(response, without)
            transaction.set_rollback(True)
        return answer


def _plain(response: HttpResponse, without: tuple[str, ...]) -> Answer:
    content = b"".join(response) if response.streaming else response.content

    def plain(text: str) -> str:
        for value in sorted(without, key=len, reverse=True):
            # A short one stands everywhere: the address of the question goes as a whole.
            if len(value) >= _LONG_ENOUGH:
                text = text.replace(value, "it")
        return _CHANGES.sub("", text)

    cookies = [("Set-Cookie", plain(morsel.OutputString())) for morsel in response.cookies.values()]
    headers = [(name, plain(value)) for name, value in response.items() if name not in _OF_THE_MOMENT]
    return Answer(
        response.status_code, tuple(sorted(headers + cookies)), plain(content.decode("utf-8", "replace"))
    )


@dataclass(frozen=True)
class Question:
    """One request. `without`: the values in it that name a row."""

    route: str
    method: str
    address: str
    body: str = ""  # JSON
    without: tuple[str, ...] = ()

    def asked_by(self, walker: Walker, *, follow: bool = False) -> Answer:
        """What this person or machine is told; with `follow`, on the page that a press leads to."""
        body = json.loads(self.body) if self.body else None
        path = self.address.partition("?")[0]
        return walker.asks(self.method, self.address, body, without=(path, *self.without), follow=follow)


def questions(found: Found, values: Mapping[str, Any]) -> Iterator[Question]:
    """All that is asked of a route, about the rows that `values` name by their kinds."""
    route = ROUTES[found.name]
    rows = dict(zip(found.parameters, (values[kind] for kind in route.kinds), strict=True))
    address = found.address(rows)
    named = tuple(str(row) for row in rows.values())
    yield Question(found.name, "GET", address, without=named)
    for query in route.queries:
        filled, used = _filled(query, values)
        yield Question(found.name, "GET", f"{address}?{filled}", without=(*named, *used))
    for body in ({}, *route.bodies):
        filled, used = _filled(body, values)
        yield Question(found.name, "POST", address, json.dumps(filled), (*named, *used))


def api_questions(values: Mapping[str, Any]) -> Iterator[Question]:
    """All that is asked of the operations of the API."""
    for name, (method, path) in operations().items():
        operation = OPERATIONS[name]
        row = str(values[operation.kind]) if operation.kind else ""
        address = _PLACE.sub(row, path)
        for query in operation.queries if method == "GET" else ():
            filled, used = _filled(query, values)
            yield Question(name, method, f"{address}?{filled}", without=(row, *used))
        for body in operation.bodies:
            filled, used = _filled(body, values)
            yield Question(name, method, address, json.dumps(filled), (row, *used))


def _filled(template: Any, values: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The template with rows in its places, and the texts that name them."""
    used: list[str] = []

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: fill(inner) for key, inner in part.items()}
        if isinstance(part, list):
            return [fill(inner) for inner in part]
        places = _PLACE.findall(part)
        text = _PLACE.sub(lambda place: str(values[place[1]]), part)
        if places:
            used.extend([text.rpartition("=")[2], *(str(values[p]) for p in places if p not in _PARTS)])
        return text

    return fill(template), used


def of_providers() -> list[Found]:
    """The routes behind which a provider's people and machines come: all but the staff's."""
    return [found for found in routes().values() if not found.pattern.startswith("staff/")]
