"""The connection below httpcore: to checked addresses only, under a deadline, with a limit to what is read.

httpcore speaks HTTP over it. It has neither redirects, proxies, cookies, decompression nor an environment: what is
not there cannot be switched on.
"""

import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
import ssrfguard

from providers.fetch.addresses import Rules
from providers.fetch.answer import NoAnswer, TlsFailed, TooLarge
from providers.fetch.deadline import Deadline

HEAD_CAP_BYTES = 32 * 1024


class Meter:
    """What has gone over one connection, and how much more may come."""

    def __init__(self) -> None:
        self.may_read = HEAD_CAP_BYTES
        self.was_sent = False
        self.was_answered = False
        self.has_ended = False


class Backend(httpcore.NetworkBackend):
    """Connects to the addresses that it was made with, whatever name it is asked for."""

    def __init__(
        self, addresses: Sequence[ssrfguard.Address], rules: Rules, deadline: Deadline, meter: Meter
    ) -> None:
        self._addresses = addresses
        self._rules = rules
        self._deadline = deadline
        self._meter = meter

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """The first address that answers; each has its share of the time. Raises NoAnswer or TooSlow."""
        tries = min(len(self._addresses), self._rules.max_connection_attempts)
        share_s = self._deadline.left_s() / tries
        try:
            connected = ssrfguard.connect(self._addresses, policy=self._rules, timeout=share_s)
        except TimeoutError:
            raise self._deadline.passed() from None
        except OSError:
            raise NoAnswer("nobody listens there") from None
        return _Stream(connected, self._deadline, self._meter)


class _Stream(httpcore.NetworkStream):
    def __init__(self, connected: socket.socket, deadline: Deadline, meter: Meter) -> None:
        self._socket = connected
        self._deadline = deadline
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._meter.may_read <= 0:
            raise TooLarge("the answer is longer than is allowed")
        try:
            self._socket.settimeout(self._deadline.left_s())
            came = self._socket.recv(min(max_bytes, self._meter.may_read))
        except TimeoutError:
            raise self._deadline.passed() from None
        except OSError:
            raise NoAnswer("the connection broke") from None
        self._meter.may_read -= len(came)
        self._meter.has_ended = not came
        self._meter.was_answered |= bool(came)
        if not self._meter.was_answered:
            raise NoAnswer("the connection was closed without an answer")
        return came

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._meter.was_sent |= bool(buffer)
        rest = memoryview(buffer)
        try:
            while rest:
                self._socket.settimeout(self._deadline.left_s())
                rest = rest[self._socket.send(rest) :]
        except TimeoutError:
            raise self._deadline.passed() from None
        except OSError:
            raise NoAnswer("the connection broke") from None

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        # The name comes from httpcore, which has it from the URL: the certificate must be the name's, not the address's.
        try:
            self._socket.settimeout(self._deadline.left_s())
            secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError:
            self.close()
            raise self._deadline.passed() from None
        except (ssl.SSLError, ssl.CertificateError):
            self.close()
            raise TlsFailed("there is no trusted connection") from None
        except OSError:
            self.close()
            raise NoAnswer("the connection broke") from None
        return _Stream(secured, self._deadline, self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._socket if info == "socket" else None
