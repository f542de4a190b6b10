"""What a provider and we write to each other about a notice."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.models.forwarding import Forwarding
from cases.models.notice import Notice
from cases.models.reply import Reply
from vault.sealed import Sealed


class MessageQuerySet(models.QuerySet["Message"]):
    def waiting(self) -> "MessageQuerySet":
        """A provider wrote it, and nobody of ours has answered it or said that it needs no answer."""
        return self.filter(side=Message.Side.PROVIDER, handled_at__isnull=True)

    def unread(self) -> "MessageQuerySet":
        """We wrote it, and nobody of the provider's has read it in the portal."""
        return self.filter(side=Message.Side.HOTLINE, read_at__isnull=True)


class Message(models.Model):
    """One thing written about a notice in the portal. What it says stands sealed, and is never changed.

    It says one of three things: its own text; what the provider asked with an answer (`reply`: the words stand
    there); or that a customer's time has run out (`forwarding`: the words are made for whoever reads them).
    """

    class Side(models.TextChoices):
        PROVIDER = "provider", _("the provider")
        HOTLINE = "hotline", _("the hotline")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="messages", verbose_name=_("notice"))
    side = models.CharField(_("written by"), max_length=8, choices=Side.choices)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)
    token = models.UUIDField(unique=True, editable=False)
    text_sealed = models.BinaryField(null=True, editable=False)
    reply = models.OneToOneField(
        Reply, models.PROTECT, null=True, blank=True, related_name="question", verbose_name=_("answer")
    )
    forwarding = models.OneToOneField(
        Forwarding, models.PROTECT, null=True, blank=True, related_name="told", verbose_name=_("forwarding")
    )
    # Of what a provider wrote: when somebody of ours dealt with it.
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)
    handled_by = models.CharField(_("handled by"), max_length=40, blank=True)
    # Of what we wrote: when somebody of theirs first had it before them.
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    read_by = models.CharField(_("read by"), max_length=40, blank=True)

    text = Sealed("text_sealed", row="token")

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message about a notice")
        verbose_name_plural = _("messages about notices")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="message_says_one_thing",
                condition=(
                    Q(reply__isnull=True, forwarding__isnull=True)
                    | Q(reply__isnull=False, forwarding__isnull=True, text_sealed__isnull=True)
                    | Q(reply__isnull=True, forwarding__isnull=False, text_sealed__isnull=True)
                ),
            ),
            models.CheckConstraint(
                name="message_handled_or_read",
                condition=Q(side="provider", read_at__isnull=True, forwarding__isnull=True)
                | Q(side="hotline", handled_at__isnull=True, reply__isnull=True),
            ),
            models.CheckConstraint(
                name="message_handled_after_it_came",
                condition=Q(handled_at__isnull=True) | (Q(handled_at__gte=F("at")) & ~Q(handled_by="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["at", "id"],
                name="message_waits",
                condition=Q(side="provider", handled_at__isnull=True),
            ),
            models.Index(
                fields=["notice"],
                name="message_unread",
                condition=Q(side="hotline", read_at__isnull=True),
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.side}"

    @property
    def words(self) -> str:
        """What was written, by whoever wrote it; "" of what is worded for its reader."""
        if self.reply is None:
            return str(self.text)
        return "\n".join(filter(None, [self.reply.reason, self.reply.note]))
