"""Second factors: set up, used and taken away, each with its line in the audit."""

from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import factors
from accounts.models import User
from accounts.services.unfit import Unfit
from audit.record import Actor, record

#: What a name of a passkey is cut to.
NAME_LENGTH = 60


def check_first_factor(*, user_id: int) -> None:
    """A password alone sets up the first second factor, and no other; call it with the keeping of that. Raises Unfit."""
    if factors.is_enrolled(User.objects.select_for_update().get(pk=user_id)):
        raise Unfit(_("A second step was set up meanwhile. Log in again."))


def enrol_passkey(
    *, user_id: int, name: str, credential: dict[str, Any], by: Actor, now: datetime
) -> list[str]:
    """Keep a passkey that `factors.check_new_passkey` found good.

    Returns the recovery codes when these are the first, and else nothing.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        data = {"name": name.strip()[:NAME_LENGTH] or _("Passkey"), "credential": credential}
        return _keep(Authenticator(user=user, type=factors.PASSKEY, data=data), by=by, now=now)


def enrol_app(*, user_id: int, secret: str, code: str, by: Actor, now: datetime) -> list[str]:
    """Keep an app, proven by its code of this moment; an earlier app opens nothing from then on.

    Returns the recovery codes when these are the first, and else nothing. Raises NotProven.
    """
    counter = factors.counter_of(secret, code, now=now)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        Authenticator.objects.filter(user=user, type=factors.APP).delete()
        return _keep(factors.app_of(user, secret, counter), by=by, now=now)


def _keep(factor: Authenticator, *, by: Actor, now: datetime) -> list[str]:
    had_codes = Authenticator.objects.filter(user=factor.user, type=factors.CODES).exists()
    factor.created_at = now
    factor.save()
    record("enrol", "user", factor.user_id, by=by, at=now, data={"factor": str(factor.type)})
    if had_codes:
        return []
    return factors.recovery_codes(factors.new_recovery_codes(factor.user))


def renew_codes(*, user_id: int, by: Actor, now: datetime) -> list[str]:
    """New recovery codes; the old ones open nothing any more. Raises Unfit without a second factor."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if not factors.is_enrolled(user):
            raise Unfit(_("Set up a passkey or an app first."))
        codes = factors.recovery_codes(factors.new_recovery_codes(user))
        record("renew_codes", "user", user.pk, by=by, at=now)
    return codes


def remove_factor(*, user_id: int, factor_id: int, by: Actor, now: datetime) -> None:
    """Take away a passkey or an app. Raises Unfit for the last one: nobody could come in with it gone."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        mine = list(Authenticator.objects.filter(user=user, type__in=factors.KINDS))
        factor = next((each for each in mine if each.pk == factor_id), None)
        if factor is None:
            raise Unfit(_("This was removed already."))
        last = len(mine) == 1
        if last and settings.HOST.second_factor:
            raise Unfit(_("This is your last way in. Set up another one first."))
        factor.delete()
        if last:
            Authenticator.objects.filter(user=user).delete()
        record("remove_factor", "user", user.pk, by=by, at=now, data={"factor": str(factor.type)})


def use_code(*, user_id: int, code: str, now: datetime) -> str:
    """Use a code of the app, or a recovery code; returns which it was. Raises NotProven."""
    with transaction.atomic():
        held = {
            factor.type: factor
            for factor in Authenticator.objects.select_for_update().filter(
                user_id=user_id, user__is_active=True, type__in=[factors.APP, factors.CODES]
            )
        }
        for kind, factor in held.items():
            try:
                factors.use_code(factor, code, now=now)
            except factors.NotProven:
                continue
            Authenticator.objects.filter(pk=factor.pk).update(last_used_at=now)
            return str(kind)
    raise factors.NotProven


def note_use(*, factor_id: int, now: datetime) -> None:
    """A passkey was shown."""
    Authenticator.objects.filter(pk=factor_id).update(last_used_at=now)
