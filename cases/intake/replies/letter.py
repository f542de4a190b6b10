"""One mail that came back, read. Never raises for what a sender wrote."""

import re
from email.message import Message
from email.utils import parseaddr
from typing import Final

from django.conf import settings

from cases.intake.mailbox import letter, parts
from cases.intake.mailbox.letter import MESSAGE_ID, Opened
from cases.intake.mailbox.server import Fetched
from cases.intake.replies import kinds, reports
from cases.models import ReplyMail
from cases.services.replies import Returned, unreadable

Kind = ReplyMail.Kind

#: Where a mail server writes down for whom a mail was, and then whom its sender named.
_TO: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
_ADDRESS: Final = re.compile(r"[^\s<>,;:\"()\[\]@]{1,64}@[A-Za-z0-9.-]{1,253}")
_NUMBER: Final = re.compile(r"\bNTD-\d{4}-\d{6,9}\b", re.IGNORECASE)
_HEADER: Final = 4_000  # characters of one header
_ADDRESSES: Final = 50
_THREAD: Final = 50
#: characters; more than that nobody reads of an answer.
_TEXT: Final = 100_000


def read(fetched: Fetched) -> Returned:
    """Read a mail as it was fetched."""
    out = letter.opened(fetched, authserv_id=settings.HOST.replies_authserv_id)
    if out.head is None:
        return unreadable(Returned(out.digest, out.contents, fetched.size, kind=Kind.ANSWER))
    head = out.head
    return letter.inside(
        fetched,
        lambda mail: _returned(fetched, out, mail),
        lambda trouble: _outside(fetched, out, head, trouble),
    )


def _returned(fetched: Fetched, out: Opened, mail: Message) -> Returned:
    found = parts.found_in(mail, lists=False)
    text = "\n\n".join(text for _kind, text in found.texts)[:_TEXT]
    return _made(fetched, out, mail, text=text, dropped=found.dropped, trouble=found.trouble)


def _outside(fetched: Fetched, out: Opened, head: Message, trouble: str) -> Returned:
    """What can be told of a mail whose inside is not read: whose it is, and to which message it belongs."""
    return _made(fetched, out, head, text="", dropped=0, trouble=trouble)


def _made(fetched: Fetched, out: Opened, mail: Message, *, text: str, dropped: int, trouble: str) -> Returned:
    number = _NUMBER.search(out.subject)
    what = kinds.sort(
        mail,
        sender=out.sender.address,
        subject=out.subject,
        text=text,
        ours=parseaddr(settings.HOST.sender_address)[1],
    )
    return Returned(
        out.digest,
        out.contents,
        fetched.size,
        kind=what.kind,
        message_id=out.message_id,
        sender=out.sender.address,
        domain=out.sender.domain,
        subject=out.subject,
        text=text,
        is_proven=out.is_proven,
        to=_to(mail),
        thread=_thread(mail),
        number=number[0].upper() if number else "",
        ticket=what.ticket,
        fates=what.fates,
        dropped=dropped,
        trouble=trouble,
    )


def _to(mail: Message) -> tuple[str, ...]:
    values = [str(value)[:_HEADER] for name in _TO for value in mail.get_all(name, [])[:10]]
    found = [address for value in values for address in _ADDRESS.findall(value)]
    return tuple(dict.fromkeys(found[:_ADDRESSES]))


def _thread(mail: Message) -> tuple[str, ...]:
    """The Message-IDs of what it answers or gives back, the nearest last."""
    values = [
        str(value)[-_HEADER:] for name in ("References", "In-Reply-To") for value in mail.get_all(name, [])
    ]
    found = [each for value in values for each in MESSAGE_ID.findall(value)]
    return tuple(dict.fromkeys([*found, *reports.returned_ids(mail)]))[-_THREAD:]
