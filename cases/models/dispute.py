"""A provider objects to a notice."""

from datetime import datetime
from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice
from cases.models.reply import Reply

#: characters of the sentence that says why an objection was rejected
LONGEST_WHY: Final = 300


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open(self) -> "DisputeQuerySet":
        """Nothing is decided."""
        return self.filter(outcome=Dispute.Outcome.WAITS)

    def about_place(self) -> "DisputeQuerySet":
        """About who hosts it: the notice desk finds out, nobody judges the material for it."""
        return self.filter(ground=Dispute.Ground.NOT_OURS)

    def about_material(self) -> "DisputeQuerySet":
        """Somebody who has not judged it before judges it again."""
        return self.exclude(ground=Dispute.Ground.NOT_OURS)

    def settle(self, outcome: str, *, at: datetime, by: str, why: str = "") -> int:
        """Decide on those that are open; returns how many."""
        return self.open().update(outcome=outcome, decided_at=at, decided_by=by, why=why)

    def close(self, *, because: str, at: datetime, by: str) -> None:
        """Their notices are taken back: what that says of them is upheld, and nothing is left to decide of the rest."""
        place = because in {Notice.Withdrawal.WRONG_PROVIDER, Notice.Withdrawal.MOVED}
        granted = self.about_place() if place else self.about_material()
        granted.settle(Dispute.Outcome.UPHELD, at=at, by=by)
        self.settle(Dispute.Outcome.OVERTAKEN, at=at, by=by)


class Dispute(models.Model):
    """One objection: on what ground, until when we decide, and what was decided. One is open of a notice at a time.

    `why` is the one sentence that the provider reads when the notice desk rejects it; of what a second person
    judged the page says so itself.
    """

    class Ground(models.TextChoices):
        NOT_ILLEGAL = "not_illegal", _("the material is not illegal")
        NOT_OURS = "not_ours", _("it is not on our network")
        WRONG_ADDRESS = "wrong_address", _("something else is at this address")
        ALREADY_GONE = "already_gone", _("it was gone before the notice")
        OTHER = "other", _("another reason")

    class Outcome(models.TextChoices):
        WAITS = "", _("waits for a decision")
        UPHELD = "upheld", _("upheld")
        REJECTED = "rejected", _("rejected")
        OVERTAKEN = "overtaken", _("nothing was left to decide")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="disputes", verbose_name=_("notice"))
    reply = models.OneToOneField(Reply, models.PROTECT, related_name="dispute", verbose_name=_("answer"))
    ground = models.CharField(_("ground"), max_length=13, choices=Ground.choices)
    at = models.DateTimeField(_("at"))
    due_at = models.DateTimeField(_("decided by"))
    outcome = models.CharField(_("outcome"), max_length=9, blank=True, choices=Outcome.choices)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=40, blank=True)
    why = models.CharField(_("why"), max_length=LONGEST_WHY, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("objection")
        verbose_name_plural = _("objections")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["notice"], condition=Q(outcome=""), name="dispute_open_once"),
            models.CheckConstraint(
                name="dispute_decided_is_dated",
                condition=Q(outcome="", decided_at__isnull=True, decided_by="", why="")
                | (~Q(outcome="") & Q(decided_at__gte=F("at")) & ~Q(decided_by="")),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="dispute_waits", condition=Q(outcome="")),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.ground}"

    @property
    def is_about_place(self) -> bool:
        """What `about_place` selects, of this one."""
        return self.ground == self.Ground.NOT_OURS
