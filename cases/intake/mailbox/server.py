"""A mailbox over IMAP (RFC 9051): look, fetch within limits, put away. It decides nothing.

Nothing is ever deleted there: what was dealt with is moved to another folder, and a mail that cannot be moved
stays where it is.
"""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError

#: Where mail goes that was dealt with; made when it is missing.
DONE: Final = "Takedown"
#: bytes; a larger mail is not fetched.
MAX_SIZE: Final = 25 * 1024 * 1024
#: bytes; so much of the beginning of such a mail is fetched, to see whom it is from.
MAX_HEADER: Final = 256 * 1024
#: seconds: to connect, for each answer, and for the whole conversation.
CONNECT_S, ANSWER_S, TALK_S = 10, 20, 60


class Unreachable(Exception):
    """The mailbox cannot be read now. The text names the kind of fault and repeats nothing of the server's."""


@dataclass(frozen=True)
class Fetched:
    """A mail as it lies there: all of it, or only its header when it is larger than MAX_SIZE."""

    raw: bytes
    size: int
    is_whole: bool


class Session:
    """A folder that is open. Every method may raise Unreachable."""

    def __init__(self, client: IMAPClient, name: str, uid_validity: int) -> None:
        self._client = client
        self.name, self.uid_validity = name, uid_validity

    def uids(self) -> list[int]:
        """What lies in the folder, in the order in which it came."""
        with _faults():
            return sorted(self._client.search(["UNDELETED"]))

    def fetch(self, uid: int) -> Fetched | None:
        """One mail; None when it is gone meanwhile. The size is asked before anything is fetched, and the server
        is not believed: more than MAX_SIZE never comes in."""
        with _faults():
            size = self._client.fetch([uid], ["RFC822.SIZE"]).get(uid, {}).get(b"RFC822.SIZE")
            if size is None:
                return None
            part, limit = ("", MAX_SIZE) if size <= MAX_SIZE else ("HEADER", MAX_HEADER)
            answer = self._client.fetch([uid], [f"BODY.PEEK[{part}]<0.{limit}>"]).get(uid)
            raw = answer and answer.get(f"BODY[{part}]<0>".encode())
            if raw is None:
                return None
            return Fetched(bytes(raw), size, not part)

    def put_away(self, uids: Sequence[int]) -> None:
        """Move mail to DONE. A server that cannot move keeps it where it is."""
        if not uids:
            return
        with _faults(), suppress(CapabilityError):
            if not self._client.folder_exists(DONE):
                self._client.create_folder(DONE)
            self._client.move(list(uids), DONE)


class Place(Protocol):
    """Where a mailbox is: MAILBOX_URL or REPLIES_URL as `takedown/env.py` reads them, on a floor above this one."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def tls(self) -> str: ...
    @property
    def folder(self) -> str: ...


@contextmanager
def opened(mailbox: Place) -> Iterator[Session]:
    """The folder of a mailbox; the conversation is cut off when it takes longer than TALK_S in all."""
    with _faults():
        client = _connected(mailbox)
    # A server that trickles its answers would never meet a time-out of the socket.
    alarm = threading.Timer(TALK_S, _hang_up, [client])
    alarm.daemon = True
    alarm.start()
    try:
        with _faults():
            if mailbox.tls == "starttls":
                client.starttls(ssl.create_default_context())
            client.login(mailbox.user, mailbox.password)
            found = client.select_folder(mailbox.folder)
        yield Session(client, name(mailbox), int(found[b"UIDVALIDITY"]))
    finally:
        alarm.cancel()
        with suppress(IMAPClientError, OSError):
            client.logout()
        with suppress(IMAPClientError, OSError):
            client.shutdown()  # also after a log-out that broke off


def name(mailbox: Place) -> str:
    """What the mailbox is called in our rows."""
    return f"{mailbox.user}@{mailbox.host}/{mailbox.folder}"


def _connected(mailbox: Place) -> IMAPClient:
    over_tls: dict[str, Any] = (
        {"ssl": True, "ssl_context": ssl.create_default_context()} if mailbox.tls == "tls" else {"ssl": False}
    )
    return IMAPClient(
        mailbox.host,
        mailbox.port,
        use_uid=True,
        timeout=SocketTimeout(connect=CONNECT_S, read=ANSWER_S),
        **over_tls,
    )


def _hang_up(client: IMAPClient) -> None:
    line = client.socket()  # asked for now: STARTTLS puts another in its place
    with suppress(OSError):
        # Not the method of a TLS socket: that would touch what the other thread is using.
        socket.socket.shutdown(line, socket.SHUT_RDWR)


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (IMAPClientError, OSError) as error:
        raise Unreachable(type(error).__name__) from None
