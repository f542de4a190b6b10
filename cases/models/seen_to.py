"""Who sees to what must be done: a task itself is a question to the facts, and has no row."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SeenTo(models.Model):
    """Somebody said "I see to it". It counts for a task that began before: what comes back is for everybody again."""

    class Task(models.TextChoices):
        """What `subject_id` is: a contact, or a provider that has no contact in use."""

        SUSPENDED = "suspended", _("suspended contact")
        UNREACHABLE = "unreachable", _("contact that cannot be reached")
        NO_CONTACT = "no_contact", _("provider without a contact in use")

    task = models.CharField(_("task"), max_length=12, choices=Task.choices)
    subject_id = models.BigIntegerField()
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)

    class Meta:
        verbose_name = _("seen to")
        verbose_name_plural = _("seen to")
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["task", "subject_id", "-at"], name="seen_to_latest")]

    def __str__(self) -> str:
        return f"{self.task} {self.subject_id}: {self.by}"
