"""One mail that came back to us: a bounce, a delivery report, an automatic answer, or what a person wrote."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.dispatch import Dispatch
from cases.models.guard import state_guard
from cases.models.notice import Notice
from providers.models import Contact
from vault.keys import ring
from vault.sealed import Sealed


class ReplyMailQuerySet(models.QuerySet["ReplyMail"]):
    def waiting(self) -> "ReplyMailQuerySet":
        """In the tray: a person says what becomes of it."""
        return self.filter(state=ReplyMail.State.WAITING)

    def unmatched(self) -> "ReplyMailQuerySet":
        """Waits, and nobody knows to which message it belongs."""
        return self.waiting().filter(dispatch__isnull=True)

    def of_contact(self, contact: Contact) -> "ReplyMailQuerySet":
        """What came back to messages to this contact."""
        return self.filter(dispatch__contact=contact)

    def hard(self) -> "ReplyMailQuerySet":
        """Bounces that counted: the message is with nobody."""
        return self.filter(kind=ReplyMail.Kind.FAILED, state=ReplyMail.State.FILED, dispatch__isnull=False)

    def soft(self) -> "ReplyMailQuerySet":
        """Their server is slow to take a message; it may still arrive."""
        return self.filter(kind=ReplyMail.Kind.DELAYED, dispatch__isnull=False)

    def receipts(self) -> "ReplyMailQuerySet":
        """Their machine took it in, and says under which number."""
        return self.filter(kind=ReplyMail.Kind.RECEIPT, dispatch__isnull=False)

    def answers(self) -> "ReplyMailQuerySet":
        """What people wrote back."""
        return self.filter(kind=ReplyMail.Kind.ANSWER, dispatch__isnull=False)

    def about(self, notice: Notice) -> "ReplyMailQuerySet":
        """Those about a message that a notice stands on."""
        lines = notice.dispatch_lines.filter(Q(dropped_because="") | Q(dropped_because="bounced"))
        return self.filter(dispatch__in=lines.values("dispatch"))


EDGES = (
    ("waiting", "answered"),
    ("waiting", "set_aside"),
    ("waiting", "filed"),
    # A person thinks that it is more than a machine's.
    ("filed", "waiting"),
)


class ReplyMail(models.Model):
    """One mail to the sender's address, however often the server shows it. What it says stands sealed.

    Only text gets here: pictures, archives and whatever else was attached are counted only.
    """

    class Kind(models.TextChoices):
        ANSWER = "answer", _("written by a person")
        RECEIPT = "receipt", _("receipt of their machine")
        AWAY = "away", _("note of absence")
        AUTO = "auto", _("another automatic answer")
        FAILED = "failed", _("could not be delivered")
        DELAYED = "delayed", _("delivery is delayed")
        DELIVERED = "delivered", _("delivery report")
        OTHER = "other", _("a mailing list, or another machine")
        OWN = "own", _("our own mail, come back")

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a person")
        FILED = "filed", _("filed")
        ANSWERED = "answered", _("became answers")
        SET_ASIDE = "set_aside", _("read, without effect")

    class Match(models.TextChoices):
        """How it is known to which message it belongs."""

        RETURN_PATH = "return_path", _("its return path has the message's secret")
        REPLY_PATH = "reply_path", _("it was sent to the message's reply address")
        THREAD = "thread", _("it answers the message's Message-ID")
        PERSON = "person", _("a colleague put it there")

    class Reason(models.TextChoices):
        """Why a person must look."""

        ANSWER = "answer", _("A person wrote it: say what it means for the notices.")
        STRANGER = (
            "stranger",
            _("A person wrote it, but nothing proves that it comes from the provider. Take care."),
        )
        UNMATCHED = "unmatched", _("It names no message of ours that can be told with certainty.")
        MACHINE = (
            "machine",
            _("A machine sent it, but it may hold what a person wrote, as mail of ticket systems does."),
        )
        NO_SECRET = (
            "no_secret",
            _("It says that a message failed, and does not know that message's return path: perhaps forged."),
        )
        OTHER_ADDRESS = (
            "other_address",
            _("It says that a message failed for another address than the one that we wrote to."),
        )
        TOO_LARGE = "too_large", _("It is too large to be read here; it lies in the mailbox.")
        PARTS = "parts", _("It is built of too many parts to be read safely.")
        CHARSET = "charset", _("Its text is not in the character set that it claims.")
        HTML_ONLY = "html_only", _("It has no plain text: only HTML, which is not read.")
        UNREADABLE = "unreadable", _("It is no mail that can be read.")
        BROUGHT = "brought", _("A colleague brought it to the tray.")

    reference = models.CharField(_("reference"), max_length=16, unique=True, editable=False)
    # Blind indexes of the Message-ID (of the whole mail when it has none) and of the contents.
    message_key = models.BinaryField(max_length=32, editable=False)
    content_key = models.BinaryField(max_length=32, editable=False)
    received_at = models.DateTimeField(_("received"))
    size_bytes = models.PositiveBigIntegerField(_("size in bytes"))
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    reason = models.CharField(_("reason"), max_length=13, blank=True, choices=Reason.choices)
    dispatch = models.ForeignKey(
        Dispatch, models.PROTECT, null=True, blank=True, related_name="came_back", verbose_name=_("message")
    )
    matched_by = models.CharField(_("matched by"), max_length=11, blank=True, choices=Match.choices)
    # A number of ours in its subject: a suggestion, since everybody can write one.
    number = models.CharField(_("number"), max_length=20, blank=True)
    proven = models.BooleanField(_("DMARC pass"), default=False)
    # Proven, and of a domain of the provider's own contacts.
    from_provider = models.BooleanField(_("from the provider"), default=False)
    ticket = models.CharField(_("their number"), max_length=60, blank=True)
    # RFC 3463, and the words beside it, without addresses of content.
    status = models.CharField(_("status"), max_length=11, blank=True)
    words = models.CharField(_("their server's words"), max_length=500, blank=True)
    dropped = models.PositiveIntegerField(_("attachments left out"), default=0)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=40, blank=True)
    message_id_sealed = models.BinaryField(null=True, editable=False)
    sender_sealed = models.BinaryField(null=True, editable=False)
    subject_sealed = models.BinaryField(null=True, editable=False)
    text_sealed = models.BinaryField(null=True, editable=False)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    message_id = Sealed("message_id_sealed", row="reference")
    sender = Sealed("sender_sealed", row="reference")
    subject = Sealed("subject_sealed", row="reference")
    text = Sealed("text_sealed", row="reference")

    objects = ReplyMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail that came back")
        verbose_name_plural = _("mails that came back")
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["message_key", "content_key"], name="reply_mail_once"),
            models.CheckConstraint(
                name="reply_mail_waits_for_a_reason", condition=~Q(state="waiting") | ~Q(reason="")
            ),
            models.CheckConstraint(
                name="reply_mail_matched_somehow",
                condition=Q(dispatch__isnull=True, matched_by="")
                | (Q(dispatch__isnull=False) & ~Q(matched_by="")),
            ),
            models.CheckConstraint(
                name="reply_mail_answered_has_message",
                condition=~Q(state="answered") | Q(dispatch__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["received_at", "id"], name="reply_mail_waits", condition=Q(state="waiting")),
            models.Index(fields=["state", "-received_at", "-id"], name="reply_mail_by_state"),
            models.Index(
                fields=["received_at"],
                name="reply_mail_to_erase",
                condition=Q(erased_at__isnull=True) & ~Q(state="waiting"),
            ),
        ]
        triggers = state_guard("reply_mail", EDGES)

    def __str__(self) -> str:
        return self.reference

    @property
    def is_answer(self) -> bool:
        """A person of the provider wrote it, and nobody found that it says nothing."""
        return self.kind == self.Kind.ANSWER and self.from_provider and self.state != self.State.SET_ASIDE

    @staticmethod
    def key_of(text: str) -> bytes:
        """The blind index of a Message-ID or a digest."""
        return ring().blind(text, purpose="reply_mail")
