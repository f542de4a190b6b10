"""The secret of a webhook: theirs to check our signatures with, shown to a person once."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models.provider import Contact
from vault.sealed import Sealed, new_id


class ContactSecretQuerySet(models.QuerySet["ContactSecret"]):
    def signing(self, *, now: datetime) -> "ContactSecretQuerySet":
        """Those that messages are signed with, the newest first."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now)).order_by("-created_at", "-pk")


class ContactSecret(models.Model):
    """`whsec_` and 32 random bytes in base64, sealed. While one follows another, both sign."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="secrets", verbose_name=_("contact"))
    secret_sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("created by"), max_length=40)
    # From then on it signs nothing; null for the one that counts.
    ends_at = models.DateTimeField(_("signs until"), null=True, blank=True)

    secret = Sealed("secret_sealed")

    objects = ContactSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("secret of a webhook")
        verbose_name_plural = _("secrets of webhooks")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=Q(ends_at__isnull=True), name="contact_secret_one_that_counts"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
