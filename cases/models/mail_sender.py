"""Who may report by mail."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.report import Source


class MailSender(models.Model):
    """A partner's address, or all addresses of a domain: what it sends is taken in as `source`.

    It counts once a second person approved it, and until somebody stops it.
    """

    # "reports@hotline.example", or "hotline.example" for every address directly under it; lower case.
    pattern = models.CharField(_("address or domain"), max_length=254)
    source = models.ForeignKey(Source, models.PROTECT, related_name="mail_senders", verbose_name=_("source"))
    # In which language it gets its receipts.
    language = models.CharField(
        _("language"), max_length=2, choices=[("nl", "Nederlands"), ("en", "English")]
    )
    added_at = models.DateTimeField(_("added"))
    added_by = models.CharField(_("added by"), max_length=40)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    approved_by = models.CharField(_("approved by"), max_length=40, blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    stopped_by = models.CharField(_("stopped by"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("partner by mail")
        verbose_name_plural = _("partners by mail")
        ordering = ["pattern", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["pattern"], condition=Q(stopped_at__isnull=True), name="mail_sender_once"
            ),
            models.CheckConstraint(
                name="mail_sender_approved_by_another",
                condition=Q(approved_by="") | ~Q(approved_by=models.F("added_by")),
            ),
        ]

    def __str__(self) -> str:
        return self.pattern

    @property
    def counts(self) -> bool:
        """Whether mail from it may become a report by itself."""
        return self.approved_at is not None and self.stopped_at is None
