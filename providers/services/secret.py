"""The secret of a webhook: minted here, shown once, followed by another with time to change over; and a test."""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.channels import CHANNELS
from providers.channels.result import Accepted, Call, Failed
from providers.models import Contact, ContactSecret
from providers.services.contact import locked
from providers.services.unfit import Unfit

#: How long the earlier secret goes on signing beside a new one (P).
OVERLAP: Final = timedelta(hours=24)
_BYTES: Final = 32
#: `type` of a test event.
TEST: Final = "endpoint.test"


def mint_secret(*, contact_id: int, by: Actor, now: datetime) -> str:
    """A new secret, `whsec_...`: this is the only time that it is told. Raises Unfit.

    The one before it signs beside it for OVERLAP; one that was itself being followed ends at once.
    """
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"
    with transaction.atomic():
        contact = locked(contact_id)
        if contact.channel != Contact.Channel.WEBHOOK:
            raise Unfit(_("Only a webhook has a secret."))
        contact.secrets.filter(ends_at__gt=now).update(ends_at=now)
        contact.secrets.filter(ends_at__isnull=True).update(ends_at=now + OVERLAP)
        minted = ContactSecret(contact=contact, created_at=now, created_by=str(by))
        minted.secret = secret
        minted.save(force_insert=True)
        data = {"provider": contact.provider.code}
        record("mint_secret", "contact", contact.pk, by=by, at=now, data=data)
    return secret


@dataclass(frozen=True)
class Tried:
    """A test call and what became of it."""

    contact: Contact
    call: Call
    result: Accepted | Failed


def try_webhook(*, contact_id: int, by: Actor, now: datetime) -> str:
    """Send a test event and return what their server said. It is about no notice. Raises Unfit, in words."""
    tried = call_webhook(contact_id=contact_id, by=by, now=now)
    if not isinstance(tried.result, Accepted):
        raise Unfit(_("Their server did not accept it: %(answer)s") % {"answer": tried.result.answer})
    return tried.result.answer


def call_webhook(*, contact_id: int, by: Actor, now: datetime) -> Tried:
    """Send a test event, whatever comes of it. Raises Unfit when it cannot be sent.

    Nothing is locked meanwhile, and nothing follows from the answer but this record.
    """
    contact = Contact.objects.select_related("provider").filter(pk=contact_id).first()
    if contact is None or contact.channel != Contact.Channel.WEBHOOK:
        raise Unfit(_("There is no such webhook."))
    said = {"type": TEST, "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}", "data": {}}
    call = Call(f"msg_{secrets.token_hex(16)}", now, json.dumps(said).encode(), signing(contact, now=now))
    result = hand_over(call, contact)
    data = {"provider": contact.provider.code, "accepted": isinstance(result, Accepted)}
    record("try_webhook", "contact", contact.pk, by=by, at=now, data=data)
    return Tried(contact, call, result)


def signing(contact: Contact, *, now: datetime) -> tuple[str, ...]:
    """The secrets that a call outside the outbox is signed with. Raises Unfit when none may be made."""
    if settings.HOST.dry_run_address:
        raise Unfit(_("This is a dry run: nothing goes to providers."))
    known = tuple(each.secret for each in contact.secrets.signing(now=now))
    if not known:
        raise Unfit(_("Mint a secret first: they check our signature with it."))
    return known


def hand_over(call: Call, contact: Contact) -> Accepted | Failed:
    """One call to a webhook, outside the outbox."""
    with CHANNELS[Contact.Channel.WEBHOOK]() as channel:
        return channel.hand_over(call, sender="", recipient=contact.address)
