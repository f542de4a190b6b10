"""A provider passed a notice on to its customer."""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice
from cases.models.reply import Reply
from providers.models import Provider
from vault.sealed import Sealed


class ForwardingQuerySet(models.QuerySet["Forwarding"]):
    def open(self) -> "ForwardingQuerySet":
        """The provider waits for its customer."""
        return self.filter(ended_at__isnull=True)

    def run_out(self, *, now: datetime) -> "ForwardingQuerySet":
        """The customer's time is over, our check has seen the material since, and nobody was told so yet."""
        return self.open().filter(
            expected_by__lte=now,
            reminded_at__isnull=True,
            notice__state__in=[Notice.State.NOTIFIED, Notice.State.ESCALATED],
            notice__last_seen_online_at__gte=F("expected_by"),
        )

    def end(self, *, at: datetime, because: str) -> int:
        """Nobody waits for the customer any more; returns how many ended."""
        return self.open().update(ended_at=at, ended_because=because)


class Forwarding(models.Model):
    """To whom, and until when the provider expects them to act: a clock of the provider's own.

    The notice's clock takes no part in it. `to` is a provider that is known as a customer or reseller of this one;
    `to_name` is what they typed, sealed. A later forwarding ends the one before.
    """

    class Ended(models.TextChoices):
        REPLACED = "replaced", _("forwarded anew")
        ANSWERED = "answered", _("the provider answered otherwise")
        CLOSED = "closed", _("the notice is closed")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="forwardings", verbose_name=_("notice"))
    reply = models.OneToOneField(Reply, models.PROTECT, related_name="forwarding", verbose_name=_("answer"))
    to = models.ForeignKey(
        Provider,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("to"),
    )
    to_sealed = models.BinaryField(null=True, editable=False)
    token = models.UUIDField(unique=True, editable=False)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)
    expected_by = models.DateTimeField(_("expected by"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_because = models.CharField(_("ended because"), max_length=8, blank=True, choices=Ended.choices)

    to_name = Sealed("to_sealed", row="token")

    objects = ForwardingQuerySet.as_manager()

    class Meta:
        verbose_name = _("forwarding")
        verbose_name_plural = _("forwardings")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["notice"], condition=Q(ended_at__isnull=True), name="forwarding_open_once"
            ),
            models.CheckConstraint(
                name="forwarding_expects_what_is_to_come",
                condition=Q(expected_by__isnull=True) | Q(expected_by__gt=F("at")),
            ),
            models.CheckConstraint(
                name="forwarding_ended_says_why",
                condition=Q(ended_at__isnull=True, ended_because="")
                | (Q(ended_at__isnull=False) & ~Q(ended_because="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["expected_by", "id"],
                name="forwarding_clock_runs",
                condition=Q(ended_at__isnull=True, reminded_at__isnull=True),
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.expected_by or '-'}"

    @property
    def name(self) -> str:
        """To whom, as people say it; "" when nobody said."""
        return str(self.to) if self.to else self.to_name
