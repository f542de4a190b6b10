"""Where the checkers look from, and how much they get done: what the desk of checks says without counting sightings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.sighting import Sighting


class Vantage(models.Model):
    """A checker as it names itself, under the key that it shows."""

    name = models.CharField(_("seen from"), max_length=60)
    by = models.CharField(_("by"), max_length=40)
    asked_at = models.DateTimeField(_("last asked"), null=True)
    reported_at = models.DateTimeField(_("last reported"), null=True)

    class Meta:
        verbose_name = _("vantage")
        verbose_name_plural = _("vantages")
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["name", "by"], name="vantage_once")]

    def __str__(self) -> str:
        return self.name


class LookTally(models.Model):
    """How many looks of one outcome a vantage reported in the minutes from `since` on."""

    vantage = models.CharField(_("seen from"), max_length=60)
    since = models.DateTimeField(_("from"))
    outcome = models.CharField(_("outcome"), max_length=7, choices=Sighting.Outcome.choices)
    looks = models.PositiveIntegerField(_("looks"))

    class Meta:
        verbose_name = _("tally of looks")
        verbose_name_plural = _("tallies of looks")
        ordering = ["since", "vantage", "outcome", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["since", "vantage", "outcome"], name="look_tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.vantage}: {self.outcome}"
