"""What the work desk knows of a person: how long they have been at it today, and how they like it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AtWork(models.Model):
    """One row per person, about today only: there is no history to look into.

    Only the person sees it; a lead sees who is at the stop screen, and no figure. `worked` is the time between
    signs of activity on the desk, without breaks (services/wellbeing.py).
    """

    class Lifted(models.TextChoices):
        """Why somebody may go on today, past the hours of a day."""

        ASKED = "asked", _("they asked for it themselves")
        ONGOING = "ongoing", _("abuse that goes on cannot wait")
        NOBODY = "nobody", _("nobody else is there today")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        primary_key=True,
        related_name="at_work",
        verbose_name=_("user"),
    )
    day = models.DateField(_("day"))
    worked = models.DurationField(_("worked"))
    items = models.PositiveIntegerField(_("notices"), default=0)
    # The last sign of activity, and since when there was no break.
    active_at = models.DateTimeField(_("last active"))
    since_at = models.DateTimeField(_("without a break since"))
    # When the person said that they had read the hint to take a break.
    hint_read_at = models.DateTimeField(null=True, blank=True)
    lifted_because = models.CharField(
        _("may go on because"), max_length=7, blank=True, choices=Lifted.choices
    )
    single_keys = models.BooleanField(_("single keys"), default=True)

    class Meta:
        verbose_name = _("person at work")
        verbose_name_plural = _("people at work")
        ordering = ["pk"]
        indexes = [models.Index(fields=["day", "worked"], name="at_work_long")]

    def __str__(self) -> str:
        return str(self.user_id)
