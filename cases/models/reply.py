"""What a provider said about a notice."""

from typing import Final

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.notice import Notice
from cases.models.reply_mail import ReplyMail
from vault.sealed import Sealed

#: characters of a note
LONGEST_NOTE: Final = 4_000
#: characters of a reason
LONGEST_REASON: Final = 300


class Reply(models.Model):
    """One structured answer. `note` is sealed. Never overwritten."""

    class Answer(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", _("seen, we are on it")
        REMOVED = "removed", _("made inaccessible")
        ALREADY_GONE = "already_gone", _("was already gone")
        NOT_OURS = "not_ours", _("not on our network")
        FORWARDED = "forwarded", _("forwarded to our customer")
        NEED_INFORMATION = "need_information", _("we need information")
        DISPUTE = "dispute", _("we dispute it")

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="replies", verbose_name=_("notice"))
    answer = models.CharField(_("answer"), max_length=16, choices=Answer.choices)
    at = models.DateTimeField(_("at"))
    # What the provider says happened when ("removed at"); `at` is when we heard it.
    claimed_at = models.DateTimeField(_("says it happened"), null=True, blank=True)
    by = models.CharField(_("by"), max_length=40)
    # Said by the link of a message that was overtaken: kept, and it moved nothing.
    late = models.BooleanField(_("too late"), default=False, db_default=False)
    # The mail that said it, when `by` read it there.
    mail = models.ForeignKey(
        ReplyMail, models.PROTECT, null=True, blank=True, related_name="answers", verbose_name=_("mail")
    )
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)
    note_sealed = models.BinaryField(null=True, editable=False)
    token = models.UUIDField(unique=True, editable=False)

    note = Sealed("note_sealed", row="token")

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        ordering = ["at", "pk"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.answer}"


#: The answers that claim that it is gone.
CLAIMS: Final = (Reply.Answer.REMOVED, Reply.Answer.ALREADY_GONE)
