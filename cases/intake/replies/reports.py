"""What became of a message, recipient by recipient: reports by the standard (RFC 3464), and the common others.

Says what a mail claims. Whether that counts is another's to judge (cases/services/replies.py).
"""

import logging
import re
from collections.abc import Iterator
from email.message import Message
from typing import Final

from flufl.bounce import all_failures

from cases.intake.mailbox.parts import MAX_PARTS
from cases.services.replies import Fate

logger = logging.getLogger(__name__)

_STATUS: Final = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_ANSWER: Final = re.compile(r"\b[45]\d\d[ -][^\n]{3,300}")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
_MESSAGE_ID: Final = re.compile(r"<[^\s<>]{1,180}>")
_WORDS: Final = 400  # characters
#: characters of a bounce without a standard that are looked at.
_READ: Final = 100_000
#: A report with more recipients is nobody's answer to a message that had one.
_RECIPIENTS: Final = 100


def standard(mail: Message) -> list[Fate]:
    """The recipients of a delivery status notification; none when it is no such thing."""
    fates: list[Fate] = []
    for part in inside(mail):
        if part.get_content_type() not in {"message/delivery-status", "message/global-delivery-status"}:
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if isinstance(block, Message) and "Action" in block and len(fates) < _RECIPIENTS:
                fates.append(_fate(block))
    return fates


def _fate(block: Message) -> Fate:
    named = (str(block.get(name, "")) for name in ("Original-Recipient", "Final-Recipient"))
    status = _STATUS.search(str(block.get("Status", "")))
    words = str(block.get("Diagnostic-Code", "")).partition(";")
    return Fate(
        addresses=frozenset(filter(None, map(_address, named))),
        action=str(block["Action"]).partition("(")[0].strip().lower()[:20],
        status=status[0] if status else "",
        words=_one_line(words[2] or words[0]),
    )


def _address(value: str) -> str:
    """The address in "rfc822; abuse@example.net", without the comments and brackets that some put around it."""
    kind, semicolon, rest = value.partition(";")
    plain = (rest if semicolon else kind).partition("(")[0].strip().strip("<>").lower()[:320]
    if semicolon and "+" in plain and "@" not in plain:
        return ""
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), plain) if "+40" in plain else plain


def others(mail: Message, text: str) -> list[Fate]:
    """The recipients of a bounce that is written for people, as the servers of the world do."""
    try:
        delayed, failed = all_failures(mail if _weight(mail) <= _READ else _beginning(mail, text))
    except Exception as fault:  # noqa: BLE001 - the detectors were written for mail that is well formed
        logger.warning("a bounce cannot be read: %s", type(fault).__name__)
        return []
    answer = _ANSWER.search(text)
    status = _STATUS.search(text)
    words = _one_line(answer[0]) if answer else ""
    return [
        Fate(
            frozenset({address.decode("ascii", "replace").lower()[:320]}),
            action,
            status[0] if status else "",
            words,
        )
        for action, addresses in (("failed", failed), ("delayed", delayed))
        for address in sorted(addresses)[:_RECIPIENTS]
    ]


def _weight(mail: Message) -> int:
    """How much the detectors would read: every line, some twenty times."""
    return sum(len(inner) for part in mail.walk() if isinstance(inner := part.get_payload(), str))


def _beginning(mail: Message, text: str) -> Message:
    """A long bounce, which gives back a long message: whom it is about stands at its beginning."""
    short = Message()
    for name in ("From", "Subject", "X-Failed-Recipients"):
        if name in mail:
            short[name] = str(mail[name])
    short.set_payload(text[:_READ])
    return short


def returned_ids(mail: Message) -> list[str]:
    """The Message-IDs of the messages that a report gives back, whole or their headers only."""
    found = []
    for part in inside(mail):
        inner = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(inner, list):
            found += [str(each.get("Message-ID", "")) for each in inner[:1] if isinstance(each, Message)]
        elif part.get_content_type() == "text/rfc822-headers" and isinstance(inner, str):
            head = re.search(r"^Message-ID:\s*(<[^\s<>]{1,180}>)", inner, re.IGNORECASE | re.MULTILINE)
            found += [head[1]] if head else []
    return [each.strip() for each in found if _MESSAGE_ID.fullmatch(each.strip())]


def inside(mail: Message) -> Iterator[Message]:
    """The parts of a mail, without those of mails within it."""
    waiting = [mail]
    for _count in range(MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += [each for each in reversed(inner) if isinstance(each, Message)]
        yield part


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:_WORDS]
