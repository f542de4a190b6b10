"""What a person proves with beside a password: passkeys, an authenticator app, recovery codes.

The ceremonies are allauth's (which has WebAuthn from fido2) and its table keeps them; its pages are not used.
Two things it does are done here instead. It remembers used codes of an app in the cache, for less time than they
are valid: we keep the last used one with the app. And whether a passkey may open without a password it learns
from the browser: ours are all made to, and must have asked for a PIN or a finger.
"""

import struct
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refused import Refused
from vault.keys import ring

PASSKEY: Final = Authenticator.Type.WEBAUTHN
APP: Final = Authenticator.Type.TOTP
CODES: Final = Authenticator.Type.RECOVERY_CODES
#: What counts as a second factor; recovery codes only stand in for one of these.
KINDS: Final = (PASSKEY, APP)

#: What secrets are sealed for: the column, not the row, which allauth does not tell.
_SEALED_FOR: Final = "mfa_authenticator.data"
_LAST: Final = "last_counter"
_HALF_MINUTE_S: Final = 30


def kinds_of(user: User) -> frozenset[str]:
    """Which of passkey, app and recovery codes this person has."""
    return frozenset(Authenticator.objects.filter(user=user).values_list("type", flat=True))


def is_enrolled(user: User) -> bool:
    """Whether this person has a second factor."""
    return not kinds_of(user).isdisjoint(KINDS)


#: What the library raises over what is no credential: it takes bytes apart as they come.
_UNREADABLE: Final = (
    ValidationError, ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, struct.error,
    NotImplementedError, RecursionError,
)  # fmt: skip


class NotProven(Refused):
    """The proof was not right. One text for every cause: it tells nothing to who is guessing."""

    code = "not_proven"

    def __init__(self) -> None:
        super().__init__(_("That was not right. Please try again."))


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # it comes without types
    """What allauth asks of the house: how secrets are sealed, and under which name passkeys are made."""

    def encrypt(self, text: str) -> str:
        """For the table: a stolen dump holds no secret of an app."""
        return ring().seal(text, context=_SEALED_FOR).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises CannotUnseal."""
        return ring().unseal(bytes.fromhex(encrypted_text), context=_SEALED_FOR)

    def get_totp_issuer(self) -> str:
        return "Takedown"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the host of BASE_URL, whatever a request calls itself."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": "Takedown"}


# -- Passkeys: `options` begin a ceremony that the session remembers, the other ends it ------------------------


def new_passkey_options(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey for `user`, who need not be saved but has a pk."""
    return dict(_plain(webauthn.begin_registration(user, passwordless=True)))


def check_new_passkey(credential: dict[str, Any]) -> None:
    """Raises NotProven unless this is the passkey that was asked for, made with a PIN or a finger."""
    try:
        webauthn.parse_registration_response(credential)
        made = webauthn.complete_registration(credential)
    except _UNREADABLE as fault:
        raise NotProven from fault
    if not made.is_user_verified():
        raise NotProven


def passkey_options(user: User | None = None) -> dict[str, Any]:
    """What the browser needs to show a passkey: of `user`, or of whoever has one here."""
    return dict(_plain(webauthn.begin_authentication(user)))


def shown_passkey(credential: dict[str, Any], user: User | None = None) -> Authenticator:
    """The passkey that was shown; its person is active. Raises NotProven."""
    try:
        webauthn.parse_authentication_response(credential)
        owner = user or webauthn.extract_user_from_response(credential)
        found = webauthn.complete_authentication(owner, credential)
    except _UNREADABLE as fault:
        raise NotProven from fault
    if not owner.is_active:
        raise NotProven
    return found


def _plain(options: Any) -> Any:
    """Options as JSON has them."""
    if isinstance(options, dict) or hasattr(options, "keys"):
        return {key: _plain(options[key]) for key in options}
    if isinstance(options, list | tuple):
        return [_plain(each) for each in options]
    return options


# -- The app, and recovery codes ---------------------------------------------------------------------------


def new_secret() -> str:
    """A secret for an app, in base 32."""
    return str(totp.generate_totp_secret())


def app_uri(secret: str, user: User) -> str:
    """What the QR code says."""
    return str(Adapter().build_totp_url(user, secret))


def counter_of(secret: str, code: str, *, now: datetime, after: int = -1) -> int:
    """The half minute that `code` is of: the last one, this one or the next. Raises NotProven.

    Not `after` or an earlier one: a code that was used, or overheard, opens nothing again.
    """
    this = int(now.timestamp()) // _HALF_MINUTE_S
    for counter in (this - 1, this, this + 1):
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if counter > after and compare_user_code(actual=code, expected=expected):
            return counter
    raise NotProven


def app_of(user: User, secret: str, counter: int) -> Authenticator:
    """An app of `user`, not saved yet; its first code was that of `counter`."""
    return Authenticator(user=user, type=APP, data={"secret": encrypt(secret), _LAST: counter})


def use_code(factor: Authenticator, code: str, *, now: datetime) -> None:
    """Use a code of an app, or use up a recovery code; `factor` is locked. Raises NotProven."""
    if factor.type == APP:
        after = int(factor.data.get(_LAST, -1))
        factor.data[_LAST] = counter_of(decrypt(factor.data["secret"]), code, now=now, after=after)
        factor.save(update_fields=["data"])
    elif not RecoveryCodes(factor).validate_code(code):
        raise NotProven


def recovery_codes(codes: Authenticator) -> list[str]:
    """Those that were not used yet."""
    left: list[str] = RecoveryCodes(codes).get_unused_codes()
    return left


def new_recovery_codes(user: User) -> Authenticator:
    """Saved; in the place of those that there were."""
    Authenticator.objects.filter(user=user, type=CODES).delete()
    made: Authenticator = RecoveryCodes.activate(user).instance
    return made
