"""One person's judgement of a notice; never overwritten."""

from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice
from cases.models.vocabulary import Vocabulary
from vault.sealed import Sealed


class LegalClass(models.TextChoices):
    """What the law says of it."""

    BASELINE = "baseline", _("illegal: baseline")
    NATIONAL = "national", _("illegal: national law")
    NOT_ILLEGAL = "not_illegal", _("not illegal")
    CANNOT_JUDGE = "cannot_judge", _("cannot be judged")


#: The classes of which the provider is told; the others are dismissed with a reason.
ILLEGAL: Final = (LegalClass.BASELINE, LegalClass.NATIONAL)


class Assessment(models.Model):
    """Who judged, when, and how. `note` is sealed.

    `answers` are codes of the vocabulary by question; a question that is not there was not determined.
    """

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="assessments", verbose_name=_("notice"))
    # db_index=False: `assessment_of_assessor` begins with it.
    assessor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="assessments",
        verbose_name=_("assessor"),
        db_index=False,
    )
    at = models.DateTimeField(_("at"))
    legal_class = models.CharField(_("class"), max_length=12, choices=LegalClass.choices)
    reason = models.CharField(_("reason"), max_length=24, blank=True)
    answers = models.JSONField(_("answers"), default=dict, blank=True)
    vocabulary = models.ForeignKey(Vocabulary, models.PROTECT, related_name="+", db_index=False)
    # Nobody read it anew: the judgement of an earlier one was taken over.
    taken_from = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
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
            models.CheckConstraint(
                name="assessment_answers_are_of_what_is_illegal",
                condition=models.Q(legal_class__in=["baseline", "national"]) | models.Q(answers={}),
            ),
        ]
        indexes = [models.Index(fields=["assessor", "-at"], name="assessment_of_assessor")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.legal_class}"
