"""Keys for machines: made and ended, each with its line in the audit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PROVIDER_SCOPES, ApiKey, Scope, User
from accounts.services.unfit import Unfit
from audit.record import Actor, record
from providers.models import Provider

#: P: more keys of one provider than this nobody keeps in view.
MOST_KEYS: Final = 20


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


def make_key(
    *, name: str, scopes: Sequence[str], valid: timedelta, provider_id: int, by: Actor, now: datetime
) -> tuple[ApiKey, str]:
    """A key for a machine of a provider, made by one of its people, whose it is; and its secret, to be shown once.

    It opens no longer than `valid`, nor than the settings let it. Raises Unfit.
    """
    with transaction.atomic():
        # One after the other, so that the number of keys stays within its bound.
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        return _make(
            provider, name=name, scopes=scopes, expires_at=now + min(valid, settings.HOST.key_valid),
            replaces=None, by=by, now=now,
        )  # fmt: skip


def replace_key(*, key_id: int, provider_id: int, by: Actor, now: datetime) -> tuple[ApiKey, str]:
    """A key in the place of one that opens, with the same name and scopes: both do for a while, and then it alone.

    Raises Unfit for a key that does not open, or that another takes the place of already.
    """
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        old = _own(key_id, provider_id, now=now)
        if ApiKey.objects.usable(now=now).filter(replaces=old).exists():
            raise Unfit(_("Another key takes the place of this one already: two at once are enough."))
        made = _make(
            provider, name=old.name, scopes=old.scopes, expires_at=now + settings.HOST.key_valid,
            replaces=old, by=by, now=now,
        )  # fmt: skip
        _end_soon(old, now=now)
        record("replace_key", "key", old.pk, by=by, at=now, data={"key": made[0].pk})
    return made


def take_over_key(*, key_id: int, provider_id: int, by: Actor, now: datetime) -> ApiKey:
    """Make a colleague's key one's own, so that it does not end with them.

    Whoever made it may still know its secret: so it opens only as long as it takes to put another in its place.
    Raises Unfit.
    """
    with transaction.atomic():
        Provider.objects.select_for_update().get(pk=provider_id)
        key = _own(key_id, provider_id, now=now)
        if key.owner_id is None or key.owner_id == by.user_id:
            raise Unfit(_("This key does not end with a colleague."))
        was, key.owner_id = key.owner_id, by.user_id
        key.save(update_fields=["owner"])
        _end_soon(key, now=now)
        record("take_over_key", "key", key.pk, by=by, at=now, data={"of": was})
    return key


def _make(
    provider: Provider,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime,
    replaces: ApiKey | None,
    by: Actor,
    now: datetime,
) -> tuple[ApiKey, str]:
    if not scopes or not PROVIDER_SCOPES.issuperset(scopes):
        raise Unfit(_("Choose what the key may do."))
    if ApiKey.objects.usable(now=now).filter(provider=provider).count() >= MOST_KEYS:
        raise Unfit(_("You have %(most)d keys: revoke one that nobody needs first.") % {"most": MOST_KEYS})
    owner = User.objects.get(pk=by.name)
    key, secret = ApiKey.mint(
        name=name, scopes=sorted(set(scopes)), provider=provider, owner=owner, expires_at=expires_at,
        replaces=replaces,
    )  # fmt: skip
    data = {"scopes": key.scopes, "provider": provider.code}
    record("create_key", "key", key.pk, by=by, at=now, data=data)
    return key, secret


def _own(key_id: int, provider_id: int, *, now: datetime) -> ApiKey:
    """A key of this provider that opens, locked. Raises Unfit."""
    mine = ApiKey.objects.usable(now=now).filter(pk=key_id, provider=provider_id)
    key = mine.select_for_update(of=("self",)).first()
    if key is None:
        raise Unfit(_("This key does not open anything any more."))
    return key


def _end_soon(key: ApiKey, *, now: datetime) -> None:
    until = now + settings.HOST.key_overlap
    if key.expires_at is None or key.expires_at > until:
        key.expires_at = until
        key.save(update_fields=["expires_at"])


def revoke_key(*, key_id: int, by: Actor, now: datetime, provider_id: int | None = None) -> ApiKey:
    """End a key for good; its next call is refused. `provider_id`: whose it must be; None for staff. Raises Unfit."""
    with transaction.atomic():
        keys = ApiKey.objects.select_for_update(of=("self",)).filter(pk=key_id)
        if provider_id is not None:
            keys = keys.filter(provider=provider_id)
        key = keys.first()
        if key is None or key.revoked_at is not None:
            raise Unfit(_("This key is revoked already."))
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        record("revoke_key", "key", key.pk, by=by, at=now)
    return key
