"""The OpenPGP key of a contact: brought by one act, used after another."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models.provider import Contact


class ContactKeyQuerySet(models.QuerySet["ContactKey"]):
    def in_use(self) -> "ContactKeyQuerySet":
        """Approved and not put away: what mail to the contact is encrypted with, also when it has expired."""
        return self.filter(approved_at__isnull=False, retired_at__isnull=True)

    def proposed(self) -> "ContactKeyQuerySet":
        """Brought, and compared by nobody yet."""
        return self.filter(approved_at__isnull=True, retired_at__isnull=True)


class ContactKey(models.Model):
    """A certificate. It never changes: a newer one, also of the same key, is another row."""

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="keys", verbose_name=_("contact"))
    certificate = models.BinaryField(editable=False)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    user_ids = ArrayField(models.CharField(max_length=200), verbose_name=_("names in it"), default=list)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    added_at = models.DateTimeField(_("added"))
    added_by = models.CharField(_("added by"), max_length=40)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    approved_by = models.CharField(_("approved by"), max_length=40, blank=True)
    retired_at = models.DateTimeField(_("put away"), null=True, blank=True)
    retired_by = models.CharField(_("put away by"), max_length=40, blank=True)

    objects = ContactKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("key of a contact")
        verbose_name_plural = _("keys of contacts")
        ordering = ["-added_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(approved_at__isnull=False, retired_at__isnull=True),
                name="contact_key_one_in_use",
            ),
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(approved_at__isnull=True, retired_at__isnull=True),
                name="contact_key_one_proposed",
            ),
        ]

    def __str__(self) -> str:
        return self.fingerprint

    @property
    def spelled(self) -> str:
        """The fingerprint in groups of four, as people read it to each other."""
        return " ".join(self.fingerprint[place : place + 4] for place in range(0, len(self.fingerprint), 4))

    def has_expired(self, *, now: datetime) -> bool:
        """From that instant on nothing may be encrypted with it."""
        return self.expires_at is not None and self.expires_at <= now
