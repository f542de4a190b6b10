"""Machines at the API: who shows a key, what the key may be used for, and how often."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey
from accounts.throttle import TooOften, let_in

if TYPE_CHECKING:  # the settings name this module, so views cannot be imported here
    from rest_framework.views import APIView

#: `last_used_at` is as exact as this: a write per request would cost more than it tells.
USE_NOTED_EVERY: Final = timedelta(minutes=1)


class BearerKey(BaseAuthentication):
    """`Authorization: Bearer <key>`, nowhere else: a key in a URL would end up in logs.

    There is no user behind a key: `request.user` is None and `request.auth` is the key.
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        """The key, or None when none is shown. Raises AuthenticationFailed for one that does not open."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Write the header as: Authorization: Bearer <key>."))
        now = timezone.now()
        digest = ApiKey.digest_of(words[1].decode("latin-1"))
        key = ApiKey.objects.usable(now=now).select_related("provider").filter(digest=digest).first()
        if key is None:
            # Wrong, expired and revoked look the same.
            raise AuthenticationFailed(_("This key does not exist, has expired or was revoked."))
        if key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        """What WWW-Authenticate asks for in a 401."""
        return "Bearer"


class KeyHasScope(BasePermission):
    """A view says `required_scope = {"GET": Scope.X, "POST": Scope.Y}`; other methods are closed."""

    message = _("This key may not be used for that.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raises ImproperlyConfigured for a view that names no scopes: nothing is open by forgetting.

        A method that the view has not is no question of scopes: MethodNotAllowed, to whoever shows a key.
        """
        scopes = getattr(view, "required_scope", None)
        if not isinstance(scopes, dict):
            raise ImproperlyConfigured(f"{type(view).__name__} names no required_scope.")
        if not isinstance(request.auth, ApiKey):
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in scopes:
            raise MethodNotAllowed(method)
        return scopes[method] in request.auth.scopes


class KeyRate(BaseThrottle):
    """How often a key of ours, or all keys of a provider together, may call (settings.RATES, "api")."""

    _wait_s: int | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the call. Calls without a key are none of ours: they come to nothing before this."""
        key = request.auth
        if not isinstance(key, ApiKey):
            return True
        who = {"tenant": str(key.provider_id)} if key.provider_id else {"key": str(key.pk)}
        try:
            let_in("api", now=timezone.now(), also=who)
        except TooOften as refusal:
            self._wait_s = refusal.retry_after_s
            return False
        return True

    def wait(self) -> float | None:
        """Seconds, for Retry-After."""
        return self._wait_s


def key_of(request: Request) -> ApiKey:
    """The key that the caller has shown; only behind KeyHasScope."""
    if not isinstance(request.auth, ApiKey):
        raise ImproperlyConfigured("This view is open to callers without a key.")
    return request.auth
