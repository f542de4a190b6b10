"""What goes over the wire, and the copy of it that we keep: all that it says, readable to us alone."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from django.utils import translation

from cases.formats import pgp_mime
from cases.models import Attempt, Dispatch
from providers.models import ContactKey


def keys_of(contact_ids: Collection[int]) -> dict[int, ContactKey]:
    """id of a contact -> the key that mail to it is encrypted with; also one that has expired."""
    return {key.contact_id: key for key in ContactKey.objects.in_use().filter(contact__in=contact_ids)}


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
