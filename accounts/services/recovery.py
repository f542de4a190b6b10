"""Who lost every way in gets a new one by two of the staff: one asks, another confirms."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Invitation, Recovery, User
from accounts.services.ending import end_links, end_sessions
from accounts.services.invitations import make
from accounts.services.unfit import Unfit
from audit.record import Actor, record


def ask_recovery(*, email: str, reason: str, by: Actor, now: datetime) -> Recovery:
    """Ask that this person may set up a new way in; nothing changes yet. Raises Unfit."""
    with transaction.atomic():
        person = User.objects.select_for_update().filter(email=email.lower(), is_active=True).first()
        if person is None:
            raise Unfit(_("Nobody here has this address."))
        if Recovery.objects.filter(person=person, decided_at__isnull=True).exists():
            raise Unfit(_("This is asked already, and waits for a colleague."))
        asked = Recovery.objects.create(
            person=person, reason=reason, asked_by=User.objects.get(pk=by.name), asked_at=now
        )
        record("ask_recovery", "user", person.pk, by=by, at=now)
    return asked


def confirm_recovery(*, recovery_id: int, by: Actor, now: datetime) -> tuple[Invitation, str]:
    """Say yes: the old ways in and all sessions end, and a link lets the person set up a new one.

    Returns the secret of that link as well, to be handed over in person. Raises Unfit for who asked, and for
    whom it is about.
    """
    with transaction.atomic():
        recovery = _decide(recovery_id, by=by, now=now, confirmed=True)
        person = recovery.person
        if by.user_id in {recovery.asked_by_id, person.pk}:
            raise Unfit(_("Somebody else must confirm this."))
        if not person.is_active:
            raise Unfit(_("This person may not come in any more."))
        Authenticator.objects.filter(user=person).delete()
        person.set_password(None)
        person.save(update_fields=["password"])
        end_sessions(user_id=person.pk, by=by, now=now)
        record("confirm_recovery", "user", person.pk, by=by, at=now)
        end_links(Q(person=person), by=by, now=now)
        return make(email=person.email, person=person, by=by, now=now)


def refuse_recovery(*, recovery_id: int, by: Actor, now: datetime) -> None:
    """Say no, or take it back; nothing changes. Raises Unfit."""
    with transaction.atomic():
        recovery = _decide(recovery_id, by=by, now=now, confirmed=False)
        record("refuse_recovery", "user", recovery.person_id, by=by, at=now)


def _decide(recovery_id: int, *, by: Actor, now: datetime, confirmed: bool) -> Recovery:
    waiting = Recovery.objects.select_for_update(of=["self"]).select_related("person")
    recovery = waiting.filter(pk=recovery_id, decided_at__isnull=True).first()
    if recovery is None:
        raise Unfit(_("This was decided already."))
    recovery.decided_by_id, recovery.decided_at, recovery.confirmed = by.user_id, now, confirmed
    if not (confirmed and by.user_id in {recovery.asked_by_id, recovery.person_id}):
        recovery.save(update_fields=["decided_by", "decided_at", "confirmed"])
    return recovery
