"""Where to write: added by one, approved by another person, suspended and used again."""

import re
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.fetch import Refused, fetcher
from providers.models import Contact
from providers.services.unfit import Unfit

_OF_WEBHOOKS: Final = frozenset({Contact.Mode.API, Contact.Mode.PORTAL})
_ONE_MAILBOX: Final = re.compile(r"[!#$%&'*+./=?^_`{|}~0-9A-Za-z-]+@[0-9A-Za-z.-]+")
PHONE_NUMBER: Final = re.compile(r"\+[1-9](?:[ -]?[0-9]){6,14}")


def add_contact(
    *,
    provider_id: int,
    channel: str,
    address: str,
    mode: str,
    formats: str = Contact.Formats.NONE,
    role: str = Contact.Role.ABUSE,
    by: Actor,
    now: datetime,
) -> Contact:
    """A new address of a provider, and what it is for. Nothing goes there before a person approves it. Raises Unfit."""
    address = fitting_address(channel, address)
    fitting(mode, formats, channel=channel)
    with transaction.atomic():
        contact, is_new = Contact.objects.get_or_create(
            provider_id=provider_id,
            channel=channel,
            address=address,
            defaults={"mode": mode, "formats": formats, "role": role, "added_by": str(by)},
        )
        if not is_new:
            raise Unfit(_("This provider has this contact already."))
        data = {"provider": contact.provider.code, "role": role}
        record("add", "contact", contact.pk, by=by, at=now, data=data)
    return contact


def fitting_address(channel: str, address: str) -> str:
    """The address as it is kept, if a channel can use it. Raises Unfit.

    Of one mailbox, in plain letters: what could end a header, or name a second recipient, is no address here.
    """
    address = address.strip()
    if channel == Contact.Channel.SMTP:
        try:
            validate_email(address)
        except ValidationError:
            raise Unfit(_("This is not an e-mail address.")) from None
        if not _ONE_MAILBOX.fullmatch(address):
            raise Unfit(_("This is not an e-mail address."))
    elif channel == Contact.Channel.PHONE:
        if not PHONE_NUMBER.fullmatch(address):
            raise Unfit(_("Write the number with its country: +31 20 123 45 67."))
    elif not address.startswith("https://"):
        raise Unfit(_("A webhook's address begins with https://."))
    else:
        try:
            fetcher().check(address)
        except Refused:
            raise Unfit(
                _(
                    "We do not go to this address: it must be that of a public host, on port 443 or 8443, without a user"
                    " name or a password."
                )
            ) from None
    return address


def change_contact(*, contact_id: int, mode: str, formats: str, by: Actor, now: datetime) -> Contact:
    """Give addresses of content in another way, or attach other files. Whoever may is asked: it counts at once.

    Raises Unfit when the two do not go together.
    """
    with transaction.atomic():
        contact = locked(contact_id)
        fitting(mode, formats, channel=contact.channel)
        was = {"mode": contact.mode, "formats": contact.formats}
        if was != {"mode": mode, "formats": formats}:
            contact.mode, contact.formats = mode, formats
            contact.save(update_fields=["mode", "formats"])
            data = {
                "provider": contact.provider.code,
                "was": was,
                "became": {"mode": mode, "formats": formats},
            }
            record("change", "contact", contact.pk, by=by, at=now, data=data)
    return contact


def approve_contact(*, contact_id: int, by: Actor, now: datetime) -> Contact:
    """A person says that notices may go there; another one than who added it. Raises Unfit.

    What it replaces is suspended with that: from then on the new address is the one that is used.
    """
    with transaction.atomic():
        contact = locked(contact_id)
        if contact.approved_at is not None:
            raise Unfit(_("This contact is approved already."))
        if by.user_id is not None and contact.added_by == str(by):
            raise Unfit(_("Somebody else approves it: you added it yourself."))
        contact.approved_at, contact.approved_by = now, str(by)
        contact.save(update_fields=["approved_at", "approved_by"])
        record("approve", "contact", contact.pk, by=by, at=now, data={"provider": contact.provider.code})
        old = contact.replaces
        if old is not None and old.suspended_at is None:
            reason = _("%(address)s took its place.") % {"address": contact.address}
            suspend_contact(contact_id=old.pk, reason=reason, by=by, now=now)
    return contact


def replace_contact(*, contact_id: int, address: str, by: Actor, now: datetime) -> Contact:
    """Another address in the place of one, for the same purpose. Nothing changes before somebody else approves it.

    The old one stays as it is, for what was sent there. Raises Unfit.
    """
    with transaction.atomic():
        old = locked(contact_id)
        if Contact.objects.filter(replaces=old, approved_at__isnull=True).exists():
            raise Unfit(_("Another address in its place waits for approval already."))
        contact = add_contact(
            provider_id=old.provider_id,
            channel=old.channel,
            address=address,
            mode=old.mode,
            formats=old.formats,
            role=old.role,
            by=by,
            now=now,
        )
        contact.replaces = old
        contact.save(update_fields=["replaces"])
    return contact


def suspend_contact(*, contact_id: int, reason: str, by: Actor, now: datetime) -> Contact:
    """Nothing goes there until somebody ends it. Raises Unfit without a reason, or when it is suspended."""
    if not reason.strip():
        raise Unfit(_("Say why it is suspended."))
    with transaction.atomic():
        contact = locked(contact_id)
        if contact.suspended_at is not None:
            raise Unfit(_("This contact is suspended already."))
        contact.suspended_at, contact.suspended_reason = now, reason.strip()[:300]
        contact.save(update_fields=["suspended_at", "suspended_reason"])
        record("suspend", "contact", contact.pk, by=by, at=now, data={"provider": contact.provider.code})
    return contact


def resume_contact(*, contact_id: int, by: Actor, now: datetime) -> Contact:
    """End a suspension. Raises Unfit when there is none."""
    with transaction.atomic():
        contact = locked(contact_id)
        if contact.suspended_at is None:
            raise Unfit(_("This contact is not suspended."))
        contact.suspended_at, contact.suspended_reason = None, ""
        contact.save(update_fields=["suspended_at", "suspended_reason"])
        record("resume", "contact", contact.pk, by=by, at=now, data={"provider": contact.provider.code})
    return contact


def fitting(mode: str, formats: str, *, channel: str) -> None:
    """Raises Unfit when a way of giving addresses and what is attached do not go together."""
    if channel == Contact.Channel.WEBHOOK and (mode not in _OF_WEBHOOKS or formats):
        raise Unfit(
            _(
                "A webhook carries references only: choose that addresses are fetched by API or read in the portal,"
                " and nothing attached."
            )
        )
    if mode == Contact.Mode.ATTACHMENT and not formats:
        raise Unfit(_("Choose what is attached: CSV, XARF, or both."))
    if mode != Contact.Mode.ATTACHMENT and formats not in {Contact.Formats.NONE, Contact.Formats.CSV}:
        raise Unfit(_("An XARF report has the address in it: choose that addresses go in an attachment."))


def locked(contact_id: int) -> Contact:
    """The contact, locked, with its provider. Raises Unfit when there is none."""
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("provider")
        .filter(pk=contact_id)
        .first()
    )
    if contact is None:
        raise Unfit(_("There is no such contact."))
    return contact
