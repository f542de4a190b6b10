"""The words of our messages, in versions: once in force, a version never changes again.

Only prose is in it. What the law asks of every message (its number, who sends it, to whom and why, the term or the due
moment, the grounds, what must not be done, the lines) stands in code (cases/formats/text.py), so that nobody can edit
a message into one that does not count.
"""

import hashlib
from typing import Final

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cases.models.dispatch import Dispatch

#: The parts of the prose, in the order of the message.
PARTS: Final = ("opening", "ask", "answer", "objection", "closing")


class MessageTemplateQuerySet(models.QuerySet["MessageTemplate"]):
    def of(self, kind: str, language: str) -> "MessageTemplateQuerySet":
        """All versions for one kind of message in one language, the newest first."""
        return self.filter(kind=kind, language=language).order_by("-version")

    def in_force(self) -> "MessageTemplateQuerySet":
        """Versions that messages are or were written by."""
        return self.filter(in_force_at__isnull=False)


class MessageTemplate(models.Model):
    """One version. A draft has no `in_force_at`; there is one at most of a kind and language, and it is the newest."""

    class Language(models.TextChoices):
        NL = "nl", pgettext_lazy("a language", "Dutch")
        EN = "en", pgettext_lazy("a language", "English")

    kind = models.CharField(_("kind"), max_length=10, choices=Dispatch.Kind.choices)
    language = models.CharField(_("language"), max_length=2, choices=Language.choices)
    version = models.PositiveIntegerField(_("version"))
    opening = models.TextField(_("opening"))
    ask = models.TextField(_("what we ask"))
    answer = models.TextField(_("how to answer"))
    objection = models.TextField(_("objections"))
    closing = models.TextField(_("closing"), blank=True)
    # The earlier version whose words it has again.
    restores = models.PositiveIntegerField(_("restores version"), null=True, blank=True)
    drafted_at = models.DateTimeField(_("drafted"))
    drafted_by = models.CharField(_("drafted by"), max_length=40)
    # The notice by which somebody has read these very words; saving other words empties both.
    previewed_on = models.CharField(_("previewed on"), max_length=12, blank=True)
    previewed_by = models.CharField(_("previewed by"), max_length=40, blank=True)
    in_force_at = models.DateTimeField(_("in force since"), null=True, blank=True)
    in_force_by = models.CharField(_("put in force by"), max_length=40, blank=True)

    objects = MessageTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("template of a message")
        verbose_name_plural = _("templates of messages")
        ordering = ["kind", "language", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "language", "version"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["kind", "language"], condition=Q(in_force_at__isnull=True), name="template_one_draft"
            ),
            models.CheckConstraint(
                name="template_in_force_by_somebody",
                condition=Q(in_force_at__isnull=True, in_force_by="")
                | (Q(in_force_at__isnull=False) & ~Q(in_force_by="")),
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
        return f"{self.kind} {self.language} v{self.version}"

    @property
    def is_draft(self) -> bool:
        """Nothing is written by it yet."""
        return self.in_force_at is None

    @property
    def words(self) -> dict[str, str]:
        """The prose by part."""
        return {part: getattr(self, part) for part in PARTS}

    @property
    def seal(self) -> str:
        """Of the words: whoever puts them in force says by it which words they have read."""
        return hashlib.sha256("\x00".join(self.words.values()).encode()).hexdigest()
