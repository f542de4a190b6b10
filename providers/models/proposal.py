"""What a provider would change of how it is reached: nothing changes before a contact manager says yes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models.provider import Contact, Provider


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def open(self) -> "ProposalQuerySet":
        """Neither decided nor taken back."""
        return self.filter(state__in=[Proposal.State.UNPROVEN, Proposal.State.WAITS])

    def waiting(self) -> "ProposalQuerySet":
        """For a contact manager."""
        return self.filter(state=Proposal.State.WAITS)


class Proposal(models.Model):
    """One change that an admin of the provider wants.

    A mail address first proves that somebody reads it, by a code that is sent there. The code is kept nowhere: it follows
    from the row and `code_asked_at` under our key, so that it is the same in each copy of the mail.
    """

    class Kind(models.TextChoices):
        ADD = "add", _("another contact")
        REPLACE = "replace", _("another address for a contact")
        CHANGE = "change", _("other contents for a contact")
        KEY = "key", _("an OpenPGP key")
        LANGUAGE = "language", _("another language")
        END = "end", _("the end of a contact")

    class State(models.TextChoices):
        UNPROVEN = "unproven", _("waits for the code that we sent there")
        WAITS = "waits", _("waits for the hotline")
        APPROVED = "approved", _("approved")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("taken back")

    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="proposals", verbose_name=_("provider"), db_index=False
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    # What it is about; none for another contact and for the language.
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="proposals", verbose_name=_("contact")
    )
    role = models.CharField(_("role"), max_length=10, blank=True, choices=Contact.Role.choices)
    channel = models.CharField(_("channel"), max_length=8, blank=True, choices=Contact.Channel.choices)
    address = models.CharField(_("address"), max_length=320, blank=True)
    mode = models.CharField(
        _("how addresses of content are given"), max_length=10, blank=True, choices=Contact.Mode.choices
    )
    formats = models.CharField(_("attachments"), max_length=4, blank=True, choices=Contact.Formats.choices)
    language = models.CharField(
        _("language"), max_length=2, blank=True, choices=[("nl", "Nederlands"), ("en", "English")]
    )
    certificate = models.BinaryField(null=True, editable=False)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, blank=True)
    why = models.CharField(_("why"), max_length=300, blank=True)
    code_asked_at = models.DateTimeField(null=True, editable=False)
    wrong_codes = models.PositiveSmallIntegerField(default=0, editable=False)
    proven_at = models.DateTimeField(_("address proven"), null=True)
    proposed_at = models.DateTimeField(_("proposed"))
    proposed_by = models.CharField(_("proposed by"), max_length=40)
    decided_at = models.DateTimeField(_("decided"), null=True)
    decided_by = models.CharField(_("decided by"), max_length=40, blank=True)
    # Why it was declined, for the provider to read.
    answer = models.CharField(_("answer"), max_length=300, blank=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="proposal_is_about_something",
                condition=Q(kind__in=["add", "language"], contact__isnull=True)
                | Q(kind__in=["replace", "change", "key", "end"], contact__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_decided_is_dated",
                condition=Q(state__in=["unproven", "waits"], decided_at__isnull=True)
                | Q(state__in=["approved", "declined", "withdrawn"], decided_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "-proposed_at", "-id"], name="proposal_of_provider"),
            models.Index(fields=["proposed_at", "id"], name="proposal_waits", condition=Q(state="waits")),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.kind}"

    @property
    def is_open(self) -> bool:
        """What `open` selects, of this one."""
        return self.state in {self.State.UNPROVEN, self.State.WAITS}

    @property
    def spelled(self) -> str:
        """The fingerprint in groups of four."""
        return " ".join(self.fingerprint[place : place + 4] for place in range(0, len(self.fingerprint), 4))
