"""When a contact may not be written to any more, another contact of the same provider takes its place."""

from collections.abc import Sequence
from datetime import datetime

from audit.record import Actor
from cases.models import Dispatch, DispatchLine, Notice
from cases.services.enqueue import enqueue
from cases.services.sending.failing import change
from providers.models import Contact


def fallback_of(contact: Contact) -> Contact | None:
    """The contact that takes the place of one that cannot be used: the provider's first that can."""
    others = Contact.objects.for_notices().filter(provider=contact.provider_id).exclude(pk=contact.pk)
    return others.order_by("pk").first()


def fall_back(dispatch: Dispatch, notices: Sequence[Notice], *, by: Actor, now: datetime) -> bool:
    """Put the notices of a locked dispatch on a message to the provider's other contact, and cancel this one.

    False when there is no other: then it is for a person. Call it with the notices locked.
    """
    other = fallback_of(dispatch.contact)
    if other is None:
        return False
    dispatch.lines.filter(dropped_because="").update(dropped_because=DispatchLine.Dropped.CONTACT)
    change(dispatch, Dispatch.State.CANCELLED, "fall_back", by=by, now=now, data={"to": other.pk})
    enqueue(contact_id=other.pk, notices=notices, kind=dispatch.kind, round_=dispatch.round, by=by, now=now)
    return True
