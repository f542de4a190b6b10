"""What a provider has to say about its figures, before anybody else sees them."""

from typing import Final

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.measures.quarter import SPELLED
from providers.models import Provider
from vault.sealed import Sealed, new_id

#: characters of a comment
LONGEST_COMMENT: Final = 4_000


class ScorecardComment(models.Model):
    """The provider's words on its figures of one quarter. The latest counts; the earlier ones stay.

    `figures` are those that stood on the page when it was written, by the definitions of `version`. `text` is sealed:
    who defends a figure may well name an address.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # db_index=False: `scorecard_comment_of` begins with it.
    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="+", verbose_name=_("provider"), db_index=False
    )
    quarter = models.CharField(_("quarter"), max_length=7)
    text_sealed = models.BinaryField(editable=False)
    figures = models.JSONField(_("figures"))
    version = models.PositiveSmallIntegerField(_("version of the definitions"))
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)

    text = Sealed("text_sealed")

    class Meta:
        verbose_name = _("comment on a scorecard")
        verbose_name_plural = _("comments on scorecards")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="scorecard_comment_is_on_a_quarter", condition=Q(quarter__regex=f"^{SPELLED}$")
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "quarter", "-at"], name="scorecard_comment_of"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.quarter}"
