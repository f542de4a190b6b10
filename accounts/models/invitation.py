"""Links that let somebody set up their way in, and asks to let somebody set it up anew."""

import hashlib
import secrets
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.user import ROLE_CHOICES, User, of_a_merged
from providers.models import Provider


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Finds what still opens."""

    def open(self, *, now: datetime) -> "InvitationQuerySet":
        """Not used, not revoked, not too old, from somebody who is still here, to a provider that still is one."""
        return self.filter(
            ~of_a_merged("provider", now=now),
            ~of_a_merged("person__provider", now=now),
            used_at__isnull=True,
            revoked_at__isnull=True,
            expires_at__gt=now,
            invited_by__is_active=True,
        )


class Invitation(models.Model):
    """A link that sets up one account, once. Only the SHA-256 of its secret is stored.

    Without `person` it is for somebody new: `email`, with `role` at `provider`. With `person` it lets that person
    set up a new way in; nothing else about them changes.
    """

    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=20, choices=ROLE_CHOICES, blank=True)
    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, related_name="invitations", verbose_name=_("provider")
    )
    person = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="invitations", verbose_name=_("person")
    )
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="invited", verbose_name=_("invited by"))
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    used_at = models.DateTimeField(_("used"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="invitation_of_a_person_or_to_a_provider",
                condition=Q(person__isnull=False) | Q(provider__isnull=False) & ~Q(role=""),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @staticmethod
    def digest_of(token: str) -> bytes:
        """What is stored of a link's secret."""
        return hashlib.sha256(token.encode()).digest()

    @staticmethod
    def new_token() -> str:
        """A secret for a link: 256 random bits."""
        return secrets.token_urlsafe(32)


class Recovery(models.Model):
    """One member of staff asks that a person may set up a new way in; another says yes or no."""

    person = models.ForeignKey(User, models.PROTECT, related_name="recoveries", verbose_name=_("person"))
    reason = models.CharField(_("reason"), max_length=200)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"))
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    confirmed = models.BooleanField(_("confirmed"), null=True)

    class Meta:
        verbose_name = _("recovery")
        verbose_name_plural = _("recoveries")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(decided_at__isnull=True), name="recovery_asked_once"
            ),
            models.CheckConstraint(
                name="recovery_by_two",
                condition=~Q(confirmed=True) | ~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("person")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.person)
