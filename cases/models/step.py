"""A rung of the ladder for one notice: what is to happen when, and who must see to it."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice

CALL: Final = "call"


class StepQuerySet(models.QuerySet["Step"]):
    def due(self, *, now: datetime) -> "StepQuerySet":
        """Due, not taken, and not waiting for a person."""
        return self.filter(taken_at__isnull=True, due_at__lte=now, waits_for="")

    def asking(self) -> "StepQuerySet":
        """Those that ask a role to see to them, and that nobody sees to yet."""
        return self.filter(asked_at__isnull=False, acknowledged_at__isnull=True)

    def to_call(self) -> "StepQuerySet":
        """Calls that are to be made, until somebody was spoken to."""
        return self.filter(code=CALL, taken_at__isnull=False, outcome="")

    def of_roles(self, roles: Collection[str]) -> "StepQuerySet":
        """Those that one of these roles has now."""
        return self.filter(owner__in=roles)

    def overtake(self, *, at: datetime) -> None:
        """Nothing is left to do: the notice is closed, or the material is gone."""
        self.filter(taken_at__isnull=True).update(taken_at=at, outcome=Step.Outcome.OVERTAKEN, waits_for="")
        self.to_call().update(outcome=Step.Outcome.OVERTAKEN)
        self.asking().relieve()

    def relieve(self) -> None:
        """Nobody is asked any more to see to them."""
        self.update(asked_at=None, pass_at=None)

    def void(self, *, at: datetime) -> None:
        """Their clock never ran: a bounce said so. They stay as history, and the next clock begins its own."""
        rungs = self.filter(voided=0)
        rungs.overtake(at=at)
        latest = Step.objects.filter(notice=OuterRef("notice")).order_by("-voided").values("voided")[:1]
        rungs.update(voided=Subquery(latest) + 1)


class Step(models.Model):
    """One rung. `taken_at` is when it fired; `late` when that was more than a minute after `due_at`."""

    class Channel(models.TextChoices):
        DESK = "desk", _("on the desk")
        MAIL = "mail", _("by message to the provider")
        CALL = "call", _("by telephone")

    class WaitsFor(models.TextChoices):
        SIGHTING = "sighting", _("Nobody has seen it online lately: a supervisor decides.")

    class Outcome(models.TextChoices):
        REMINDED = "reminded", _("a reminder is in the outbox")
        INSISTED = "insisted", _("a reminder is in the outbox because a supervisor said so")
        NO_CONTACT = "no_contact", _("there is no contact to remind")
        CALLED = "called", _("the provider was called")
        OVERTAKEN = "overtaken", _("nothing was left to do")

    class Sooner(models.TextChoices):
        """Why a rung is due before its usual moment."""

        REFUSED = "refused", _("the provider refuses")
        OFTEN = "often", _("the provider let several terms end lately")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="steps", verbose_name=_("notice"))
    code = models.CharField(_("step"), max_length=20)
    # 0: a rung of the clock that counts. Of a clock that a bounce voided: how many that makes.
    voided = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    due_at = models.DateTimeField(_("due"))
    sooner = models.CharField(_("sooner"), max_length=8, blank=True, db_default="", choices=Sooner.choices)
    channel = models.CharField(_("how"), max_length=4, choices=Channel.choices, db_default=Channel.DESK)
    # Whose it is now; it began with its rung's role, and was passed on `passed` times.
    owner = models.CharField(_("for"), max_length=20)
    passed = models.PositiveSmallIntegerField(_("passed on"), default=0, db_default=0)
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    late = models.BooleanField(_("late"), default=False, db_default=False)
    # Set when a person must decide first (I7).
    waits_for = models.CharField(
        _("waits for"), max_length=12, blank=True, db_default="", choices=WaitsFor.choices
    )
    outcome = models.CharField(
        _("outcome"), max_length=12, blank=True, db_default="", choices=Outcome.choices
    )
    # Since when its role has been asked to see to it, and when the next role is; None when nobody needs to.
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    pass_at = models.DateTimeField(_("passed on at"), null=True, blank=True, editable=False)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=40, blank=True, db_default="")

    objects = StepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["due_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["notice", "voided", "code"], name="step_once")]
        indexes = [
            models.Index(fields=["due_at", "id"], name="step_waits", condition=Q(taken_at__isnull=True)),
            models.Index(
                fields=["asked_at", "id"],
                name="step_asks",
                condition=Q(asked_at__isnull=False, acknowledged_at__isnull=True),
            ),
            models.Index(
                fields=["pass_at", "id"],
                name="step_passes",
                condition=Q(pass_at__isnull=False, acknowledged_at__isnull=True),
            ),
            models.Index(
                fields=["acknowledged_by", "acknowledged_at", "id"],
                name="step_seen_to",
                condition=~Q(acknowledged_by=""),
            ),
            models.Index(
                fields=["taken_at", "id"],
                name="step_to_call",
                condition=Q(code=CALL, taken_at__isnull=False, outcome=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.code}"
