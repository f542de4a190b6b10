"""Who has a notice before them on the work desk just now."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice


class ClaimQuerySet(models.QuerySet["Claim"]):
    def live(self, *, now: datetime) -> "ClaimQuerySet":
        """Not released, and heard of lately."""
        return self.filter(until__gt=now)


class Claim(models.Model):
    """One row per notice that is before somebody: a courtesy, and no lock.

    It keeps two people from reading the same thing; what guards a decision is the version check at saving
    (services/moving.py). `until` moves on with each sign that the page is still open; a row past it is dead and
    is taken over by whoever comes next. It is no part of the history: the audit hears of decisions.
    """

    notice = models.OneToOneField(
        Notice, models.PROTECT, primary_key=True, related_name="claim", verbose_name=_("notice")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="claims", verbose_name=_("user")
    )
    # The code of a source of the work desk: what is to be done with it.
    work = models.CharField(max_length=8, editable=False)
    # The last page that showed it: an older one that closes gives nothing back.
    page = models.CharField(max_length=16, blank=True, editable=False)
    claimed_at = models.DateTimeField(_("claimed"))
    # The last key, movement or press.
    active_at = models.DateTimeField(_("last active"))
    until = models.DateTimeField(_("until"))

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        ordering = ["claimed_at", "pk"]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.user_id}"
