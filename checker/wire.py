"""One HTTP/1.1 answer read from a hostile server: never longer than allowed, never more than allowed."""

import io
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from typing import cast

HEAD_CAP_BYTES = 32 * 1024
BODY_CAP_BYTES = 64 * 1024
# An answer on the way to the answer (103 Early Hints, ...); 101 ends HTTP, and what we understand with it.
_ON_THE_WAY = frozenset({*range(100, 200)} - {101})
# Chunked framing costs bytes too, and may be nothing but framing.
_BODY_WIRE_CAP_BYTES = 4 * BODY_CAP_BYTES


class TooMuch(OSError):
    """More bytes than any honest answer needs."""


class Deadline:
    """One instant by which everything must have ended, however slowly the bytes drip in."""

    def __init__(self, within_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + within_s

    def left_s(self) -> float:
        """Seconds left, more than 0. Raises TimeoutError when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("out of time")
        return left


@dataclass(frozen=True, repr=False)
class Answer:
    """What a server said. The body is never decoded, decompressed or kept longer than one look.

    It is empty where the status says all; `is_whole` is False when the server had more than the cap.
    """

    status: int
    headers: HTTPMessage
    body: bytes
    is_whole: bool


class _Drip(io.RawIOBase):
    """A socket's bytes under a deadline, `allowed` of them; in `HTTPResponse` it stands for the socket."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline
        self.allowed = HEAD_CAP_BYTES

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        if self.allowed <= 0:
            raise TooMuch("the server sends more than is allowed")
        self._connection.settimeout(self._deadline.left_s())
        count = self._connection.recv_into(memoryview(buffer)[: self.allowed])  # type: ignore[arg-type]
        self.allowed -= count
        return count


def send(connection: socket.socket, lines: list[str], deadline: Deadline) -> None:
    """Send the head of a request; it has no body. Raises OSError."""
    connection.settimeout(deadline.left_s())
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))


def receive(connection: socket.socket, deadline: Deadline, wants_body: Callable[[int], bool]) -> Answer:
    """Read one answer, and its body when its status asks for that.

    Raises OSError (TimeoutError, TooMuch, ...) or http.client.HTTPException, also when the body is cut
    off. Those of http.client hold what the server sent: never show them.
    """
    drip = _Drip(connection, deadline)
    response = HTTPResponse(cast(socket.socket, drip))
    try:
        response.begin()
        while response.status in _ON_THE_WAY:  # all of them under the one cap of the head
            response.headers = response.msg = None  # type: ignore[assignment]  # what makes it begin anew
            response.begin()
        body = b""
        if wants_body(response.status):
            drip.allowed = _BODY_WIRE_CAP_BYTES
            body = response.read(BODY_CAP_BYTES + 1)
            if len(body) <= BODY_CAP_BYTES and response.length:
                raise ConnectionError("the body was cut off")
        return Answer(
            response.status, response.headers, body[:BODY_CAP_BYTES], is_whole=len(body) <= BODY_CAP_BYTES
        )
    finally:
        response.close()
