"""A second judgement of a notice, by somebody who has not judged it before."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from cases.models.assessment import Assessment
from cases.models.notice import Notice


class SecondLookQuerySet(models.QuerySet["SecondLook"]):
    def open(self) -> "SecondLookQuerySet":
        """Not settled: it waits for the second judgement, or for the lead."""
        return self.filter(settled_at__isnull=True)

    def unread(self) -> "SecondLookQuerySet":
        """Waits for its second judgement."""
        return self.open().filter(second__isnull=True)

    def for_somebody(self, user_id: int) -> "SecondLookQuerySet":
        """Waits for a second judgement that this person may give: they have not judged the notice before."""
        mine = Assessment.objects.filter(notice=OuterRef("notice"), assessor=user_id)
        return self.unread().filter(~Exists(mine))

    def differing(self) -> "SecondLookQuerySet":
        """Two judgements that differ: the lead decides."""
        return self.open().filter(second__isnull=False)

    def blocking(self) -> "SecondLookQuerySet":
        """Keeps its notice from being sent: national law before the second judgement, and any disagreement."""
        return self.open().filter(Q(why=SecondLook.Why.NATIONAL) | Q(second__isnull=False))

    def overtake(self, *, at: datetime) -> None:
        """Nothing is left to judge: the first judgement was taken back, or the notice is closed."""
        self.open().update(settled_at=at, outcome=SecondLook.Outcome.OVERTAKEN)


class SecondLook(models.Model):
    """Why a second judgement is wanted, by when, and what came of it.

    `first_by`, `second_by` and `settled_by` repeat who judged, so that the database itself can refuse one person
    twice. One look per notice is open at a time: a graver reason replaces a lesser one.
    """

    class Why(models.TextChoices):
        """In order of gravity, the gravest last."""

        SAMPLE = "sample", _("sample")
        DOSSIER = "dossier", _("goes into a dossier")
        NATIONAL = "national", _("national law")
        DISPUTE = "dispute", _("the provider disputes it")

    class Outcome(models.TextChoices):
        AGREED = "agreed", _("both judged the same")
        UPHELD = "upheld", _("objection upheld")
        FIRST = "first", _("the first judgement stands")
        SECOND = "second", _("the second judgement stands")
        THIRD = "third", _("judged anew by the lead")
        OVERTAKEN = "overtaken", _("nothing was left to judge")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="second_looks", verbose_name=_("notice"))
    why = models.CharField(_("why"), max_length=12, choices=Why.choices)
    wanted_at = models.DateTimeField(_("wanted"))
    due_at = models.DateTimeField(_("due"))
    first = models.ForeignKey(Assessment, models.PROTECT, related_name="+", db_index=False)
    first_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    second = models.ForeignKey(Assessment, models.PROTECT, null=True, related_name="+", db_index=False)
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    # The lead's own judgement, which counts; without one the second judgement settled it.
    lead = models.ForeignKey(Assessment, models.PROTECT, null=True, related_name="+", db_index=False)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField(_("settled"), null=True)
    outcome = models.CharField(_("outcome"), max_length=12, blank=True, choices=Outcome.choices)

    objects = SecondLookQuerySet.as_manager()

    class Meta:
        verbose_name = _("second judgement")
        verbose_name_plural = _("second judgements")
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["notice"], condition=Q(settled_at__isnull=True), name="second_open_once"
            ),
            models.CheckConstraint(
                name="second_is_another_person",
                condition=Q(second_by__isnull=True) | ~Q(second_by=F("first_by")),
            ),
            models.CheckConstraint(
                name="second_settled_by_a_third_person",
                condition=Q(lead__isnull=True)
                | (
                    Q(settled_by__isnull=False) & ~Q(settled_by=F("first_by")) & ~Q(settled_by=F("second_by"))
                ),
            ),
            models.CheckConstraint(
                name="second_settled_says_how",
                condition=Q(settled_at__isnull=True, outcome="")
                | (Q(settled_at__isnull=False) & ~Q(outcome="")),
            ),
            models.CheckConstraint(
                name="second_agreed_has_two_judgements",
                condition=Q(outcome__in=["", "overtaken"]) | Q(second__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="second_unread",
                condition=Q(settled_at__isnull=True, second__isnull=True),
            ),
            models.Index(
                fields=["due_at", "id"],
                name="second_differing",
                condition=Q(settled_at__isnull=True, second__isnull=False),
            ),
            models.Index(fields=["settled_at", "id"], name="second_settled", condition=~Q(outcome="")),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.why}"
