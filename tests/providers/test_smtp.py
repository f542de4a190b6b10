"""Handing over by SMTP: what the server said is kept, and nobody else gets to see the message."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from providers.channels.result import Accepted, Failed
from providers.channels.smtp import _words, session
from takedown.env import Mail
from tests.mailserver import MailServer, _Protocol

CERTIFICATE = Path(__file__).with_name("localhost.pem")
TO = "abuse@alfa.example"


def hand_over(recipient: str = TO) -> Accepted | Failed:
    message = EmailMessage()
    message["Message-ID"] = "<1@hotline.example>"
    message.set_content("words")
    with session() as channel:
        return channel.hand_over(message, sender="meldpunt@hotline.example", recipient=recipient)


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        ("accept", Accepted("250 2.0.0 queued as test")),
        ("451", Failed("451 4.3.0 try again later", permanent=False)),
        ("421", Failed("421 4.7.0 too many connections", permanent=False)),
        ("550", Failed("550 5.1.1 no such mailbox", permanent=True)),
        ("drop", Failed("No answer from the mail server (SMTPServerDisconnected).", permanent=False)),
    ],
)
def test_the_servers_own_words_are_the_outcome(
    mail_server: MailServer, behaviour: str, outcome: object
) -> None:
    mail_server.behave(TO, behaviour)

    assert hand_over() == outcome


def test_after_a_refusal_the_next_message_goes_over_the_same_connection(mail_server: MailServer) -> None:
    mail_server.behave("no@alfa.example", "550")
    message = EmailMessage()
    message["Message-ID"] = "<1@hotline.example>"
    with session() as channel:
        for recipient in ("no@alfa.example", TO, TO):
            channel.hand_over(message, sender="meldpunt@hotline.example", recipient=recipient)

    assert len(mail_server.accepted) == 2
    assert mail_server.connections == 1


def test_after_a_dropped_connection_the_next_message_opens_a_new_one(mail_server: MailServer) -> None:
    mail_server.behave(TO, "drop", "accept")
    message = EmailMessage()
    message["Message-ID"] = "<1@hotline.example>"
    with session() as channel:
        outcomes = [
            channel.hand_over(message, sender="meldpunt@hotline.example", recipient=TO) for _ in range(2)
        ]

    assert [type(outcome) for outcome in outcomes] == [Failed, Accepted]


# -- servers that are not polite ------------------------------------------------------------------------------


class Rude:
    """Listens, and says what the test wrote, whatever it is told."""

    def __init__(self, speak: Callable[[asyncio.StreamWriter], Any]) -> None:
        self._speak = speak
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()
        self.port = 0
        self._thread.start()
        assert self._started.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._speak(writer)
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = self._loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def rude(host: Callable[..., None]) -> Iterator[Callable[[Any], None]]:
    """`rude(speak)`: our relay is a server that does `await speak(writer)` for every connection."""
    servers: list[Rude] = []

    def start(speak: Any) -> None:
        servers.append(Rude(speak))
        host(mail=Mail("127.0.0.1", servers[-1].port, "", "", ""))

    yield start
    for server in servers:
        server.stop()


async def _trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _closed_for_us(writer: asyncio.StreamWriter) -> None:
    writer.write(b"554 go away\r\n")
    await writer.drain()


async def _nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff" * 5_000 + b"\r\n")
    await writer.drain()


async def _silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("speak", [_trickle, _silence])
def test_a_server_that_trickles_or_says_nothing_is_hung_up_on_in_time(
    rude: Callable[[Any], None], settings: Any, speak: Any
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    rude(speak)

    outcome = hand_over()

    assert isinstance(outcome, Failed)
    assert not outcome.permanent


def test_a_second_connection_gets_only_the_time_that_the_first_has_left(
    rude: Callable[[Any], None], settings: Any
) -> None:
    calls = []

    async def polite_once(writer: asyncio.StreamWriter) -> None:
        calls.append(writer)
        if len(calls) == 1:
            writer.write(b"220 hello\r\n250 hello\r\n")
            await writer.drain()
        await asyncio.sleep(60)

    settings.EMAIL_TIMEOUT = 0.6
    rude(polite_once)
    message = EmailMessage()
    with session() as channel:
        # As after a message that went well: the relay has greeted us, and falls silent.
        with channel._open(time.monotonic() + 5):
            pass
        began = time.monotonic()
        outcome = channel.hand_over(message, sender="meldpunt@hotline.example", recipient=TO)

        assert outcome == Failed(
            "No answer from the mail server (SMTPServerDisconnected).", permanent=False, ours=True
        )
        assert time.monotonic() - began < 1.1


def test_what_a_server_says_is_kept_without_the_addresses_that_it_repeats() -> None:
    said = b"5.7.1 Listed: hxxps://bad[.]example/a.jpg\nsee https://bad.example/b or bad[.]example for why"

    assert _words(554, said) == "554 5.7.1 Listed: … see … or … for why"


@pytest.mark.parametrize("speak", [_closed_for_us, _nonsense])
def test_a_relay_that_wants_nothing_from_us_says_nothing_of_the_recipient(
    rude: Callable[[Any], None], speak: Any
) -> None:
    rude(speak)

    outcome = hand_over()

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert outcome.answer.isprintable()
    assert len(outcome.answer) <= 500


def test_nobody_there_is_a_passing_trouble(host: Callable[..., None]) -> None:
    host(mail=Mail("127.0.0.1", 9, "", "", ""))

    assert hand_over() == Failed(
        "No answer from the mail server (ConnectionRefusedError).", permanent=False, ours=True
    )


# -- TLS --------------------------------------------------------------------------------------------------------


class _TLSServer(MailServer):
    """The test's mail server with a certificate for localhost; from the first byte or by STARTTLS."""

    def __init__(self, *, implicit: bool) -> None:
        super().__init__()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        self._listen_with = context if implicit else None
        self._offer = None if implicit else context

    def _protocol(self) -> SMTP:
        return SMTP(self, hostname="mx.test", loop=self._loop, tls_context=self._offer, ident="test")


@pytest.fixture(params=["tls", "starttls"])
def secure(request: pytest.FixtureRequest, host: Callable[..., None]) -> Iterator[_TLSServer]:
    """A relay that speaks TLS, named localhost."""
    server = _TLSServer(implicit=request.param == "tls")
    server.start()
    host(mail=Mail("localhost", server.port, "", "", request.param))
    yield server
    server.stop()


def test_over_tls_a_server_with_a_certificate_that_we_trust_gets_the_message(
    secure: _TLSServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    assert hand_over() == Accepted("250 2.0.0 queued as test")
    assert len(secure.accepted) == 1


def test_over_tls_a_server_that_cannot_prove_its_name_gets_nothing(secure: _TLSServer) -> None:
    assert hand_over() == Failed(
        "No answer from the mail server (SSLCertVerificationError).", permanent=False, ours=True
    )
    assert secure.received == []


def test_a_server_that_does_not_offer_the_tls_we_want_gets_nothing(
    mail_server: MailServer, host: Callable[..., None]
) -> None:
    host(mail=Mail("127.0.0.1", mail_server.port, "", "", "starttls"))

    assert isinstance(hand_over(), Failed)
    assert mail_server.received == []


class ReportingServer(MailServer):
    """A relay that sends delivery reports, and says so (RFC 3461)."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]

    def _protocol(self) -> SMTP:
        return _Reporting(self, self._loop)


class _Reporting(_Protocol):
    """aiosmtpd knows no options: they are taken off, and kept."""

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_MAIL(self._plain(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_RCPT(self._plain(arg))

    def _plain(self, arg: str | None) -> str:
        path, *options = (arg or "").split()
        assert isinstance(self._counted, ReportingServer)
        self._counted.asked += [option for option in options if not option.startswith("size=")]
        return path


def test_a_relay_that_sends_delivery_reports_is_asked_for_them(host: Callable[..., None]) -> None:
    server = ReportingServer()
    server.start()
    try:
        host(mail=Mail(host="127.0.0.1", port=server.port, user="", password="", tls=""))
        assert isinstance(hand_over("abuse+x=1@alfa.example"), Accepted)
        with session() as channel:
            message = EmailMessage()
            message["Message-ID"] = "<2@hotline.example>"
            channel.hand_over(message, sender="", recipient=TO)
    finally:
        server.stop()

    assert server.asked == [
        "RET=HDRS",
        "NOTIFY=SUCCESS,FAILURE,DELAY",
        "ORCPT=rfc822;abuse+2Bx+3D1@alfa.example",
    ], "and nothing for what has no sender"
