"""A question to a CDN or proxy: which server is behind this host?"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice
from providers.models import Origin, Provider


class OriginRequest(models.Model):
    """One host behind one proxy, however many notices wait for the answer.

    `notice` is the one that carries the question: by its reference they answer. It waits until it is answered or
    nobody needs the answer any more. Its due moment is ours; no provider's clock hangs on it.
    """

    class Outcome(models.TextChoices):
        WAITS = "", _("waits for an answer")
        ANSWERED = "answered", _("answered")
        MOOT = "moot", _("no notice waits for it any more")

    proxy = models.ForeignKey(
        Provider,
        models.PROTECT,
        related_name="origin_requests",
        verbose_name=_("CDN or proxy"),
        db_index=False,
    )
    host_key = models.BinaryField(max_length=32, editable=False)
    notice = models.ForeignKey(
        Notice, models.PROTECT, related_name="origin_requests", verbose_name=_("notice")
    )
    # How many times they were asked.
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    asked_at = models.DateTimeField(_("asked"))
    due_at = models.DateTimeField(_("answer wanted by"))
    outcome = models.CharField(_("outcome"), max_length=8, blank=True, choices=Outcome.choices)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    origin = models.ForeignKey(
        Origin, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("question for an origin")
        verbose_name_plural = _("questions for origins")
        ordering = ["due_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["proxy", "host_key"], condition=Q(outcome=""), name="origin_asked_once"
            ),
            models.CheckConstraint(
                name="origin_request_is_whole",
                condition=Q(outcome="", closed_at__isnull=True, origin__isnull=True)
                | Q(outcome="answered", closed_at__isnull=False, origin__isnull=False)
                | Q(outcome="moot", closed_at__isnull=False, origin__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], name="origin_unanswered", condition=Q(outcome="")),
        ]

    def __str__(self) -> str:
        return f"{self.proxy_id}#{self.pk}"
