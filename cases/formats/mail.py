"""A dispatch as one mail message (RFC 5322): the headers others rely on, the text first, then attachments."""

import base64
import hmac
from collections.abc import Iterable
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from django.conf import settings

from cases.formats import attachments
from cases.formats.headers import POLICY
from cases.formats.letter import Letter
from providers.models import Contact
from vault.keys import ring


def message(letter: Letter, *, subject: str, body: str, in_reply_to: str = "") -> EmailMessage:
    """Build the message. The same dispatch gives the same Message-ID however often it is built.

    Raises Unmade when what should go along with it cannot.
    """
    mail = EmailMessage(policy=POLICY)
    local, _at, domain = parseaddr(settings.HOST.sender_address)[1].rpartition("@")
    mail["From"] = Address(settings.HOST.sender_name, local, domain)
    mail["To"] = Address(addr_spec=_recipient(letter.contact))
    mail["Subject"] = subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = letter.dispatch.message_id
    mail["Reply-To"] = Address(addr_spec=reply_path(letter.dispatch.number))
    mail["X-Takedown-Dispatch"] = letter.dispatch.number
    if in_reply_to:
        mail["In-Reply-To"] = mail["References"] = in_reply_to
    if letter.is_automatic:
        mail["Auto-Submitted"] = "auto-generated"
    # 7 bits: not every server on the way takes 8, and a line of a body or a file may be longer than SMTP allows.
    mail.set_content(body, charset="utf-8", cte="quoted-printable")
    for file in attachments(letter):
        main, _slash, sub = file.media_type.partition("/")
        if main == "text":
            mail.add_attachment(file.text, subtype=sub, charset="utf-8", cte="base64", filename=file.name)
        else:
            mail.add_attachment(file.text.encode(), maintype=main, subtype=sub, filename=file.name)
    return mail


def _recipient(contact: Contact) -> str:
    """The contact; a dry run writes as mail what a webhook would have carried."""
    return contact.address if contact.channel == Contact.Channel.SMTP else settings.HOST.dry_run_address


def size(mail: EmailMessage) -> int:
    """How many bytes a message has on the wire, without its headers; encoding makes it larger than its text."""
    return sum(len(part.get_payload()) for part in mail.walk() if not part.is_multipart())


def return_path(token: str) -> str:
    """The address that bounces of one dispatch come back to (VERP). Nobody reads it in the message itself."""
    return _beside(token)


def reply_path(number: str) -> str:
    """The address that people answer one dispatch at: its number, and a proof that we wrote it.

    Another than the return path: whom a notice is forwarded to can answer it, and cannot say that it bounced.
    """
    return _beside(f"{number.lower()}.{_proof(number)}")


def paths_in(addresses: Iterable[str]) -> tuple[set[str], set[str]]:
    """The secrets of return paths, and the numbers of true reply addresses, among mail addresses."""
    local, _at, domain = parseaddr(settings.HOST.sender_address)[1].lower().rpartition("@")
    tokens: set[str] = set()
    numbers: set[str] = set()
    for address in addresses:
        name, _at, host = address.rpartition("@")
        base, plus, secret = name.partition("+")
        if not plus or host.lower() != domain or base.lower() != local:
            continue
        number, dot, proof = secret.lower().partition(".")
        if not dot:
            tokens.add(secret)
        elif hmac.compare_digest(proof.encode(), _proof(number.upper()).encode()):
            numbers.add(number.upper())
    return tokens, numbers


def _beside(detail: str) -> str:
    local, _at, domain = parseaddr(settings.HOST.sender_address)[1].rpartition("@")
    return f"{local}+{detail}@{domain}"


def _proof(number: str) -> str:
    """80 bits, in letters that no mail server changes."""
    return base64.b32encode(ring().blind(number, purpose="reply_path")[:10]).decode().lower()
