"""Where mail arrives, and how our rows know what lies there."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.mail import Mail
from cases.models.reply_mail import ReplyMail


class Mailbox(models.Model):
    """A folder on a mail server that we read, and when we last came to its end.

    Partners' mail lies in one, what comes back to us in another.
    """

    name = models.CharField(_("name"), max_length=400, unique=True)
    # Another value means that the server numbered its mail anew (RFC 9051, 2.3.1.1).
    uid_validity = models.BigIntegerField(null=True, editable=False)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class MailCopy(models.Model):
    """Where the server shows a mail. It is written before the mail is fetched: a mail that kills its reader
    is known by its `tries`."""

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="copies")
    uid_validity = models.BigIntegerField()
    uid = models.BigIntegerField()
    tries = models.PositiveSmallIntegerField(default=0)
    # What was made of it, once it was: one of the two, by the mailbox.
    mail = models.ForeignKey(Mail, models.CASCADE, null=True, related_name="copies")
    reply_mail = models.ForeignKey(ReplyMail, models.CASCADE, null=True, related_name="copies")

    class Meta:
        ordering = ["mailbox", "uid_validity", "uid"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "uid_validity", "uid"], name="mail_copy_once"),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id}/{self.uid_validity}/{self.uid}"
