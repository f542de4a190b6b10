"""The people of one provider, as their own admins change them; each change has its line in the audit."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Role
from accounts.services.ending import end_links, leave
from accounts.services.unfit import Unfit
from audit.record import Actor, record


def change_role(*, user_id: int, provider_id: int, admin: bool, by: Actor, now: datetime) -> None:
    """Make a colleague admin, or member again; it counts from their next request on.

    Raises Unfit for who is no colleague, and when nobody would be admin any more.
    """
    role = Role.PROVIDER_ADMIN if admin else Role.PROVIDER_MEMBER
    with transaction.atomic():
        user = _colleague(user_id, provider_id, stays_admin=admin)
        if user.roles != [role]:
            user.roles = [str(role)]
            user.save(update_fields=["roles"])
            record("change_role", "user", user.pk, by=by, at=now, data={"roles": user.roles})
            if not admin:
                end_links(Q(invited_by=user), by=by, now=now)


def end_membership(*, user_id: int, provider_id: int, by: Actor, now: datetime) -> None:
    """Shut a colleague out, at their next request: sessions and the invitations they made end with it.

    Raises Unfit for who is no colleague, and when nobody would be admin any more.
    """
    with transaction.atomic():
        user = _colleague(user_id, provider_id, stays_admin=False)
        user.is_active = False
        user.save(update_fields=["is_active"])
        leave(user=user, by=by, now=now)
        record("end_membership", "user", user.pk, by=by, at=now)


def _colleague(user_id: int, provider_id: int, *, stays_admin: bool) -> User:
    """The active person of this provider; all of them are locked, so that two admins cannot end each other."""
    people = User.objects.select_for_update().filter(provider_id=provider_id, is_active=True).order_by("pk")
    found = {user.pk: user for user in people}
    user = found.get(user_id)
    if user is None:
        raise Unfit(_("This colleague has no account here any more."))
    others = [each for each in found.values() if each.pk != user_id and Role.PROVIDER_ADMIN in each.roles]
    if not stays_admin and Role.PROVIDER_ADMIN in user.roles and not others:
        raise Unfit(_("Somebody must stay admin: make a colleague admin first."))
    return user
