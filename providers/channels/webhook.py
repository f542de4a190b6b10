"""Hand over by a signed POST (Standard Webhooks 1.0): a reference and an instant, never an address of content.

The endpoint is reached by the guarded fetcher alone. 2xx is acceptance by their own server; a redirect is never
followed; 410 says that the endpoint is gone for good. All else may pass, and is tried again under the same id.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Final

from standardwebhooks.webhooks import Webhook

from providers.channels.result import Accepted, Call, Failed, without_links
from providers.fetch import Answer, Fetcher, FetchFailed, Refused, fetcher

#: For all of one POST, the name server included.
WITHIN: Final = timedelta(seconds=30)
GONE: Final = 410
_PUTS_OFF: Final = frozenset({429, 503})


class WebhookChannel:
    """One POST for each message; nothing stays open between two."""

    def __init__(self, through: Fetcher) -> None:
        self._through = through

    def hand_over(self, message: EmailMessage | Call, *, sender: str, recipient: str) -> Accepted | Failed:
        """POST to `recipient`, signed with each of the secrets. Never raises for what a server or a network can do."""
        if not isinstance(message, Call):
            raise TypeError("a webhook takes no mail")
        headers = {"Content-Type": "application/json", **signed(message)}
        begun = monotonic()
        try:
            answer = self._through.post(recipient, message.body, headers=headers, within=WITHIN)
        except Refused as refusal:
            return Failed(f"We do not go there: {refusal}.", permanent=True)
        except FetchFailed as failure:
            return Failed(f"No answer: {failure}.", permanent=False, took=_since(begun))
        return replace(_result(answer, now=message.at), status=answer.status, took=_since(begun))


def signed(call: Call) -> dict[str, str]:
    """The three headers of the specification; a signature for each secret, so that one can follow the other."""
    # The library reads any instant as if it were UTC without saying so.
    at = call.at.astimezone(UTC)
    body = call.body.decode()
    signatures = [Webhook(secret).sign(call.id, at, body) for secret in call.secrets]
    return {
        "webhook-id": call.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@contextmanager
def session() -> Iterator[WebhookChannel]:
    """A channel through the fetcher of this process."""
    yield WebhookChannel(fetcher())


def _since(begun: float) -> timedelta:
    return timedelta(seconds=monotonic() - begun)


def _result(answer: Answer, *, now: datetime) -> Accepted | Failed:
    said = _words(answer)
    if 200 <= answer.status < 300:
        return Accepted(said, theirs=True)
    if answer.status == GONE:
        return Failed(said, permanent=True, gone=True)
    if 300 <= answer.status < 400:
        return Failed(f"{said} Redirects are not followed.", permanent=True)
    wait = _wait(answer.header("Retry-After"), now=now) if answer.status in _PUTS_OFF else None
    return Failed(said, permanent=False, wait=wait)


def _words(answer: Answer) -> str:
    return f"HTTP {answer.status} {without_links(answer.body.decode('utf-8', 'replace'))}".strip()[:400]


def _wait(text: str, *, now: datetime) -> timedelta | None:
    """Retry-After (RFC 9110, 10.2.3): seconds or a date; None when it is neither, or has passed."""
    if text.isascii() and text.isdecimal() and len(text) <= 9:
        return timedelta(seconds=int(text))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return wait if wait > timedelta(0) else None
