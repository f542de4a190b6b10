"""What lately became of the messages to a contact: figures that a sweep keeps, and nothing else writes."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from providers.models.provider import Contact


class ContactHealth(models.Model):
    """Derived from messages, bounces and answers: it can be thrown away and is counted anew.

    Counted over the latest `messages`, so that what happened long ago passes. `unanswered` are the latest first
    notices, one after the other, to which nobody answered and on which nothing was removed within a term.
    """

    class Word(models.TextChoices):
        GOOD = "good", pgettext_lazy("health", "good")
        DOUBTFUL = "doubtful", pgettext_lazy("health", "doubtful")
        BAD = "bad", pgettext_lazy("health", "bad")
        UNKNOWN = "unknown", _("unknown")

    contact = models.OneToOneField(
        Contact, models.CASCADE, primary_key=True, related_name="health", verbose_name=_("contact")
    )
    messages = models.PositiveSmallIntegerField(_("messages looked at"), default=0)
    failing = models.PositiveSmallIntegerField(_("not handed over"), default=0)
    bounced_hard = models.PositiveSmallIntegerField(_("refused for good"), default=0)
    bounced_soft = models.PositiveSmallIntegerField(_("put off"), default=0)
    last_bounced_at = models.DateTimeField(_("last refused"), null=True)
    unanswered = models.PositiveSmallIntegerField(_("unanswered in a row"), default=0)
    last_sent_at = models.DateTimeField(_("last handed over"), null=True)
    last_accepted_at = models.DateTimeField(_("last accepted"), null=True)
    last_answered_at = models.DateTimeField(_("last answered"), null=True)
    median_answer = models.DurationField(_("median time to the first answer"), null=True)
    portal_opened_at = models.DateTimeField(_("portal last opened"), null=True)
    counted_at = models.DateTimeField(_("counted"))
    # Derived: always equal to health.word(self). Stored so that a list can ask for it.
    word = models.CharField(_("health"), max_length=8, choices=Word.choices, default=Word.UNKNOWN)
    since = models.DateTimeField(_("since"))  # it is that word

    class Meta:
        verbose_name = _("health of a contact")
        verbose_name_plural = _("health of contacts")
        ordering = ["pk"]
        indexes = [models.Index(fields=["word"], name="contact_by_health")]

    def __str__(self) -> str:
        return f"{self.contact_id}: {self.word}"

    @property
    def last_success_at(self) -> datetime | None:
        """When something last worked: their server accepted, or somebody answered."""
        return max(filter(None, (self.last_accepted_at, self.last_answered_at)), default=None)
