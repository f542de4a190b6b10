"""What we answered to a provider's claim of removal, and the signed receipt of that."""

from typing import Final

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice, new_reference, reference_pattern
from cases.models.reply import Reply
from cases.models.sighting import Sighting
from providers.models import Provider

#: What the reference of a receipt looks like, as a regular expression.
RECEIPT_REFERENCE: Final = reference_pattern("V-")


def new_receipt_reference() -> str:
    """The reference of a verdict and of its receipt."""
    return new_reference("V-")


class Verdict(models.Model):
    """What a look, or a person, says to the claim `reply`. Never overwritten: a claim has one after the other.

    `state` and `gone_since` are the notice's at that moment: a verdict moves neither.
    """

    reference = models.CharField(
        _("reference"), max_length=12, unique=True, default=new_receipt_reference, editable=False
    )
    notice = models.ForeignKey(Notice, models.PROTECT, related_name="verdicts", verbose_name=_("notice"))
    # The notice's, so that a provider's receipts can be read in the order in which they came.
    # db_index=False: `verdict_of_provider` begins with it.
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    # db_index=False: who asks for it asks by the notice.
    reply = models.ForeignKey(Reply, models.PROTECT, related_name="+", db_index=False)
    answer = models.CharField(_("answer"), max_length=15, choices=Notice.ClaimAnswer.choices)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)
    # The look that decided; NULL when a person did before there was one.
    look = models.ForeignKey(Sighting, models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.CharField(_("state"), max_length=10, choices=Notice.State.choices)
    gone_since = models.DateTimeField(_("gone since"), null=True)

    class Meta:
        verbose_name = _("answer to a claim")
        verbose_name_plural = _("answers to claims")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="verdict_says_something",
                condition=models.Q(
                    answer__in=["confirmed", "still_reachable", "cannot_tell", "accepted", "proven"]
                ),
            ),
        ]
        indexes = [models.Index(fields=["provider", "at", "reference"], name="verdict_of_provider")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_by_person(self) -> bool:
        """Whether one of us said it, and not a look."""
        return self.answer == Notice.ClaimAnswer.ACCEPTED


class Receipt(models.Model):
    """The signed text of a verdict (docs/adr/0034), kept so that it is the same at every print.

    Apart from the verdict, because retention takes it away while the verdict stays.
    """

    verdict = models.OneToOneField(Verdict, models.PROTECT, primary_key=True, related_name="receipt")
    key_id = models.CharField(_("key"), max_length=43)
    signed = models.TextField(_("signed text"))

    class Meta:
        verbose_name = _("signed receipt")
        verbose_name_plural = _("signed receipts")
        ordering = ["pk"]
        triggers = [pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return str(self.pk)
