"""People: added, changed, given a password, each with its line in the audit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.ending import leave
from accounts.services.unfit import Unfit
from audit.record import Actor, record


def add_user(
    *, email: str, name: str, roles: Sequence[str], password: str, by: Actor, now: datetime, **fields: Any
) -> User:
    """A new person. Raises ValidationError when staff and provider roles mix, or the address is taken."""
    with transaction.atomic():
        user = User.objects.create_user(email, password, name=name, roles=list(roles), **fields)
        record("add", "user", user.pk, by=by, at=now, data=_rights(user))
    return user


def change_user(*, user_id: int, by: Actor, now: datetime, **fields: Any) -> User:
    """Change who a person is and what they may do; it counts from their next request on.

    Raises Unfit for taking one's own rights away: somebody must be left who can give them back.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        changed = [name for name, value in fields.items() if getattr(user, name) != value]
        for name in changed:
            setattr(user, name, fields[name])
        if by.user_id == user.pk and not user.may("user.change"):
            raise Unfit(_("You cannot take your own rights away: ask a colleague."))
        if changed:
            user.save(update_fields=changed)
            if not user.is_active or "provider" in changed:
                # Roles are asked of the table at each request; who has left has no session either.
                leave(user=user, by=by, now=now)
            record("change", "user", user.pk, by=by, at=now, data={"fields": changed} | _rights(user))
    return user


def set_password(*, user_id: int, password: str, by: Actor, now: datetime) -> User:
    """Give a person a new password. Their sessions end: a session knows the password it began with."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        user.set_password(password)
        user.save(update_fields=["password"])
        record("set_password", "user", user.pk, by=by, at=now)
    return user


def _rights(user: User) -> dict[str, Any]:
    """What the audit keeps of a person: rights and codes, never the name or the address."""
    provider = user.provider.code if user.provider else None
    return {"roles": list(user.roles), "provider": provider, "active": user.is_active}
