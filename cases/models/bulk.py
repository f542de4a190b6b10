"""One act on many notices, or an export of them: what was asked, of which notices, and what became of each."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice


class Bulk(models.Model):
    """The notices are frozen when it is prepared: what comes into the filter later is not in it.

    Nothing happens to any of them before somebody starts it. An export is never worked off: it is ready once
    started, and what it says is read when it is fetched.
    """

    class Act(models.TextChoices):
        DISMISS = "dismiss", _("dismiss")
        HOLD = "hold", _("hold")
        RELEASE = "release", _("end the hold")
        TAKE_BACK = "take_back", _("take back")
        EXPORT = "export", _("export")

    class State(models.TextChoices):
        PREPARED = "prepared", _("prepared: nothing has happened yet")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")

    act = models.CharField(_("act"), max_length=10, choices=Act.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PREPARED)
    # Of the act: why it is dismissed; kind, reason and hours of a hold.
    arguments = models.JSONField(default=dict, editable=False)
    # A code of services.looking.Why.
    reason = models.CharField(_("reason"), max_length=10, blank=True)
    # The filter as a query string of the search desk; "" for rows that were chosen one by one.
    query = models.TextField(_("filter"), blank=True)
    columns = ArrayField(models.CharField(max_length=30), default=list, editable=False)
    total = models.PositiveIntegerField(_("notices"), default=0)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    # The language in which refusals are worded.
    language = models.CharField(max_length=2, editable=False)
    undoes = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="undone_by")
    created_at = models.DateTimeField(_("created"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # Then it is erased, with its lines; what was done stays in the audit.
    erased_at = models.DateTimeField(_("kept until"), db_index=True)

    class Meta:
        verbose_name = _("bulk act")
        verbose_name_plural = _("bulk acts")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="bulk_started_says_why",
                condition=Q(state="prepared") | ~Q(reason=""),
            ),
        ]
        indexes = [models.Index(fields=["id"], name="bulk_running", condition=Q(state="running"))]

    def __str__(self) -> str:
        return f"{self.act} {self.pk}"

    @property
    def is_export(self) -> bool:
        """Whether it is read, and changes nothing."""
        return self.act == self.Act.EXPORT

    def is_over(self, *, now: datetime) -> bool:
        """Whether it is kept no longer."""
        return self.erased_at <= now


class BulkLine(models.Model):
    """One notice of it. `seen_version` is that of the moment at which it was prepared."""

    class Outcome(models.TextChoices):
        WAITING = "", _("waits")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("skipped")
        FAILED = "failed", _("failed")

    bulk = models.ForeignKey(Bulk, models.CASCADE, related_name="lines", db_index=False)
    notice = models.ForeignKey(Notice, models.PROTECT, related_name="+", db_index=False)
    seen_version = models.PositiveIntegerField()
    outcome = models.CharField(_("outcome"), max_length=7, blank=True, choices=Outcome.choices, default="")
    # Why it was skipped, in the words of the refusal.
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    # The version that the act left: an undo of it does not touch what was changed since.
    left_version = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("line of a bulk act")
        verbose_name_plural = _("lines of bulk acts")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["bulk", "notice"], name="bulk_line_once")]
        indexes = [
            models.Index(fields=["bulk", "id"], name="bulk_line_waits", condition=Q(outcome="")),
        ]

    def __str__(self) -> str:
        return f"{self.bulk_id}: {self.notice_id}"
