"""A real SMTP server on loopback whose behaviour a test chooses per recipient."""

import asyncio
import ssl
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

#: What a recipient's server may do with a message.
ACCEPT, LATER, TOO_BUSY, NEVER, DROP, STALL = "accept", "451", "421", "550", "drop", "stall"
MID_DATA, CUT_AFTER, TRICKLE = "mid-data", "cut-after", "trickle"


@dataclass(frozen=True)
class Received:
    """A message that was taken off the wire. `answered`: whether the client was told 250."""

    sender: str
    recipient: str
    raw: bytes
    answered: bool

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        parsed = message_from_bytes(self.raw, policy=policy.SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """The text part."""
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


class MailServer:
    """Accepts everything unless told otherwise by `behave`.

    accept: 250 after DATA. 451, 421, 550: refuses the recipient. drop: takes the message and hangs up before
    it answers, as a crash between their 250 and our reading of it would. stall: never answers DATA until
    `resume` is called. mid-data: hangs up in the middle of the message. cut-after: says 250 and hangs up. trickle:
    answers DATA a byte at a time.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.on_data: Callable[[str], None] = lambda recipient: None
        self._plans: dict[str, deque[str]] = defaultdict(deque)
        self._always: dict[str, str] = {}
        self._resumed = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="test-mail-server", daemon=True)
        self._started = threading.Event()
        self._listen_with: ssl.SSLContext | None = None
        self.port = 0

    # -- what a test says and asks ------------------------------------------------------------------------

    def behave(self, recipient: str, *plan: str) -> None:
        """Do `plan`, one word per attempt, then accept; a single word holds for good."""
        if len(plan) == 1:
            self._always[recipient] = plan[0]
        else:
            self._always.pop(recipient, None)
            self._plans[recipient] = deque(plan)

    def resume(self) -> None:
        """Let every stalled DATA end."""
        self._resumed.set()

    @property
    def accepted(self) -> list[Received]:
        """What was answered with 250."""
        return [each for each in self.received if each.answered]

    def copies(self) -> Counter[str]:
        """Message-ID -> how many copies went over the wire, answered or not."""
        return Counter(each.id for each in self.received)

    # -- the server ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        self._thread.start()
        assert self._started.wait(10), "the mail server did not start"

    def stop(self) -> None:
        """Stop listening and hang up."""
        self._resumed.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=self._listen_with)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))

    def _protocol(self) -> SMTP:
        return _Protocol(self, self._loop)

    def _next(self, recipient: str) -> str:
        plan = self._plans[recipient]
        return plan.popleft() if plan else self._always.get(recipient, ACCEPT)

    # -- aiosmtpd's handler -------------------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        what = self._next(address)
        refusals = {
            LATER: "451 4.3.0 try again later",
            TOO_BUSY: "421 4.7.0 too many connections",
            NEVER: "550 5.1.1 no such mailbox",
        }
        if what in refusals:
            return refusals[what]
        envelope.rcpt_tos.append(address)
        envelope.takedown_plan = what  # type: ignore[attr-defined]
        return "250 2.1.5 recipient fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        what = getattr(envelope, "takedown_plan", ACCEPT)
        (recipient,) = envelope.rcpt_tos
        assert isinstance(envelope.original_content, bytes)
        self.on_data(recipient)
        assert isinstance(server.transport, asyncio.Transport)
        if what == STALL:
            await self._stalled()
        if what == TRICKLE:
            for _byte in range(600):
                if server.transport.is_closing() or self._resumed.is_set():
                    break
                server.transport.write(b"2")
                await asyncio.sleep(0.1)
        self.received.append(
            Received(
                sender=envelope.mail_from or "",
                recipient=recipient,
                raw=envelope.original_content,
                answered=what in {ACCEPT, CUT_AFTER},
            )
        )
        if what == CUT_AFTER:
            asyncio.get_running_loop().call_soon(server.transport.close)
        elif what != ACCEPT:
            server.transport.abort()
        return "250 2.0.0 queued as test"

    async def _stalled(self) -> None:
        """Not in a thread of the loop's pool: many may stall at once."""
        for _look in range(1_200):
            if self._resumed.is_set():
                return
            await asyncio.sleep(0.1)


class _Protocol(SMTP):
    def __init__(self, handler: MailServer, loop: asyncio.AbstractEventLoop) -> None:
        self._counted = handler
        super().__init__(handler, hostname="mx.test", loop=loop, enable_SMTPUTF8=False, ident="test")

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.envelope is not None and getattr(self.envelope, "takedown_plan", ACCEPT) == MID_DATA:
            await self.push("354 go on")
            await self._reader.read(100)
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.abort()
            return
        await super().smtp_DATA(arg)

    def connection_made(self, transport: Any) -> None:
        self._counted.connections += 1
        super().connection_made(transport)
