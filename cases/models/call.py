"""A telephone call to a provider about notices whose term is long over."""

from typing import Final

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.step import Step
from providers.models import Provider
from vault.sealed import Sealed

#: characters of a note
LONGEST_CALL_NOTE: Final = 1_000


class Call(models.Model):
    """One call: who called when, about which steps, and what came of it. `note` is sealed. Never overwritten."""

    class Outcome(models.TextChoices):
        PROMISED = "promised", _("they will remove it")
        REACHED = "reached", _("reached: they know of it")
        REFUSED = "refused", _("they refuse")
        NOT_REACHED = "not_reached", _("nobody answered")
        WRONG_NUMBER = "wrong_number", _("the number is wrong")

    #: Somebody answered.
    SPOKE: Final = (Outcome.PROMISED, Outcome.REACHED, Outcome.REFUSED)

    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="calls", verbose_name=_("provider"), db_index=False
    )
    steps = models.ManyToManyField(Step, related_name="calls", verbose_name=_("steps"))
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    note_sealed = models.BinaryField(null=True, editable=False)
    token = models.UUIDField(unique=True, editable=False)

    note = Sealed("note_sealed", row="token")

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["provider", "-at", "-id"], name="call_of_provider")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.outcome}"

    @property
    def spoke(self) -> bool:
        """Whether somebody answered: then nobody needs to call again."""
        return self.outcome in self.SPOKE
