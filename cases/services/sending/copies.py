"""What goes over the wire, and the copy of it that we keep: all that it says, readable to us alone."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from django.utils import translation
from django.utils.translation import gettext as _

from cases.formats import event, pgp_mime
from cases.formats.files import NoKey
from cases.models import Attempt, Dispatch
from providers.channels.result import Call
from providers.models import ContactKey, ContactSecret


def keys_of(contact_ids: Collection[int]) -> dict[int, ContactKey]:
    """id of a contact -> the key that mail to it is encrypted with; also one that has expired."""
    return {key.contact_id: key for key in ContactKey.objects.in_use().filter(contact__in=contact_ids)}


def secrets_of(contact_ids: Collection[int], *, now: datetime) -> dict[int, list[str]]:
    """id of a contact -> the secrets that its webhooks are signed with, the newest first."""
    found: dict[int, list[str]] = {}
    for each in ContactSecret.objects.signing(now=now).filter(contact__in=contact_ids):
        found.setdefault(each.contact_id, []).append(each.secret)
    return found


def called(dispatch: Dispatch, *, number: int, secrets: Sequence[str], now: datetime) -> tuple[Attempt, Call]:
    """The attempt, not saved yet, and the webhook with the body that the dispatch keeps. Raises NoKey."""
    if not secrets:
        raise NoKey(_("This webhook has no secret yet: mint one on the page of the contact."))
    body = dispatch.body.encode()
    attempt = Attempt(dispatch=dispatch, number=number, started_at=now)
    attempt.copy = dispatch.body
    attempt.copy_digest = attempt.wire_digest = hashlib.sha256(body).digest()
    return attempt, Call(event.event_id(dispatch), now, body, tuple(secrets))


def begun(
    dispatch: Dispatch, message: EmailMessage, *, number: int, key: ContactKey | None, now: datetime
) -> tuple[Attempt, EmailMessage]:
    """The attempt, not saved yet, with its copy; and the message as it goes out. Raises NoKey (of Unmade)."""
    clear = message.as_bytes(policy=SMTP)
    attempt = Attempt(dispatch=dispatch, number=number, started_at=now)
    attempt.copy = clear.decode("ascii")
    attempt.copy_digest = attempt.wire_digest = hashlib.sha256(clear).digest()
    if key is not None:
        with translation.override(dispatch.contact.provider.language):
            message = pgp_mime.encrypted(
                message, certificate=bytes(key.certificate), number=dispatch.number, now=now
            )
        attempt.wire_digest = hashlib.sha256(message.as_bytes(policy=SMTP)).digest()
        attempt.encrypted_for = key.fingerprint
    return attempt, message
