"""Many answers of a provider at once: what was previewed is what is recorded."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from providers.models import Provider
from vault.sealed import Sealed


class AnswerSheet(models.Model):
    """A provider's answers about many notices, frozen when they were looked at, and what became of each.

    `lines` is JSON (services.answer_sheets), sealed because notes are. The answers themselves are Replies: a sheet
    is only their receipt, and is kept for a while.
    """

    class Way(models.TextChoices):
        LIST = "list", _("chosen in the list")
        FILE = "file", _("a file")

    # db_index=False: the constraint begins with it.
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    # From what was sent and the page that sent it: a second press finds the first one's sheet.
    token = models.UUIDField(editable=False)
    way = models.CharField(_("way"), max_length=4, choices=Way.choices)
    by = models.CharField(_("by"), max_length=40)
    total = models.PositiveIntegerField(_("answers"))
    lines_sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(_("created"))
    recorded_at = models.DateTimeField(_("recorded"), null=True, blank=True)
    erased_at = models.DateTimeField(_("kept until"), db_index=True)

    lines = Sealed("lines_sealed", row="token")

    class Meta:
        verbose_name = _("sheet of answers")
        verbose_name_plural = _("sheets of answers")
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["provider", "token"], name="answer_sheet_once")]
        triggers = [
            pgtrigger.Protect(
                name="recorded_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__recorded_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.total}"
