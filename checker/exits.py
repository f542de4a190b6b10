"""The two ways out: straight to a checked address, or by a forward proxy that checks for itself."""

import socket
import ssl
from typing import Protocol

from checker import wire
from checker.guard import Guard
from checker.target import Target
from checker.wire import Deadline


class Exit(Protocol):
    """A way to the outside."""

    def open(self, target: Target, deadline: Deadline) -> socket.socket:
        """A connection on which to ask for the target. Raises OSError or http.client.HTTPException."""

    def request_target(self, target: Target) -> str:
        """What stands between GET and HTTP/1.1 (RFC 9112, section 3.2)."""


class Direct:
    """To the site itself, by the guard."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._tls = tls

    def open(self, target: Target, deadline: Deadline) -> socket.socket:
        """A connection to an address of the site that the guard has allowed."""
        connection = self._guard.connect(target.host, target.port, deadline)
        return _secured(connection, target, self._tls, deadline)

    def request_target(self, target: Target) -> str:
        """The path alone."""
        return target.path


class ByProxy:
    """By an HTTP forward proxy, and never otherwise.

    No name of a site is resolved here: the question alone would show our own network to whoever runs
    the name's servers, and what we would check is not what the proxy connects to. So the address rules
    are the proxy's duty (docs/checker.md). The proxy itself is the operator's and may be on loopback.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        self._proxy = (host, port)
        self._tls = tls

    def open(self, target: Target, deadline: Deadline) -> socket.socket:
        """A connection to the proxy; for https a tunnel through it."""
        connection = socket.create_connection(self._proxy, timeout=deadline.left_s())
        try:
            if target.scheme == "https":
                host = f"[{target.host}]" if ":" in target.host else target.host
                end = f"{host}:{target.port}"
                wire.send(connection, [f"CONNECT {end} HTTP/1.1", f"Host: {end}"], deadline)
                if wire.receive(connection, deadline, wants_body=lambda _: False).status // 100 != 2:
                    raise ConnectionError("the proxy opened no tunnel")
        except BaseException:
            connection.close()
            raise
        return _secured(connection, target, self._tls, deadline)

    def request_target(self, target: Target) -> str:
        """The absolute URL for http; inside a tunnel the path alone."""
        return target.url if target.scheme == "http" else target.path


def tls_context() -> ssl.SSLContext:
    """Certificates are verified: an answer from whoever stands in between is no evidence."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _secured(
    connection: socket.socket, target: Target, tls: ssl.SSLContext, deadline: Deadline
) -> socket.socket:
    """The connection, under TLS when the scheme asks for it, with the site's name in SNI."""
    if target.scheme == "http":
        return connection
    try:
        connection.settimeout(deadline.left_s())  # of the whole handshake: OpenSSL's loop counts down
        return tls.wrap_socket(connection, server_hostname=target.host)
    except BaseException:
        connection.close()
        raise
