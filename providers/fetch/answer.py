"""What a server said, and every way in which it said nothing that can be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Answer:
    """Status, headers and the body, as the server sent it: nothing is decoded or decompressed.

    `is_whole` is False when the server had, or may have had, more than what `body` holds. A redirect that was not
    to be followed is an answer like any other.
    """

    status: int
    headers: Mapping[str, str] = field(
        repr=False
    )  # names in lower case; of several with one name ", " between
    body: bytes = field(repr=False)
    is_whole: bool

    def header(self, name: str) -> str:
        """The value of a header, "" when there is none."""
        return self.headers.get(name.lower(), "")


class FetchFailed(Exception):
    """There is no answer. The text is one of our own phrases in English: never a URL, nor what the server sent.

    `code` is for rows and for choosing words. With `was_sent` the server may have had the whole request, and may
    have acted on it.
    """

    code: ClassVar[str]
    was_sent = False


class Refused(FetchFailed):
    """We do not go there: the address is not public, or the URL is not one that we use. Trying again is useless."""

    code = "refused"


class NoAnswer(FetchFailed):
    """The name leads nowhere, nobody listens there, or the connection broke."""

    code = "no_answer"


class TlsFailed(FetchFailed):
    """There is no trusted connection to that name: a wrong, old or strange certificate, or no TLS at all."""

    code = "tls"


class TooSlow(FetchFailed):
    """The time was up, whatever used it: the name server, the connection, or an answer that drips."""

    code = "too_slow"


class TooLarge(FetchFailed):
    """The answer, or its head, is longer than any that we would read."""

    code = "too_large"


class NotUnderstood(FetchFailed):
    """What came is not HTTP, or is compressed although we asked for it plain."""

    code = "not_understood"
