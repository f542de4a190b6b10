"""One mail that came in, from a partner or from whoever else knows the mailbox."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.guard import state_guard
from cases.models.mail_sender import MailSender
from cases.models.report import Report, Source
from vault.keys import ring
from vault.sealed import Sealed


class MailQuerySet(models.QuerySet["Mail"]):
    def waiting(self) -> "MailQuerySet":
        """In the tray: a person says what becomes of it."""
        return self.filter(state=Mail.State.WAITING)

    def accepted(self) -> "MailQuerySet":
        """To be taken in, by whoever comes first."""
        return self.filter(state=Mail.State.ACCEPTED)


EDGES = (
    ("waiting", "accepted"),
    ("waiting", "set_aside"),
    ("accepted", "waiting"),
    ("accepted", "taken"),
)


class Mail(models.Model):
    """One mail, however often the server shows it. Whom it is from and what it says stand sealed.

    What is not text never gets here: pictures, archives and whatever else was attached are counted only.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a person")
        ACCEPTED = "accepted", _("being taken in")
        TAKEN = "taken", _("became a report")
        SET_ASIDE = "set_aside", _("set aside")

    class Reason(models.TextChoices):
        BAD_FROM = "bad_from", _("It names no sender, several, or one that cannot be read.")
        MACHINE = "machine", _("A machine sent it: an automatic answer, a bounce or a mailing list.")
        STRANGER = "stranger", _("The sender is not on the list of partners.")
        NOT_PROVEN = (
            "not_proven",
            _(
                "The sender is on the list, but nothing proves that the mail comes from there (no DMARC pass)."
            ),
        )
        SAME_ID = "same_id", _("A mail with the same Message-ID and other contents came before.")
        TOO_LARGE = "too_large", _("It is too large to be read here; it lies in the mailbox.")
        PARTS = "parts", _("It is built of too many parts to be read safely.")
        CHARSET = "charset", _("Its text is not in the character set that it claims.")
        BAD_FILE = "bad_file", _("A list attached to it cannot be read.")
        HTML_ONLY = "html_only", _("It has no plain text: only HTML, which is not read.")
        NO_LINES = (
            "no_lines",
            _("There is no address in it, on a line of its own or in a list attached to it."),
        )
        MANY_LINES = "many_lines", _("It has more than 10,000 lines.")
        UNREADABLE = "unreadable", _("It is no mail that can be read.")
        FAULT = "fault", _("Taking it in failed. Tell who runs this system; its log names this mail.")

    reference = models.CharField(_("reference"), max_length=16, unique=True, editable=False)
    # Blind indexes of the Message-ID (of the whole mail when it has none), the contents, and the sender.
    message_key = models.BinaryField(max_length=32, editable=False)
    content_key = models.BinaryField(max_length=32, editable=False)
    sender_key = models.BinaryField(max_length=32, editable=False)
    received_at = models.DateTimeField(_("received"))
    size_bytes = models.PositiveBigIntegerField(_("size in bytes"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    # Why a person must look.
    reason = models.CharField(_("reason"), max_length=10, blank=True, choices=Reason.choices)
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("source")
    )
    listed_as = models.ForeignKey(
        MailSender, models.PROTECT, null=True, blank=True, related_name="mails", verbose_name=_("partner")
    )
    proven = models.BooleanField(_("DMARC pass"), default=False)
    by_machine = models.BooleanField(_("sent by a machine"), default=False)
    total = models.PositiveIntegerField(_("lines"), default=0)
    dropped = models.PositiveIntegerField(_("attachments left out"), default=0)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=40, blank=True)
    report = models.ForeignKey(
        Report, models.PROTECT, null=True, blank=True, related_name="mails", verbose_name=_("report")
    )
    message_id_sealed = models.BinaryField(null=True, editable=False)
    sender_sealed = models.BinaryField(null=True, editable=False)
    subject_sealed = models.BinaryField(null=True, editable=False)
    # JSON: [[kind, text], ...], where kind is "" for the text of the mail itself, or the ending of a list.
    texts_sealed = models.BinaryField(null=True, editable=False)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    message_id = Sealed("message_id_sealed", row="reference")
    sender = Sealed("sender_sealed", row="reference")
    subject = Sealed("subject_sealed", row="reference")
    texts_json = Sealed("texts_sealed", row="reference")

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["message_key", "content_key"], name="mail_once"),
            models.CheckConstraint(
                name="mail_taken_has_report", condition=~Q(state="taken") | Q(report__isnull=False)
            ),
            models.CheckConstraint(
                name="mail_accepted_has_source", condition=~Q(state="accepted") | Q(source__isnull=False)
            ),
            models.CheckConstraint(
                name="mail_waits_for_a_reason", condition=~Q(state="waiting") | ~Q(reason="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at", "id"],
                name="mail_unfinished",
                condition=Q(state__in=["waiting", "accepted"]),
            ),
            models.Index(fields=["state", "-decided_at", "-id"], name="mail_decided"),
            models.Index(
                fields=["decided_at"],
                name="mail_to_erase",
                condition=Q(erased_at__isnull=True, state__in=["taken", "set_aside"]),
            ),
        ]
        triggers = state_guard("mail", EDGES)

    def __str__(self) -> str:
        return self.reference

    @property
    def answerable(self) -> bool:
        """Whether a receipt may go back: only to whom we know, who proved it, and who is no machine."""
        return self.listed_as is not None and self.listed_as.counts and self.proven and not self.by_machine

    @staticmethod
    def key_of(text: str) -> bytes:
        """The blind index of a Message-ID, a digest or a sender."""
        return ring().blind(text, purpose="mail")
