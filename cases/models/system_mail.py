"""Mails of ours beside the messages about notices: a confirmation, a warning."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey
from cases.models.dispatch import Dispatch
from cases.models.mail_choice import MailChoice
from providers.models import Proposal


class SystemMailQuerySet(models.QuerySet["SystemMail"]):
    def waiting(self) -> "SystemMailQuerySet":
        """Neither sent nor given up."""
        return self.filter(sent_at__isnull=True, dropped_at__isnull=True)

    def due(self, *, now: datetime) -> "SystemMailQuerySet":
        """Waits to be handed over, and is in nobody's hands."""
        return (
            self.waiting()
            .filter(due_at__lte=now)
            .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
        )


class SystemMail(models.Model):
    """A row of the outbox (docs/adr/0002) whose text is written when it leaves, from what is known then."""

    class About(models.TextChoices):
        ANSWERS = "answers", _("answers by the link of a message")
        KEY_ENDS = "key_ends", _("a key that ends")
        CODE = "code", _("code for an address")
        NEWS = "news", _("news that somebody asked for")
        WEEKLY = "weekly", _("weekly summary")

    about = models.CharField(_("about"), max_length=8, choices=About.choices)
    # Of answers: by the link of which message.
    dispatch = models.ForeignKey(
        Dispatch, models.PROTECT, null=True, related_name="confirmations", verbose_name=_("message")
    )
    # Of a key that ends: which, and so many days before.
    key = models.ForeignKey(
        ApiKey, models.PROTECT, null=True, related_name="warnings", verbose_name=_("API key")
    )
    days = models.PositiveSmallIntegerField(_("days before"), null=True)
    # Of a code: the proposal that it proves.
    proposal = models.ForeignKey(
        Proposal, models.CASCADE, null=True, related_name="+", verbose_name=_("proposal")
    )
    # Of news: who asked for it, and what there is to say, by kinds of MailChoice.
    choice = models.ForeignKey(
        MailChoice, models.CASCADE, null=True, related_name="+", verbose_name=_("reader")
    )
    facts = models.JSONField(_("facts"), null=True)
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    due_at = models.DateTimeField(_("next attempt"))
    attempt = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    leased_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    # Nobody is there to get it, or their server does not take it.
    dropped_at = models.DateTimeField(_("given up"), null=True)
    answer = models.CharField(_("their server's words"), max_length=500, blank=True)

    objects = SystemMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("system mail")
        verbose_name_plural = _("system mails")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="system_mail_is_about_something",
                condition=Q(about="answers", dispatch__isnull=False, key__isnull=True, days__isnull=True)
                | Q(about="key_ends", dispatch__isnull=True, key__isnull=False, days__isnull=False)
                | Q(about="code", proposal__isnull=False)
                | Q(about__in=["news", "weekly"], choice__isnull=False, facts__isnull=False),
            ),
            models.UniqueConstraint(fields=["key", "days"], name="system_mail_warns_once"),
            # What follows before it leaves is said in the same mail; two answers at once meet here.
            models.UniqueConstraint(
                fields=["dispatch"],
                condition=Q(about="answers", attempt=0, dropped_at__isnull=True),
                name="system_mail_confirms_together",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="system_mail_waits",
                condition=Q(sent_at__isnull=True, dropped_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.message_id
