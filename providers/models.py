"""Parties in the hosting chain, their addresses, their networks, and what we found out about hosts."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vault.sealed import Sealed, new_id

Prefix = IPv4Network | IPv6Network


class PrefixField(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's cidr: an IPv4 or IPv6 prefix, as `ipaddress.ip_network`."""

    def db_type(self, connection: object) -> str:
        return "cidr"

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Prefix | None:
        """Django's driver settings give inet and cidr as text."""
        return None if value is None else ip_network(value)

    def to_python(self, value: object) -> Prefix | None:
        return None if value in (None, "") else ip_network(str(value))

    def get_prep_value(self, value: object) -> str | None:
        return None if value is None else str(value)


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

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(name="provider_country_is_iso", condition=Q(country__regex=r"^[A-Z]{2}$")),
        ]

    def __str__(self) -> str:
        return self.name


class ContactQuerySet(models.QuerySet["Contact"]):
    def usable(self) -> "ContactQuerySet":
        """Approved by a person and not suspended: only to these anything is sent (I4)."""
        return self.filter(approved_at__isnull=False, suspended_at__isnull=True)


class Contact(models.Model):
    """An address of a provider, approved by a person before anything goes there."""

    class Channel(models.TextChoices):
        SMTP = "smtp", _("e-mail")
        WEBHOOK = "webhook", _("webhook")

    class Mode(models.TextChoices):
        PORTAL = "portal", _("reference; the address is shown in the portal")
        ATTACHMENT = "attachment", _("address in an attachment")
        DEFANGED = "defanged", _("defanged address in the text")
        API = "api", _("reference; the address is fetched by API")

    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="contacts", verbose_name=_("provider")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    address = models.CharField(_("address"), max_length=320)
    mode = models.CharField(_("how addresses of content are given"), max_length=10, choices=Mode.choices)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True, editable=False)
    approved_by = models.CharField(_("approved by"), max_length=40, blank=True, editable=False)
    suspended_at = models.DateTimeField(_("suspended"), null=True, blank=True, editable=False)
    suspended_reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    # Set when a first message was accepted by their server: until then a person looks at the first one.
    known_since = models.DateTimeField(_("known since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["provider", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "channel", "address"], name="contact_once"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def usable(self) -> bool:
        """Approved and not suspended, at this instant."""
        return self.approved_at is not None and self.suspended_at is None


class Network(models.Model):
    """A prefix that we know belongs to a provider. The most specific one wins."""

    prefix = PrefixField(unique=True, verbose_name=_("prefix"))
    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="networks", verbose_name=_("provider")
    )
    asn = models.BigIntegerField(_("AS number"))
    country = models.CharField(_("country"), max_length=2)
    name = models.CharField(_("network name"), max_length=100)

    class Meta:
        verbose_name = _("network")
        verbose_name_plural = _("networks")
        ordering = ["prefix", "pk"]
        indexes = [GistIndex(fields=["prefix"], name="network_prefix", opclasses=["inet_ops"])]
        constraints = [
            models.CheckConstraint(name="network_asn_range", condition=Q(asn__range=(0, 4_294_967_295))),
            models.CheckConstraint(name="network_country_is_iso", condition=Q(country__regex=r"^[A-Z]{2}$")),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} AS{self.asn} {self.name}"


class HostRule(models.Model):
    """A person's word on who hosts a host name and everything under it; beats every look-up.

    The pattern is a host name without wildcard ("forum.example" also covers "img.forum.example"); the longest
    one wins. It stands sealed, with a blind index for the look-up, because it may be the host of a notice.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pattern_sealed = models.BinaryField(editable=False)
    pattern_key = models.BinaryField(max_length=32, unique=True, editable=False)
    pattern = Sealed("pattern_sealed")
    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="host_rules", verbose_name=_("provider")
    )
    country = models.CharField(_("country of the server"), max_length=2)
    reason = models.CharField(_("reason"), max_length=300)
    by = models.CharField(_("by"), max_length=40, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("host rule")
        verbose_name_plural = _("host rules")
        ordering = ["provider", "pk"]

    def __str__(self) -> str:
        return f"{self.provider}: {self.reason}"


class Attribution(models.Model):
    """Who hosts a host name, from which source, when. Written once; a new look-up is a new row."""

    class Source(models.TextChoices):
        HOST_RULE = "host_rule", _("own rule for the host")
        NETWORK = "network", _("own list of networks")
        NONE = "none", _("nobody found")

    class Trouble(models.TextChoices):
        NO_ADDRESS = "no_address", _("The host name leads to no address.")
        NO_ANSWER = "no_answer", _("The name servers did not answer in time.")
        NO_NETWORK = "no_network", _("None of its addresses is in a network that we know.")
        SEVERAL = "several", _("Its addresses are in networks of more than one provider.")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host_sealed = models.BinaryField(editable=False)
    host_key = models.BinaryField(max_length=32, editable=False)
    host = Sealed("host_sealed")
    addresses = ArrayField(models.GenericIPAddressField(), verbose_name=_("addresses"), default=list)
    address = models.GenericIPAddressField(_("deciding address"), null=True, blank=True)
    prefix = PrefixField(null=True, blank=True, verbose_name=_("prefix"))
    asn = models.BigIntegerField(_("AS number"), null=True, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    network_name = models.CharField(_("network name"), max_length=100, blank=True)
    provider = models.ForeignKey(
        Provider,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="attributions",
        verbose_name=_("provider"),
    )
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    rule_reason = models.CharField(_("reason of the rule"), max_length=300, blank=True)
    trouble = models.CharField(_("trouble"), max_length=20, blank=True, choices=Trouble.choices)
    response_digest = models.BinaryField(max_length=32, editable=False)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)

    class Meta:
        verbose_name = _("attribution")
        verbose_name_plural = _("attributions")
        ordering = ["-at", "pk"]
        indexes: ClassVar = [models.Index(fields=["host_key", "-at"], name="attribution_of_host")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def network(self) -> str:
        """ "192.0.2.0/25 (AS64500, ALFA-NET-1)", or "" when no network was found."""
        return f"{self.prefix} (AS{self.asn}, {self.network_name})" if self.asn is not None else ""

    @property
    def why(self) -> str:
        """The answer explained, in the reader's language and without the host."""
        if self.source == self.Source.HOST_RULE:
            return gettext("A rule for this host or a domain above it: %(reason)s") % {
                "reason": self.rule_reason
            }
        if self.source == self.Source.NETWORK:
            return gettext("%(network)s is the most specific network of %(address)s.") % {
                "network": self.network,
                "address": self.address,
            }
        return self.get_trouble_display()
