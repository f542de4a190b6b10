"""A small HTTP/1.1 server for the demo world's own pages: keep-alive, and bodies with a length."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

LARGEST_HEAD, LARGEST_BODY = 32 * 1024, 64 * 1024  # bytes
IDLE_S = 60


@dataclass(frozen=True)
class Request:
    """`target` as it stands in the first line; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """What to send back. Content-Length is added; a HEAD gets the headers alone."""

    status: HTTPStatus
    body: str
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


class _Unreadable(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


async def serve(handler: Handler, port: int) -> asyncio.Server:
    """Listen on loopback. The caller keeps the server and closes it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _talk(handler, reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            pass  # the other side has left, or we are closing
        finally:
            writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", port, limit=LARGEST_HEAD, backlog=1024)


async def _talk(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    keep = True
    while keep:
        try:
            request = await asyncio.wait_for(_read(reader), IDLE_S)
            response = await handler(request)
            keep = request.headers.get("connection", "").lower() != "close"
        except _Unreadable as fault:
            request, keep = Request("GET", "", {}, b""), False
            response = Response(fault.status, fault.status.phrase, "text/plain; charset=utf-8")
        body = response.body.encode()
        head = {
            "Content-Type": response.kind,
            "Content-Length": str(len(body)),
            "X-Content-Type-Options": "nosniff",
            "Connection": "keep-alive" if keep else "close",
            **response.headers,
        }
        lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        if request.method != "HEAD":
            writer.write(body)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _Unreadable(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    first, *rest = head.decode("latin-1").split("\r\n")
    try:
        method, target, _ = first.split(" ")
        pairs = [line.split(":", 1) for line in rest if line]
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        size = int(headers.get("content-length", "0"))
    except ValueError:
        raise _Unreadable(HTTPStatus.BAD_REQUEST) from None
    if "transfer-encoding" in headers:
        raise _Unreadable(HTTPStatus.LENGTH_REQUIRED)
    if not 0 <= size <= LARGEST_BODY:
        raise _Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return Request(method, target, headers, await reader.readexactly(size))
