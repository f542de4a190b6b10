"""Sessions that are ended: by their person, by staff, or because the person may not come in any more."""

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import ApiKey, Invitation, Session, User
from accounts.services.unfit import Unfit
from audit.record import Actor, record


def end_session(*, user_id: int, number: uuid.UUID, by: Actor, now: datetime) -> None:
    """End one session of this person; its next request is a guest's. Raises Unfit."""
    with transaction.atomic():
        ended, _kinds = Session.objects.filter(user_id=user_id, number=number).delete()
        if not ended:
            raise Unfit(_("This session has ended already."))
        record("end_session", "user", user_id, by=by, at=now)


def end_sessions(*, user_id: int, by: Actor, now: datetime, but: str | None = None) -> int:
    """End all sessions of this person, `but` the one with this key; returns how many."""
    with transaction.atomic():
        ended, _kinds = Session.objects.filter(user_id=user_id).exclude(session_key=but or "").delete()
        if ended:
            record("end_sessions", "user", user_id, by=by, at=now, data={"count": ended})
    return ended


def leave(*, user: User, by: Actor, now: datetime) -> None:
    """What ends with a person who leaves, in whatever way: sessions, keys, and the links they gave or were given."""
    end_sessions(user_id=user.pk, by=by, now=now)
    end_keys(owner_id=user.pk, by=by, now=now)
    end_links(Q(invited_by=user) | Q(person=user), by=by, now=now)


def end_keys(*, owner_id: int, by: Actor, now: datetime) -> None:
    """Revoke the keys of somebody; who is to go on with one takes it over before."""
    for key in ApiKey.objects.filter(owner=owner_id, revoked_at__isnull=True).select_for_update(of=("self",)):
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        record("revoke_key", "key", key.pk, by=by, at=now)


def end_links(which: Q, *, by: Actor, now: datetime) -> None:
    """Let these invitations open nothing any more; call it in the transaction of why."""
    waiting = Invitation.objects.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)
    for invitation in waiting.filter(which).select_for_update():
        invitation.revoked_at = now
        invitation.save(update_fields=["revoked_at"])
        record("revoke", "invitation", invitation.pk, by=by, at=now)


def forget_ended(*, now: datetime) -> int:
    """Delete what has ended by itself; returns how many."""
    return Session.objects.filter(expire_date__lte=now).delete()[0]
