"""Keys for machines: made and ended, each with its line in the audit."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PROVIDER_SCOPES, ApiKey, Scope
from accounts.services.unfit import Unfit
from audit.record import Actor, record
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
