"""The OpenPGP key of a contact: brought by one act, compared and approved by another, put away in the end."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers import openpgp
from providers.models import Contact, ContactKey
from providers.services.contact import locked
from providers.services.unfit import Unfit


def add_key(*, contact_id: int, text: bytes, by: Actor, now: datetime) -> ContactKey:
    """Propose a certificate, armoured or binary. Nothing changes before somebody has compared its fingerprint.

    It takes the place of another proposal. Raises Unfit, in words for whoever brought it.
    """
    try:
        read = openpgp.read(text, now=now)
    except openpgp.Unusable as fault:
        raise Unfit(str(fault)) from None
    with transaction.atomic():
        contact = locked(contact_id)
        if contact.channel != Contact.Channel.SMTP:
            raise Unfit(_("Only mail is encrypted with OpenPGP."))
        contact.keys.proposed().update(retired_at=now, retired_by=str(by))
        key = contact.keys.create(
            certificate=read.data,
            fingerprint=read.fingerprint,
            user_ids=list(read.user_ids),
            expires_at=read.expires_at,
            added_at=now,
            added_by=str(by),
        )
        _record("add_key", key, by=by, now=now)
    return key


def approve_key(*, contact_id: int, key_id: int, by: Actor, now: datetime) -> ContactKey:
    """Somebody has compared the fingerprint with its owner: from now on mail to the contact is encrypted with it.

    It is another person than who brought it. Raises Unfit, also when another was brought meanwhile than they saw.
    """
    with transaction.atomic():
        contact = locked(contact_id)
        key = contact.keys.proposed().filter(pk=key_id).first()
        if key is None:
            raise Unfit(_("Another key waits for approval than the one that you saw."))
        if by.user_id is not None and key.added_by == str(by):
            raise Unfit(_("Somebody else approves it: you added it yourself."))
        if key.has_expired(now=now):
            raise Unfit(_("This key has expired."))
        contact.keys.in_use().update(retired_at=now, retired_by=str(by))
        key.approved_at, key.approved_by = now, str(by)
        key.save(update_fields=["approved_at", "approved_by"])
        _record("approve_key", key, by=by, now=now)
    return key


def retire_key(*, contact_id: int, key_id: int, by: Actor, now: datetime) -> ContactKey:
    """Put a key away, proposed or in use. Without one in use, mail to the contact is not encrypted. Raises Unfit."""
    with transaction.atomic():
        contact = locked(contact_id)
        key = contact.keys.filter(retired_at__isnull=True, pk=key_id).first()
        if key is None:
            raise Unfit(_("There is no such key any more."))
        key.retired_at, key.retired_by = now, str(by)
        key.save(update_fields=["retired_at", "retired_by"])
        _record("retire_key", key, by=by, now=now)
    return key


def _record(act: str, key: ContactKey, *, by: Actor, now: datetime) -> None:
    data = {"provider": key.contact.provider.code, "fingerprint": key.fingerprint}
    record(act, "contact", key.contact_id, by=by, at=now, data=data)
