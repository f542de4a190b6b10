"""What is done with accounts, each with its line in the audit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PROVIDER_SCOPES, ApiKey, Scope, User
from audit.record import Actor, record
from audit.refused import Refused
from providers.models import Provider


def create_key(
    *, name: str, scopes: Sequence[str], provider_code: str | None, by: Actor, now: datetime
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can see again.

    A provider's key reads and answers that provider's notices and does nothing else.
    Raises ValidationError, worded for the person who asked.
    """
    provider = None
    if provider_code is not None:
        provider = Provider.objects.filter(code=provider_code).first()
        if provider is None:
            raise ValidationError(
                _("There is no provider with the code “%(code)s”.") % {"code": provider_code}
            )
        if not PROVIDER_SCOPES.issuperset(scopes):
            raise ValidationError(
                _("A provider's key may have these scopes only: %(scopes)s.")
                % {"scopes": ", ".join(sorted(PROVIDER_SCOPES))}
            )
    elif Scope.NOTICES_ANSWER in scopes:
        raise ValidationError(_("Answers are a provider's: say which one."))
    with transaction.atomic():
        key, secret = ApiKey.mint(name=name, scopes=sorted(set(scopes)), provider=provider)
        record(
            "create_key", "key", key.pk, by=by, at=now, data={"scopes": key.scopes, "provider": provider_code}
        )
    return key, secret


class Unfit(Refused):
    """It cannot be done with this person or key as they stand."""

    code = "unfit"


def revoke_key(*, key_id: int, by: Actor, now: datetime) -> ApiKey:
    """End a key for good; its next call is refused. Raises Unfit."""
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().filter(pk=key_id).first()
        if key is None or key.revoked_at is not None:
            raise Unfit(_("This key is revoked already."))
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        record("revoke_key", "key", key.pk, by=by, at=now)
    return key


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
