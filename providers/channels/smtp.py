"""Hand over by SMTP (RFC 5321): one message, one recipient, and the server's own answer as evidence."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP

from django.conf import settings

from providers.channels.result import Accepted, Failed

# The server says so, and trying again will not change its mind; 4xx may pass.
_PERMANENT = range(500, 600)


class _Answering(smtplib.SMTP):
    """smtplib throws the answer to DATA away when it is 250; it is our evidence."""

    answer: tuple[int, bytes] = (0, b"")

    def data(self, msg: str | bytes) -> tuple[int, bytes]:  # type: ignore[override]
        self.answer = super().data(msg)
        return self.answer


class _AnsweringOverTLS(_Answering, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class SMTPChannel:
    """One connection to our relay, opened at the first message and again after a failure."""

    def __init__(self) -> None:
        self._connection: _Answering | None = None

    def hand_over(self, message: EmailMessage, *, sender: str, recipient: str) -> Accepted | Failed:
        """Send one message. Never raises for what a server or a network can do."""
        try:
            connection = self._open()
            refused = connection.sendmail(sender, [recipient], message.as_bytes(policy=SMTP))
        except smtplib.SMTPRecipientsRefused as error:
            self._reset()
            return _failure(*next(iter(error.recipients.values())))
        except smtplib.SMTPResponseException as error:
            self.close()
            return _failure(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Failed(f"No answer from the mail server ({type(error).__name__}).", permanent=False)
        if refused:
            return _failure(*next(iter(refused.values())))
        return Accepted(_words(*connection.answer))

    def _open(self) -> _Answering:
        if self._connection is None:
            mail = settings.HOST.mail
            connection: _Answering
            if mail.tls == "tls":
                context = ssl.create_default_context()  # verifies; smtplib's own default does not
                connection = _AnsweringOverTLS(
                    mail.host, mail.port, timeout=settings.EMAIL_TIMEOUT, context=context
                )
            else:
                connection = _Answering(mail.host, mail.port, timeout=settings.EMAIL_TIMEOUT)
            if mail.tls == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if mail.user:
                connection.login(mail.user, mail.password)
            self._connection = connection
        return self._connection

    def _reset(self) -> None:
        try:
            if self._connection is not None:
                self._connection.rset()
        except (smtplib.SMTPException, OSError):
            self.close()

    def close(self) -> None:
        """End the connection, politely if it still listens."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()


@contextmanager
def session() -> Iterator[SMTPChannel]:
    """A channel that is closed in the end."""
    channel = SMTPChannel()
    try:
        yield channel
    finally:
        channel.close()


def _failure(code: int, words: bytes | str) -> Failed:
    return Failed(_words(code, words), permanent=code in _PERMANENT)


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    printable = "".join(char if char.isprintable() else " " for char in text)
    return f"{code} {printable}"[:500]
