"""A web server on loopback that does whatever a hostile one would, and counts who comes."""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

CERTIFICATE = Path(__file__).with_name("site.test.pem")

Behaviour = Callable[[socket.socket, "Site"], None]


class Site:
    """Answers each request target by its behaviour, any other by `otherwise` (404 unless told)."""

    def __init__(
        self, behaviours: dict[str, Behaviour] | None = None, *, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.behaviours = behaviours or {}
        self.otherwise: Behaviour = says(404, b"no such page")
        self.greets: Behaviour | None = None  # instead of reading a request
        self.connections = 0
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.closing = threading.Event()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(2)

    def url(self, path: str, *, host: str = "site.test", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def asked(self) -> list[str]:
        """The request targets, in order."""
        return [head.split(" ")[1] for head in self.heads]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(2)
            try:
                if self.greets is not None:
                    self.greets(connection, self)
                else:
                    self.answer(connection)
            except OSError:
                return  # the visitor has gone, as it should

    def answer(self, connection: socket.socket) -> None:
        """Read one request and behave."""
        came = b""
        while b"\r\n\r\n" not in came:
            data = connection.recv(4096)
            if not data:
                return
            came += data
        head, _, body = came.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        while length and len(body) < int(length[1]):
            body += connection.recv(4096)
        self.heads.append(head.decode("ascii"))
        self.bodies.append(body)
        self.behaviours.get(self.asked()[-1], self.otherwise)(connection, self)


def says(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """An ordinary answer; underscores in header names stand for hyphens."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    def behave(connection: socket.socket, _: Site) -> None:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    return behave


def repeats_the_path(connection: socket.socket, site: Site) -> None:
    """A polite not-found page with status 200 that says what was asked for."""
    page = f"<p>Sorry, {site.asked()[-1]} was not found.</p>".encode()
    says(200, page)(connection, site)


def drips(start: bytes, drop: bytes) -> Behaviour:
    """Sends `start`, then a drop every 10 ms for as long as the visitor bears it."""

    def behave(connection: socket.socket, site: Site) -> None:
        connection.sendall(start)
        while not site.closing.wait(0.01):
            connection.sendall(drop)

    return behave


def floods(start: bytes, flood: bytes) -> Behaviour:
    """Sends `start`, then as much as the visitor takes."""

    def behave(connection: socket.socket, _: Site) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(flood)

    return behave


def breaks_after(start: bytes) -> Behaviour:
    """Sends `start` and resets the connection."""

    def behave(connection: socket.socket, _: Site) -> None:
        connection.sendall(start)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    return behave


def secured(connection: socket.socket, site: Site) -> None:
    """Speaks TLS with a certificate for site.test, then answers as usual."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with context.wrap_socket(connection, server_side=True) as tunnel:
        site.answer(tunnel)


def opens_a_tunnel(connection: socket.socket, site: Site) -> None:
    """A proxy's answer to CONNECT; the site behind the tunnel is this one too."""
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    secured(connection, site)
