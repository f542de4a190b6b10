"""The receipt that goes back to a partner by mail."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.guard import state_guard
from cases.models.mail import Mail


class MailReceiptQuerySet(models.QuerySet["MailReceipt"]):
    def due(self, *, now: datetime) -> "MailReceiptQuerySet":
        """Waits to be handed over, and is in nobody's hands."""
        return self.filter(state=MailReceipt.State.PENDING, next_attempt_at__lte=now).filter(
            Q(leased_until__isnull=True) | Q(leased_until__lte=now)
        )


EDGES = (("pending", "sent"), ("pending", "parked"), ("parked", "pending"))


class MailReceipt(models.Model):
    """The one answer to a mail that was taken in: an outbox row like a dispatch (docs/adr/0002)."""

    class State(models.TextChoices):
        PENDING = "pending", _("waiting to be sent")
        SENT = "sent", _("sent")
        PARKED = "parked", _("needs attention")

    class Trouble(models.TextChoices):
        LATER = "later", _("Their server could not be reached or put us off; it will be tried again.")
        REFUSED = "refused", _("Their server refuses it for good.")
        NO_LUCK = "no_luck", _("Their server could not be reached, or put us off, five times in a row.")
        CAPPED = (
            "capped",
            _("This sender got too many receipts within the hour; two machines may be talking."),
        )
        SENDER = "sender", _("The sender is not a partner any more, or its address is erased.")

    mail = models.OneToOneField(Mail, models.PROTECT, related_name="receipt", verbose_name=_("mail"))
    state = models.CharField(_("state"), max_length=7, choices=State.choices)
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    next_attempt_at = models.DateTimeField(_("next attempt"))
    attempt = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    trouble = models.CharField(_("trouble"), max_length=7, blank=True, choices=Trouble.choices)
    answer = models.CharField(_("their server's words"), max_length=500, blank=True)

    objects = MailReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt by mail")
        verbose_name_plural = _("receipts by mail")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="mail_receipt_sent_has_answer",
                condition=~Q(state="sent") | (Q(sent_at__isnull=False) & ~Q(answer="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"], name="mail_receipt_waits", condition=Q(state="pending")
            ),
            models.Index(fields=["created_at"], name="mail_receipt_parked", condition=Q(state="parked")),
        ]
        triggers = state_guard("mail_receipt", EDGES)

    def __str__(self) -> str:
        return self.message_id
