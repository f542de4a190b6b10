"""What came in and was not read yet: the queue of intake, sealed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.report import Report
from vault.sealed import Sealed, new_id


class Unread(models.Model):
    """A run of lines of a report, kept from when it came in until the batch that reads them.

    The row goes in the very transaction that reads its lines, so that nothing of a file stays. It holds
    addresses and words of reporters: no page and no log shows it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    report = models.ForeignKey(Report, models.PROTECT, related_name="unread", verbose_name=_("report"))
    # Numbers of its first and last line, as in ReportLine.number.
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    lines_sealed = models.BinaryField(editable=False)

    lines = Sealed("lines_sealed")

    class Meta:
        verbose_name = _("lines not read yet")
        verbose_name_plural = _("lines not read yet")
        ordering = ["first", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["report", "first"], name="unread_once"),
            models.CheckConstraint(name="unread_in_order", condition=models.Q(last__gte=models.F("first"))),
        ]

    def __str__(self) -> str:
        return f"{self.report_id}/{self.first}-{self.last}"
