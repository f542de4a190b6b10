"""One person's judgement of a notice; never overwritten."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice
from vault.sealed import Sealed


class LegalClass(models.TextChoices):
    """What the law says of it."""

    BASELINE = "baseline", _("illegal: baseline")
    NATIONAL = "national", _("illegal: national law")
    NOT_ILLEGAL = "not_illegal", _("not illegal")
    CANNOT_JUDGE = "cannot_judge", _("cannot be judged")


class Reason(models.TextChoices):
    """Why something is not illegal or cannot be judged (after the ICCAM list)."""

    ADULT = "adult", _("adult")
    NUDISM = "nudism", _("nudism")
    BELOW_THRESHOLD = "below_threshold", _("below the threshold")
    VIRTUAL = "virtual", _("virtual")
    LINKING = "linking", _("only links")
    AGE_UNCLEAR = "age_unclear", _("age unclear")
    NOT_FOUND = "not_found", _("not found")
    PASSWORD = "password", _("behind a password")


class Assessment(models.Model):
    """Who judged, when, and how. `note` is sealed."""

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="assessments", verbose_name=_("notice"))
    assessor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="assessments", verbose_name=_("assessor")
    )
    at = models.DateTimeField(_("at"))
    legal_class = models.CharField(_("class"), max_length=12, choices=LegalClass.choices)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices, blank=True)
    note_sealed = models.BinaryField(null=True, editable=False)
    token = models.UUIDField(unique=True, editable=False)

    note = Sealed("note_sealed", row="token")

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="assessment_not_illegal_says_why",
                condition=~models.Q(legal_class__in=["not_illegal", "cannot_judge"]) | ~models.Q(reason=""),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.legal_class}"
