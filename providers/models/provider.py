"""Parties in the hosting chain, and where to write to them."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Provider(models.Model):
    """A party in the hosting chain."""

    class Kind(models.TextChoices):
        SITE_OWNER = "site_owner", _("site owner")
        RESELLER = "reseller", _("reseller")
        HOSTER = "hoster", _("hosting provider")
        IP_HOLDER = "ip_holder", _("holder of the IP block")
        CDN_PROXY = "cdn_proxy", _("CDN or proxy")
        DATACENTER = "datacenter", _("data centre")
        REGISTRAR = "registrar", _("registrar")
        ACCESS = "access", _("access provider")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    country = models.CharField(_("country"), max_length=2)
    language = models.CharField(
        _("language"), max_length=2, choices=[("nl", "Nederlands"), ("en", "English")]
    )
    website = models.CharField(_("web site"), max_length=253, blank=True)
    kvk = models.CharField(_("KvK number"), max_length=8, blank=True)
    signatory = models.BooleanField(_("signed the NTD code"), default=False)
    hash_user = models.BooleanField(_("uses the hash service"), default=False)
    # Null: as many as fit in one message of ours.
    most_lines = models.PositiveSmallIntegerField(
        _("most notices in one message"), null=True, blank=True, validators=[MinValueValidator(1)]
    )

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(name="provider_country_is_iso", condition=Q(country__regex=r"^[A-Z]{2}$")),
            models.CheckConstraint(
                name="provider_takes_a_line", condition=Q(most_lines__isnull=True) | Q(most_lines__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ContactQuerySet(models.QuerySet["Contact"]):
    def usable(self) -> "ContactQuerySet":
        """Approved by a person and not suspended: only to these anything is sent (I4)."""
        return self.filter(approved_at__isnull=False, suspended_at__isnull=True)

    def for_notices(self) -> "ContactQuerySet":
        """Those of the usable ones that notices go to: the desk for abuse."""
        return self.usable().filter(role=Contact.Role.ABUSE).exclude(channel=Contact.Channel.PHONE)


class Contact(models.Model):
    """An address of a provider, approved by a person before anything goes there."""

    class Channel(models.TextChoices):
        SMTP = "smtp", _("e-mail")
        WEBHOOK = "webhook", _("webhook")
        PHONE = "phone", _("telephone")

    class Mode(models.TextChoices):
        PORTAL = "portal", _("reference; the address is shown in the portal")
        ATTACHMENT = "attachment", _("address in an attachment")
        DEFANGED = "defanged", _("defanged address in the text")
        API = "api", _("reference; the address is fetched by API")

    class Formats(models.TextChoices):
        NONE = "", _("nothing attached")
        CSV = "csv", _("CSV")
        XARF = "xarf", _("XARF v4 (JSON)")
        BOTH = "both", _("CSV and XARF v4 (JSON)")

    class Role(models.TextChoices):
        ABUSE = "abuse", _("abuse desk: notices go there")
        LEGAL = "legal", _("legal department")
        ESCALATION = "escalation", _("for escalations")
        ROUND_THE_CLOCK = "24x7", _("reachable day and night")

    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="contacts", verbose_name=_("provider")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.ABUSE)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    address = models.CharField(_("address"), max_length=320)
    mode = models.CharField(_("how addresses of content are given"), max_length=10, choices=Mode.choices)
    formats = models.CharField(
        _("attachments"), max_length=4, blank=True, default=Formats.NONE, choices=Formats.choices
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True, editable=False)
    approved_by = models.CharField(_("approved by"), max_length=40, blank=True, editable=False)
    suspended_at = models.DateTimeField(_("suspended"), null=True, blank=True, editable=False)
    suspended_reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    # Set when a first message was accepted by their server: until then a person looks at the first one.
    known_since = models.DateTimeField(_("known since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Who proposed it; somebody else approves. "" of those from before this was kept.
    added_by = models.CharField(_("added by"), max_length=40, blank=True, editable=False)
    # The contact whose place it takes once it is approved: an address is never corrected in place.
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", editable=False
    )

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["provider", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "channel", "address"], name="contact_once"),
            models.CheckConstraint(
                name="contact_attaches_by_its_mode",
                # Addresses in an attachment need one; XARF is nothing without the address.
                condition=Q(mode="attachment", formats__in=["csv", "xarf", "both"])
                | (~Q(mode="attachment") & Q(formats__in=["", "csv"])),
                violation_error_message=_(
                    "Addresses in an attachment need a CSV file, XARF reports, or both; an XARF report has the"
                    " address in it, so it goes with no other way of giving addresses."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def attaches(self) -> frozenset[str]:
        """The formats by their names: "csv", "xarf"."""
        both = {self.Formats.CSV, self.Formats.XARF}
        return frozenset(both if self.formats == self.Formats.BOTH else {self.formats} - {""})

    @property
    def usable(self) -> bool:
        """Approved and not suspended, at this instant."""
        return self.approved_at is not None and self.suspended_at is None
