"""One mail, read: who sent it, whether that is proven, and the texts in it. Never raises for what a sender wrote."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from typing import Final, TypeVar

from django.conf import settings

from cases.intake.mailbox import authenticity, machines, parts, texts
from cases.intake.mailbox.server import MAX_HEADER, Fetched
from cases.intake.way import Unreadable
from cases.models import Mail
from cases.services.mailbox import Arrived

Reason = Mail.Reason
T = TypeVar("T")
_NOBODY: Final = authenticity.Sender("", "")

_END_OF_HEADER: Final = re.compile(rb"\r?\n\r?\n")
MESSAGE_ID: Final = re.compile(r"<[^\s<>]{1,180}>")
_SUBJECT: Final = 200  # characters
#: A mail with more is looked at by a person before it is taken in.
MAX_LINES: Final = 10_000


@dataclass(frozen=True)
class Opened:
    """What stands on the outside of a mail. `head`: its header, or None when it is longer than is read.

    `contents` names what it says: two deliveries of one mail differ in the lines that servers add on top.
    """

    digest: str
    contents: str
    head: Message | None
    message_id: str = ""
    sender: authenticity.Sender = _NOBODY
    subject: str = ""
    is_proven: bool = False


def digest_of(fetched: Fetched) -> str:
    """Names the very bytes."""
    return hashlib.sha256(fetched.raw).hexdigest()


def opened(fetched: Fetched, *, authserv_id: str) -> Opened:
    """The outside of a mail; `authserv_id` is the name by which our server signs what it found."""
    raw = fetched.raw
    end = _END_OF_HEADER.search(raw)
    header, body = (raw[: end.end()], raw[end.end() :]) if end else (raw, b"")
    digest = digest_of(fetched)
    contents = hashlib.sha256(body if fetched.is_whole else raw).hexdigest()
    if len(header) > MAX_HEADER:
        return Opened(digest, contents, None)
    # Not message_from_bytes: it asks for the boundary, and not every boundary can be told.
    head = BytesHeaderParser().parsebytes(header)
    sender = authenticity.sender([str(value) for value in head.get_all("From", [])])
    ids = [str(value).strip() for value in head.get_all("Message-ID", [])]
    return Opened(
        digest,
        contents,
        head,
        message_id=ids[0] if len(ids) == 1 and MESSAGE_ID.fullmatch(ids[0]) else "",
        sender=sender or _NOBODY,
        subject=_subject(head),
        is_proven=sender is not None
        and authenticity.is_proven(
            [(name, str(value)) for name, value in head.items()],
            authserv_id=authserv_id,
            domain=sender.domain,
        ),
    )


def read(fetched: Fetched) -> Arrived:
    """Read a mail as it was fetched."""
    out = opened(fetched, authserv_id=settings.HOST.mailbox_authserv_id)
    if out.head is None:
        return Arrived(out.digest, out.contents, fetched.size, trouble=Reason.UNREADABLE)
    address, domain = out.sender
    found = inside(fetched, parts.found_in, lambda trouble: parts.Found(trouble=trouble))
    total, trouble = _lines(found, domain)
    return Arrived(
        out.digest,
        out.contents,
        fetched.size,
        message_id=out.message_id,
        sender=address,
        domain=domain,
        subject=out.subject,
        by_machine=machines.is_machine(
            out.head, sender=address, ours=parseaddr(settings.HOST.sender_address)[1]
        ),
        is_proven=out.is_proven,
        texts=tuple(found.texts),
        total=total,
        dropped=found.dropped,
        trouble=trouble,
    )


def inside(fetched: Fetched, take: Callable[[Message], T], refuse: Callable[[str], T]) -> T:
    """What `take` makes of a whole mail, within limits; else what `refuse` makes of the reason."""
    if not fetched.is_whole:
        return refuse(Reason.TOO_LARGE)
    if parts.is_too_nested(fetched.raw):
        return refuse(Reason.PARTS)
    try:
        return take(message_from_bytes(fetched.raw))
    except RecursionError:  # mails within mails, without end
        return refuse(Reason.PARTS)
    except (LookupError, TypeError, ValueError):
        # Parameters that the library stumbles over (RFC 2231: numbers without end, sections mixed, odd charsets).
        return refuse(Reason.UNREADABLE)


def _lines(found: parts.Found, domain: str) -> tuple[int, str]:
    """How many lines the report would have, and why a person must look first, or ""."""
    try:
        total = len(texts.read(found.texts, domain=domain).lines)
    except Unreadable:
        return 0, found.trouble or Reason.BAD_FILE
    if found.trouble or total == 0:
        return total, found.trouble or Reason.NO_LINES
    return total, Reason.MANY_LINES if total > MAX_LINES else ""


def _subject(head: Message) -> str:
    """The subject as one line of text."""
    raw = re.sub(r"\s+", " ", str(head.get("Subject", "")))[: 4 * _SUBJECT]
    try:
        chunks = decode_header(raw)
    except HeaderParseError:
        chunks = [(raw, None)]
    words = []
    for chunk, charset in chunks:
        if isinstance(chunk, str):
            words.append(chunk)
            continue
        try:
            words.append(chunk.decode(charset or "ascii", "replace"))
        except (LookupError, UnicodeError):
            words.append(chunk.decode("ascii", "replace"))
    text = "".join(character if character.isprintable() else " " for character in "".join(words))
    return " ".join(text.split())[:_SUBJECT]
