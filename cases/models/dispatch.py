"""One outgoing message to one contact: the outbox, and each attempt to hand it over."""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from cases.models.guard import state_guard
from cases.models.notice import Notice
from providers.models import Contact
from vault.sealed import Sealed


class DispatchQuerySet(models.QuerySet["Dispatch"]):
    def due(self, *, now: datetime) -> "DispatchQuerySet":
        """Waits to be handed over, needs nobody's yes, and is in nobody's hands."""
        return (
            self.filter(state=Dispatch.State.PENDING, next_attempt_at__lte=now)
            .exclude(Q(approved_by="") & ~Q(approval_reason=""))
            .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
        )

    def in_hand(self, *, now: datetime) -> "DispatchQuerySet":
        """Somebody is handing it over."""
        return self.filter(state=Dispatch.State.PENDING, leased_until__gt=now)

    def by_return_path(self, token: str) -> "DispatchQuerySet":
        """The one whose return path has this secret, in whatever case it came back."""
        return self.annotate(lower_token=Lower("token")).filter(lower_token=token.lower())


EDGES = (
    ("pending", "relayed"),
    ("pending", "accepted"),
    ("pending", "parked"),
    ("pending", "cancelled"),
    ("parked", "pending"),
    ("parked", "cancelled"),
    ("relayed", "accepted"),
    ("relayed", "bounced"),
    ("accepted", "bounced"),
)


class Dispatch(models.Model):
    """A message about one to many notices.

    Its Message-ID is minted once, with the row: whatever happens between the server's 250 and our commit,
    every copy on the wire carries the same one. `token` is the return path's secret.
    """

    class Kind(models.TextChoices):
        FIRST = "first", _("first notice")
        REMINDER = "reminder", _("reminder")
        WITHDRAWAL = "withdrawal", _("withdrawal")
        ORIGIN = "origin", _("question for the origin")
        MESSAGE = "message", _("a message waits in the portal")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting to be sent")
        RELAYED = "relayed", _("with our relay; their server's answer is not known")
        ACCEPTED = "accepted", _("accepted by their server")
        PARKED = "parked", _("needs attention")
        CANCELLED = "cancelled", _("cancelled")
        BOUNCED = "bounced", _("came back undelivered")

    class Approval(models.TextChoices):
        NEW_CONTACT = "new_contact", _("This is the first message to this contact.")
        MANY_LINES = "many_lines", _("So many notices at once go to this contact that somebody looks first.")
        RESTORED = "restored", _("It may have gone out already, before a backup was put back.")

    class Trouble(models.TextChoices):
        REFUSED = "refused", _("Their server refuses it for good.")
        NO_LUCK = "no_luck", _("Their server could not be reached, or put us off, five times in a row.")
        LATER = "later", _("Their server could not be reached or put us off; it will be tried again.")
        CONTACT = "contact", _("The contact is not approved, or is suspended.")
        OURS = "ours", _("Our own mail server does not take it; it is tried again every minute.")
        RESTORED = "restored", _("It may have gone out already: a backup was put back after it was made.")
        CHANNEL = "channel", _("There is no way to reach this contact yet.")
        KEY = "key", _("The key or secret for messages to this contact is missing or cannot be used.")
        UNMADE = "unmade", _("The message cannot be made: there is a fault on our side.")
        BOUNCED = "bounced", _("It was taken, and came back undelivered.")

    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="dispatches", verbose_name=_("contact"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.PENDING)
    # Set when a person must look first.
    approval_reason = models.CharField(
        _("needs approval because"), max_length=12, blank=True, choices=Approval.choices
    )
    approved_by = models.CharField(_("approved by"), max_length=40, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True, editable=False)
    token = models.CharField(max_length=43, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    # Until then it can be cancelled, and notices for the same contact join it.
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    gathering = models.BooleanField(default=True, editable=False)
    # Has an urgent notice on it: it goes before the others.
    urgent = models.BooleanField(default=False, db_default=False, editable=False)
    attempt = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    evidence = models.CharField(_("their server's answer"), max_length=500, blank=True)
    # What was accepted before keeps its `accepted_at`, although it says nothing any more.
    bounced_at = models.DateTimeField(_("came back"), null=True, blank=True)
    trouble = models.CharField(_("trouble"), max_length=8, blank=True, choices=Trouble.choices)
    trouble_answer = models.CharField(_("their server's words"), max_length=500, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    # The words it was written by; NULL before it is written, and of what was sent before there were versions.
    template = models.ForeignKey(
        "cases.MessageTemplate", models.PROTECT, null=True, editable=False, related_name="+", db_index=False
    )
    body_sealed = models.BinaryField(null=True, editable=False)
    body_digest = models.BinaryField(null=True, max_length=32, editable=False)

    body = Sealed("body_sealed", row="message_id")

    objects = DispatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="dispatch_accepted_has_evidence",
                condition=~Q(state="accepted") | (Q(accepted_at__isnull=False) & ~Q(evidence="")),
            ),
            models.CheckConstraint(
                name="dispatch_bounced_is_dated",
                condition=~Q(state="bounced") | Q(bounced_at__isnull=False),
            ),
            models.CheckConstraint(
                name="dispatch_pending_has_a_moment",
                condition=~Q(state="pending") | Q(next_attempt_at__isnull=False),
            ),
            # Notices for one contact gather in one open message of a kind; two routers meet here.
            models.UniqueConstraint(
                fields=["contact", "kind", "round"], condition=Q(gathering=True), name="dispatch_gathers_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"], name="dispatch_waits", condition=Q(state="pending")
            ),
            models.Index(fields=["contact", "-created_at"], name="dispatch_of_contact"),
            models.Index(
                fields=["contact", "-urgent", "next_attempt_at", "id"],
                name="dispatch_next_of_contact",
                condition=Q(state="pending"),
            ),
            # In somebody's hands: few, whatever waits.
            models.Index(
                fields=["contact", "leased_until"],
                name="dispatch_in_hand",
                condition=Q(state="pending", leased_until__isnull=False),
            ),
            # The desk's lists: each state in order of time, and all of them.
            models.Index(fields=["state", "created_at", "id"], name="dispatch_by_state"),
            models.Index(
                fields=["accepted_at", "id"], name="dispatch_accepted", condition=Q(state="accepted")
            ),
            models.Index(fields=["bounced_at", "id"], name="dispatch_bounced", condition=Q(state="bounced")),
            models.Index(fields=["created_at", "id"], name="dispatch_by_time"),
            # Some servers on the way write addresses in lower case.
            models.Index(Lower("token"), name="dispatch_return_path"),
        ]

        triggers = [
            *state_guard("dispatch", EDGES),
            # Whatever happens, every copy on the wire carries the same ones (I3).
            pgtrigger.ReadOnly(name="identity_kept", fields=["number", "message_id", "token"]),
        ]

    def __str__(self) -> str:
        return self.number


class DispatchLine(models.Model):
    """A notice on a dispatch. One contact hears of one step of one notice once."""

    class Dropped(models.TextChoices):
        TAKEN_BACK = "taken_back", _("taken back to the work desk")
        CANCELLED = "cancelled", _("the message was cancelled")
        OVERTAKEN = "overtaken", _("the notice is not in that state any more")
        MOVED = "moved", _("another provider hosts it now")
        UNSEEN = "unseen", _("nobody has seen it online lately")
        DOUBTED = "doubted", _("a second person judged otherwise")
        CONTACT = "contact", _("another contact of the provider is told instead")
        BOUNCED = "bounced", _("the message came back undelivered")
        SUSPENDED = "suspended", _("the contact was suspended first")

    dispatch = models.ForeignKey(Dispatch, models.PROTECT, related_name="lines", verbose_name=_("dispatch"))
    notice = models.ForeignKey(
        Notice, models.PROTECT, related_name="dispatch_lines", verbose_name=_("notice")
    )
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="+", db_index=False)
    # "first", "reminder-1", "reminder-2", ...
    step = models.CharField(_("step"), max_length=20)
    dropped_because = models.CharField(
        _("left out because"), max_length=10, blank=True, choices=Dropped.choices
    )

    class Meta:
        verbose_name = _("line of a dispatch")
        verbose_name_plural = _("lines of dispatches")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "notice", "step"],
                condition=Q(dropped_because=""),
                name="dispatch_line_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispatch_id}: {self.step}"


class Attempt(models.Model):
    """One attempt to hand a dispatch over: written before it starts, finished when it ends.

    `copy` is all that the message says, headers and files included, as it was before it was encrypted for its reader;
    `copy_digest` is the SHA-256 of that, `wire_digest` of what was handed over. They differ when it was encrypted.
    """

    dispatch = models.ForeignKey(
        Dispatch, models.PROTECT, related_name="attempts", verbose_name=_("dispatch")
    )
    number = models.PositiveIntegerField(_("number"))
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    accepted = models.BooleanField(_("accepted"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    copy_sealed = models.BinaryField(null=True, editable=False)
    copy_digest = models.BinaryField(max_length=32, null=True, editable=False)
    wire_digest = models.BinaryField(max_length=32, null=True, editable=False)
    encrypted_for = models.CharField(_("encrypted for"), max_length=64, blank=True)

    copy = Sealed("copy_sealed", row="place")

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["dispatch", "number"], name="attempt_once")]

    def __str__(self) -> str:
        return f"{self.dispatch_id}#{self.number}"

    @property
    def place(self) -> str:
        """What the copy is sealed for: known before the row is."""
        return f"{self.dispatch_id}#{self.number}"
