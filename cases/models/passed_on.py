"""What somebody left for a colleague."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.clock import day_in_amsterdam
from cases.models.notice import Notice


class PassedOnQuerySet(models.QuerySet["PassedOn"]):
    def today(self, *, now: datetime) -> "PassedOnQuerySet":
        """Those of the present day, in Amsterdam."""
        return self.filter(day=day_in_amsterdam(now))

    def skipped(self) -> "PassedOnQuerySet":
        """With a reason. What was handed over has none, and is counted nowhere."""
        return self.exclude(reason="")


class PassedOn(models.Model):
    """A person left a notice for a colleague: for the rest of the day it does not come to them again.

    `reason` is empty when it was handed over: that is for a person's own well-being, and nobody asks why.
    """

    class Reason(models.TextChoices):
        LANGUAGE = "language", _("it needs a language that I do not read")
        TECHNICAL = "technical", _("I cannot open it, for a technical reason")
        CONFLICT = "conflict", _("I know somebody who is involved")
        CONTEXT = "context", _("it needs a colleague who knows this kind of material")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="passed_on", verbose_name=_("notice"))
    # db_index=False: `passed_on_once_a_day` begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("user")
    )
    at = models.DateTimeField(_("at"))
    # Derived: always equal to day_in_amsterdam(at).
    day = models.DateField(_("day"))
    reason = models.CharField(_("reason"), max_length=9, blank=True, choices=Reason.choices)

    objects = PassedOnQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice left for a colleague")
        verbose_name_plural = _("notices left for a colleague")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "day", "notice"], name="passed_on_once_a_day"),
        ]
        indexes = [
            models.Index(fields=["at"], name="passed_on_skipped", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.reason or '-'}"
