"""The log of calls to a provider's webhooks: what its own people look into when something did not arrive."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.dispatch import Dispatch
from providers.models import Contact, Provider


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def of(self, provider_id: int) -> "DeliveryQuerySet":
        """A provider's own."""
        return self.filter(provider_id=provider_id)


class Delivery(models.Model):
    """One call: written before it starts, finished when it ends; what never ended may have arrived or not.

    It is kept for a while and then deleted: what the law asks about stands on the dispatch and its attempts. The body
    is not here; the dispatch has it. No test has a dispatch.
    """

    class Kind(models.TextChoices):
        SENT = "sent", _("sent")
        REPLAY = "replay", _("replayed")
        TEST = "test", _("test")

    # db_index=False: `delivery_of_provider` begins with it.
    provider = models.ForeignKey(Provider, models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", verbose_name=_("endpoint"))
    dispatch = models.ForeignKey(Dispatch, models.CASCADE, null=True, related_name="deliveries")
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    # Of what was sent by itself: the number of its attempt.
    number = models.PositiveIntegerField(null=True, editable=False)
    type = models.CharField(_("type"), max_length=40)
    webhook_id = models.CharField("webhook-id", max_length=40)
    started_at = models.DateTimeField(_("started"))
    accepted = models.BooleanField(_("accepted"), null=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    took_ms = models.PositiveIntegerField(_("milliseconds"), null=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    # Who asked for it; "" of what was sent by itself.
    by = models.CharField(_("by"), max_length=40, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="delivery_of_a_dispatch_or_a_test",
                condition=Q(kind="test", dispatch__isnull=True)
                | (~Q(kind="test") & Q(dispatch__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["dispatch", "number"],
                condition=Q(number__isnull=False),
                name="delivery_of_attempt_once",
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "-started_at", "-id"], name="delivery_of_provider"),
            models.Index(fields=["started_at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id}: {self.kind}"
