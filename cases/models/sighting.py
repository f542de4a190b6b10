"""One observation of whether the material is still reachable."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice


class Sighting(models.Model):
    """Seen from `vantage` at `seen_at`. Unknown (time-out, fault) is never gone."""

    class Outcome(models.TextChoices):
        ONLINE = "online", _("online")
        GONE = "gone", _("gone")
        CHANGED = "changed", _("changed")
        BLOCKED = "blocked", _("we are blocked")
        UNKNOWN = "unknown", _("cannot tell")

    # db_index=False: `sighting_once` begins with it.
    notice = models.ForeignKey(
        Notice, models.PROTECT, related_name="sightings", verbose_name=_("notice"), db_index=False
    )
    seen_at = models.DateTimeField(_("seen"))
    outcome = models.CharField(_("outcome"), max_length=7, choices=Outcome.choices)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    vantage = models.CharField(_("seen from"), max_length=60)
    note = models.CharField(_("note"), max_length=300, blank=True)
    recorded_at = models.DateTimeField(_("recorded"))
    by = models.CharField(_("by"), max_length=40)

    class Meta:
        verbose_name = _("sighting")
        verbose_name_plural = _("sightings")
        ordering = ["seen_at", "pk"]
        constraints = [
            # A checker that did not hear our answer reports again: the same look counts once. In this order it also
            # finds the last looks at a notice.
            models.UniqueConstraint(fields=["notice", "seen_at", "vantage"], name="sighting_once"),
        ]
        indexes = [
            # What later looks are compared with.
            models.Index(
                fields=["notice", "seen_at"],
                name="sighting_of_a_file",
                condition=models.Q(outcome="online") & ~models.Q(digest=""),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.outcome}"
