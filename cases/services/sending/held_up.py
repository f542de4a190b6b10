"""What holds up the messages to a contact that could leave, in words for a person: its server's trouble, or its pace."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cases.models import Pace
from cases.services.sending.pacing import host_of, rate_of
from providers.models import Contact


@dataclass(frozen=True)
class HeldUp:
    """Why the next message must wait, and until when. `also_urgent`: urgent ones wait as well."""

    because: str
    until: datetime
    also_urgent: bool = True


def held_up(contacts: Iterable[Contact], *, now: datetime) -> dict[int, HeldUp]:
    """Contact -> what holds up its messages just now; one query for all of them."""
    names = {
        contact.pk: (f"contact:{contact.pk}", f"host:{host_of(contact.channel, contact.address)}")
        for contact in contacts
    }
    accounts = Pace.objects.in_bulk([name for both in names.values() for name in both])
    found = {}
    for contact_id, both in names.items():
        reasons = [held for name in both if name in accounts and (held := _held_up(accounts[name], now))]
        if reasons:
            found[contact_id] = max(reasons, key=lambda reason: reason.until)
    return found


def _held_up(account: Pace, now: datetime) -> HeldUp | None:
    rests_until = account.rests_until
    if rests_until is not None and rests_until > now:
        if account.asked:
            return HeldUp(_("Their server asked us to wait."), rests_until)
        because = _("Their server had trouble with another message: all for this contact rest for a while.")
        return HeldUp(because, rests_until, also_urgent=False)
    count, per = rate_of(account)
    free_at = account.free_at(count=count, per=per)
    if free_at is not None and free_at > now:
        return HeldUp(
            _("Messages go there one after the other, at a pace that their server can bear."), free_at
        )
    return None
