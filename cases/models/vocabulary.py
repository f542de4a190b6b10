"""The words that a judgement is made of, in versions: once in force, a version never changes again.

The legal class is not among them: the law and the state machine hang on it, so its codes and words are code
(`LegalClass`). A version is whole by itself: it has every term, also those that are no longer offered, so a
judgement is always read in the words of its own version.
"""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Question(models.TextChoices):
    """What a judgement may say beside the class; the order is that of the form."""

    REASON = "reason", _("why not, or why not to be judged")
    AGE_GROUP = "age_group", _("age group")
    SEX = "sex", _("sex")
    CONTENT_TYPE = "content_type", _("content type")
    SITE_TYPE = "site_type", _("site type")
    COMMERCIAL = "commercial", _("commercial")
    AI_GENERATED = "ai_generated", _("AI-generated")
    SELF_GENERATED = "self_generated", _("self-generated")
    VICTIM = "victim", _("victim")


class VocabularyQuerySet(models.QuerySet["Vocabulary"]):
    def in_force(self) -> "VocabularyQuerySet":
        """Versions that judgements are or were made with, the one that counts now first."""
        return self.filter(in_force_at__isnull=False).order_by("-version")


class Vocabulary(models.Model):
    """One version. A draft has no `in_force_at`; there is one draft at most, and its number is the next."""

    version = models.PositiveIntegerField(_("version"), primary_key=True)
    in_force_at = models.DateTimeField(_("in force since"), null=True, blank=True)
    by = models.CharField(_("by"), max_length=40)

    objects = VocabularyQuerySet.as_manager()

    class Meta:
        verbose_name = _("vocabulary")
        verbose_name_plural = _("vocabularies")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["in_force_at"],
                condition=Q(in_force_at__isnull=True),
                nulls_distinct=False,
                name="vocabulary_one_draft",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__in_force_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"v{self.version}"


class Term(models.Model):
    """An answer to a question. The code is for ever the same, for statistics; the labels are of the version."""

    vocabulary = models.ForeignKey(Vocabulary, models.CASCADE, related_name="terms")
    question = models.CharField(_("question"), max_length=16, choices=Question.choices)
    code = models.CharField(_("code"), max_length=24)
    label_nl = models.CharField(_("in Dutch"), max_length=60)
    label_en = models.CharField(_("in English"), max_length=60)
    position = models.PositiveSmallIntegerField(_("position"))
    # No longer offered; what was judged with it keeps it.
    retired = models.BooleanField(_("retired"), default=False)
    # Whoever chooses it is asked whether the police go first.
    police_first = models.BooleanField(_("suggests police first"), default=False)

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        ordering = ["vocabulary", "question", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["vocabulary", "question", "code"], name="term_once"),
            models.CheckConstraint(
                name="term_has_words", condition=~Q(label_nl="") & ~Q(label_en="") & ~Q(code="")
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="only_in_a_draft",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("book", "integer")],
                func="""
                    IF TG_OP = 'DELETE' THEN book := OLD.vocabulary_id; ELSE book := NEW.vocabulary_id; END IF;
                    IF EXISTS (SELECT 1 FROM cases_vocabulary WHERE version = book AND in_force_at IS NOT NULL)
                    OR (TG_OP = 'UPDATE' AND NEW.vocabulary_id <> OLD.vocabulary_id) THEN
                        RAISE EXCEPTION 'vocabulary % is in force: its terms never change', book
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.question}: {self.code}"

    @property
    def label(self) -> str:
        """In the reader's language."""
        return self.label_nl if (get_language() or "").startswith("nl") else self.label_en
