"""Hand over by SMTP (RFC 5321): one message, one recipient, and the server's own answer as evidence."""

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP

from django.conf import settings

from providers.channels.result import Accepted, Call, Failed, without_links

# The server says so, and trying again will not change its mind; 4xx may pass.
_PERMANENT = range(500, 600)
# What xtext (RFC 3461, 4) writes in another way.
_XTEXT = re.compile(r"[^!-*,-<>-~]")
# seconds; a lease (cases/services/sending/claiming.py) has room for it after a hand-over.
_GOODBYE_S = 5.0


class _Answering(smtplib.SMTP):
    """smtplib throws the answer to DATA away when it is 250; it is our evidence. Not connected yet when made."""

    answer: tuple[int, bytes] = (0, b"")
    #: Whether the recipient was named: what goes wrong before that says nothing of it.
    has_recipient = False

    def __init__(self, host: str, **more: object) -> None:
        super().__init__(timeout=settings.EMAIL_TIMEOUT, **more)  # type: ignore[arg-type]
        # Whose certificate is asked for. Given to the base class, it would connect before anybody can hang up.
        self._host = host
        self._is_late = False

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        if self._is_late:
            line.close()
            raise TimeoutError
        return line

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        self.has_recipient = True
        return super().rcpt(recip, options)

    def data(self, msg: str | bytes) -> tuple[int, bytes]:  # type: ignore[override]
        self.answer = super().data(msg)
        return self.answer

    def hang_up(self) -> None:
        """End the conversation from another thread, whatever the server is saying."""
        self._is_late = True
        line = self.sock
        if line is not None:
            with suppress(OSError):
                # Not the method of a TLS socket: that would touch what the other thread is using.
                socket.socket.shutdown(line, socket.SHUT_RDWR)


class _AnsweringOverTLS(_Answering, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class SMTPChannel:
    """One connection to our relay, opened at the first message and again after a failure."""

    def __init__(self) -> None:
        self._connection: _Answering | None = None

    def hand_over(self, message: EmailMessage | Call, *, sender: str, recipient: str) -> Accepted | Failed:
        """Send one message within EMAIL_TIMEOUT in all. Never raises for what a server or a network can do.

        A connection that was used before may have been closed meanwhile, by the last recipient's doing or for its
        age: then a new one is tried in the time that is left, before anybody is blamed.
        """
        if not isinstance(message, EmailMessage):
            raise TypeError("SMTP takes mail")
        content = message.as_bytes(policy=SMTP)
        return self._hand_over(content, sender, recipient, time.monotonic() + settings.EMAIL_TIMEOUT)

    def _hand_over(self, content: bytes, sender: str, recipient: str, end: float) -> Accepted | Failed:
        is_used = self._connection is not None
        try:
            with self._open(end) as connection:
                refused = _sent(connection, sender, recipient, content)
        except _NotServed as error:
            self.close()
            if is_used and time.monotonic() < end:
                return self._hand_over(content, sender, recipient, end)
            return Failed(str(error), permanent=False, ours=True)
        except smtplib.SMTPRecipientsRefused as error:
            self._reset(end)
            return _failure(*next(iter(error.recipients.values())))
        except smtplib.SMTPResponseException as error:
            self.close()
            return _failure(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Failed(_silence(error), permanent=False)
        if refused:
            return _failure(*next(iter(refused.values())))
        return Accepted(_words(*connection.answer))

    @contextmanager
    def _open(self, end: float) -> Iterator[_Answering]:
        """The connection, ready for a message. It is hung up at `end` (monotonic seconds), whatever is done with it.

        Raises _NotServed when the relay does not want to speak with us: that says nothing of the recipient.
        """
        is_new = self._connection is None
        connection = self._connection = self._connection or _made()
        with _until(end, connection):
            if is_new:
                try:
                    _greet(connection)
                except smtplib.SMTPResponseException as error:
                    raise _NotServed(_words(error.smtp_code, error.smtp_error)) from error
                except (smtplib.SMTPException, OSError) as error:
                    raise _NotServed(_silence(error)) from error
            yield connection

    def _reset(self, end: float) -> None:
        try:
            if self._connection is not None:
                with _until(end, self._connection):
                    self._connection.rset()
        except (smtplib.SMTPException, OSError):
            self.close()

    def close(self) -> None:
        """End the connection, politely if it still listens."""
        connection, self._connection = self._connection, None
        if connection is not None:
            goodbye = time.monotonic() + min(_GOODBYE_S, settings.EMAIL_TIMEOUT)
            with suppress(smtplib.SMTPException, OSError), _until(goodbye, connection):
                connection.quit()


@contextmanager
def _until(end: float, connection: _Answering) -> Iterator[None]:
    """Hang up at `end`: a server that trickles its answer, a byte at a time, would never meet a time-out of the socket."""
    alarm = threading.Timer(max(0, end - time.monotonic()), connection.hang_up)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def _sent(
    connection: _Answering, sender: str, recipient: str, content: bytes
) -> dict[str, tuple[int, bytes]]:
    """`sendmail`; raises _NotServed for what passes and went wrong before the recipient was named."""
    connection.has_recipient = False
    try:
        return connection.sendmail(sender, [recipient], content, *_reports(connection, sender, recipient))
    except smtplib.SMTPResponseException as error:
        if connection.has_recipient or error.smtp_code in _PERMANENT:
            raise
        raise _NotServed(_words(error.smtp_code, error.smtp_error)) from error
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        if connection.has_recipient:
            raise
        raise _NotServed(_silence(error)) from error


class _NotServed(Exception):
    """The relay's own refusal, in its words."""


@contextmanager
def session() -> Iterator[SMTPChannel]:
    """A channel that is closed in the end."""
    channel = SMTPChannel()
    try:
        yield channel
    finally:
        channel.close()


def _made() -> _Answering:
    mail = settings.HOST.mail
    if mail.tls == "tls":
        # It verifies; smtplib's own default does not.
        return _AnsweringOverTLS(mail.host, context=ssl.create_default_context())
    return _Answering(mail.host)


def _greet(connection: _Answering) -> None:
    mail = settings.HOST.mail
    code, words = connection.connect(mail.host, mail.port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, words)
    if mail.tls == "starttls":
        connection.starttls(context=ssl.create_default_context())
    connection.ehlo_or_helo_if_needed()
    if mail.user:
        connection.login(mail.user, mail.password)


def _reports(connection: smtplib.SMTP, sender: str, recipient: str) -> tuple[list[str], list[str]]:
    """What a relay that sends delivery reports (RFC 3461) is asked for: the headers back, and a word of success too,
    by which we know that their server has a message. Nobody is to be told of what has no sender."""
    if not sender or not connection.has_extn("dsn"):
        return [], []
    return ["RET=HDRS"], [
        "NOTIFY=SUCCESS,FAILURE,DELAY",
        f"ORCPT=rfc822;{_XTEXT.sub(_hexadecimal, recipient)}",
    ]


def _hexadecimal(found: re.Match[str]) -> str:
    return "".join(f"+{byte:02X}" for byte in found[0].encode())


def _failure(code: int, words: bytes | str) -> Failed:
    return Failed(_words(code, words), permanent=code in _PERMANENT)


def _silence(error: Exception) -> str:
    return f"No answer from the mail server ({type(error).__name__})."


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {without_links(text)}"[:500]
