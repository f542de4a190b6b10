"""A rung of the ladder for one notice: what is to happen when, and who must see to it."""

from datetime import datetime

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice


class StepQuerySet(models.QuerySet["Step"]):
    def due(self, *, now: datetime) -> "StepQuerySet":
        """Due, not taken, and not waiting for a person."""
        return self.filter(taken_at__isnull=True, due_at__lte=now, waits_for="")

    def unacknowledged(self) -> "StepQuerySet":
        """Taken or waiting, and nobody has said that they see to it; not what was overtaken."""
        return (
            self.filter(acknowledged_at__isnull=True)
            .filter(Q(taken_at__isnull=False) | ~Q(waits_for=""))
            .exclude(outcome=Step.Outcome.OVERTAKEN)
        )

    def overtake(self, *, at: datetime) -> None:
        """Nothing is left to do: the notice is closed, or the material is gone."""
        self.filter(taken_at__isnull=True).update(taken_at=at, outcome=Step.Outcome.OVERTAKEN, waits_for="")

    def void(self, *, at: datetime) -> None:
        """Their clock never ran: a bounce said so. They stay as history, and the next clock begins its own."""
        rungs = self.filter(voided=0)
        rungs.overtake(at=at)
        latest = Step.objects.filter(notice=OuterRef("notice")).order_by("-voided").values("voided")[:1]
        rungs.update(voided=Subquery(latest) + 1)


class Step(models.Model):
    """One rung. `taken_at` is when it fired; `late` when that was more than a minute after `due_at`."""

    class WaitsFor(models.TextChoices):
        SIGHTING = "sighting", _("Nobody has seen it online lately: a supervisor decides.")

    class Outcome(models.TextChoices):
        REMINDED = "reminded", _("a reminder is in the outbox")
        INSISTED = "insisted", _("a reminder is in the outbox because a supervisor said so")
        NO_CONTACT = "no_contact", _("there is no contact to remind")
        OVERTAKEN = "overtaken", _("nothing was left to do")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="steps", verbose_name=_("notice"))
    code = models.CharField(_("step"), max_length=20)
    # 0: a rung of the clock that counts. Of a clock that a bounce voided: the how many that makes.
    voided = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    due_at = models.DateTimeField(_("due"))
    owner = models.CharField(_("for"), max_length=20)
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    late = models.BooleanField(_("late"), default=False)
    # Set when a person must decide first (I7).
    waits_for = models.CharField(_("waits for"), max_length=12, blank=True, choices=WaitsFor.choices)
    outcome = models.CharField(_("outcome"), max_length=12, blank=True, choices=Outcome.choices)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=40, blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["due_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["notice", "voided", "code"], name="step_once")]
        indexes = [
            models.Index(fields=["due_at", "id"], name="step_waits", condition=Q(taken_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.code}"
