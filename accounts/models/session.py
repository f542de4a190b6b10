"""Who is logged in where."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User


def idle_limit(user: User) -> timedelta:
    """How long this person may sit still before they are logged out."""
    idle: timedelta = settings.HOST.idle_portal if user.provider_id else settings.HOST.idle_staff
    return idle


class SessionManager(BaseSessionManager["Session"]):
    """Finds the sessions of a person."""

    def open_of(self, user: User, *, now: datetime) -> models.QuerySet["Session"]:
        """Where this person is logged in at this moment, the latest first."""
        alive = self.filter(user=user, expire_date__gt=now, seen_at__gt=now - idle_limit(user))
        return alive.order_by("-seen_at", "session_key")


class Session(AbstractBaseSession):
    """One browser. Beside what it holds, whose it is and where, so that a person can see and end it.

    `number` names it on pages: the key itself opens the door. `network` is a /24 or a /48, not an address.
    """

    number = models.UUIDField(_("number"), unique=True, editable=False)
    user = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="sessions", verbose_name=_("user")
    )
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last used"))
    device = models.CharField(_("device"), max_length=60, blank=True)
    network = models.CharField(_("network"), max_length=50, blank=True)

    objects = SessionManager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
