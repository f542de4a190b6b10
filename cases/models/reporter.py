"""What an anonymous reporter gets and may leave: a code to follow the report by, and how to be reached.

Both stand apart from the report: they are erased sooner (services/retention.py), and few may see the second.
"""

import hmac
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.report import Report
from vault.keys import ring
from vault.sealed import Sealed

#: Characters of a code: 60 bits.
CODE_LENGTH: Final = 12


class FollowUp(models.Model):
    """The code by which whoever sent a report asks what became of it. The code itself is not stored."""

    report = models.OneToOneField(
        Report, models.PROTECT, primary_key=True, related_name="follow_up", verbose_name=_("report")
    )
    # A keyed hash over the report's reference and the code: a stolen dump cannot be tried out against it.
    code_digest = models.BinaryField(max_length=32, editable=False)

    class Meta:
        verbose_name = _("follow-up code")
        verbose_name_plural = _("follow-up codes")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"follow-up {self.pk}"

    @staticmethod
    def digest_of(reference: str, code: str) -> bytes:
        """What is stored of a code."""
        return ring().blind(f"{reference}\0{code}", purpose="follow-up")

    def opens_with(self, reference: str, code: str) -> bool:
        """Whether `code` is the right one; takes as long either way."""
        return hmac.compare_digest(bytes(self.code_digest), self.digest_of(reference, code))


class Reporter(models.Model):
    """How to reach somebody who chose not to stay anonymous. Either may be empty, not both."""

    report = models.OneToOneField(
        Report, models.PROTECT, primary_key=True, related_name="reporter", verbose_name=_("report")
    )
    name_sealed = models.BinaryField(null=True, editable=False)
    email_sealed = models.BinaryField(null=True, editable=False)

    name = Sealed("name_sealed", row="report_id")
    email = Sealed("email_sealed", row="report_id")

    class Meta:
        verbose_name = _("reporter")
        verbose_name_plural = _("reporters")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="reporter_can_be_reached",
                condition=models.Q(name_sealed__isnull=False) | models.Q(email_sealed__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"reporter {self.pk}"
