"""The secret of a webhook: minted here, shown once, followed by another with time to change over; and a test."""

import base64
import json
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.channels import CHANNELS
from providers.channels.result import Accepted, Call
from providers.models import Contact, ContactSecret
from providers.services.contact import locked
from providers.services.unfit import Unfit

#: How long the earlier secret goes on signing beside a new one (P).
OVERLAP: Final = timedelta(hours=24)
_BYTES: Final = 32


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


def try_webhook(*, contact_id: int, by: Actor, now: datetime) -> str:
    """Send a test event and return what their server said. It is about no notice. Raises Unfit, in words.

    Nothing is locked meanwhile, and nothing follows from the answer but this record.
    """
    contact = Contact.objects.select_related("provider").filter(pk=contact_id).first()
    if contact is None or contact.channel != Contact.Channel.WEBHOOK:
        raise Unfit(_("There is no such webhook."))
    if settings.HOST.dry_run_address:
        raise Unfit(_("This is a dry run: nothing goes to providers."))
    known = [each.secret for each in contact.secrets.signing(now=now)]
    if not known:
        raise Unfit(_("Mint a secret first: they check our signature with it."))
    said = {"type": "endpoint.test", "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}", "data": {}}
    call = Call(f"msg_{secrets.token_hex(16)}", now, json.dumps(said).encode(), tuple(known))
    with CHANNELS[Contact.Channel.WEBHOOK]() as channel:
        result = channel.hand_over(call, sender="", recipient=contact.address)
    accepted = isinstance(result, Accepted)
    data = {"provider": contact.provider.code, "accepted": accepted}
    record("try_webhook", "contact", contact.pk, by=by, at=now, data=data)
    if not accepted:
        raise Unfit(_("Their server did not accept it: %(answer)s") % {"answer": result.answer})
    return result.answer
