"""Log-in by e-mail address and password."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User


class RoleBackend(BaseBackend):
    """Knows only who may come in; what they may do is asked of the person (`User.has_perm`), not of us."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        """The person, or None. Takes as long for an unknown address as for a wrong password."""
        if not username or not password or "\0" in username:
            return None
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            # One hash, as for a known address: the time must not tell which addresses exist.
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.get_user(user.pk) else None

    def get_user(self, user_id: int) -> User | None:
        """The person of a session. Whoever may not come in any more is out at their next request."""
        # With the provider: every page of the portal says its name.
        present = User.objects.present(now=timezone.now()).select_related("provider")
        return present.filter(pk=user_id).first()
