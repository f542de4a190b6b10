"""What people know: whose a prefix is, whose an AS is, and who hosts a host name."""

from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models.prefix import PrefixField
from providers.models.provider import Provider
from vault.sealed import Sealed, new_id


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


class AsnRule(models.Model):
    """A person's word on whose an AS is: the provider to tell of what stands in any prefix that it announces."""

    asn = models.BigIntegerField(_("AS number"), unique=True)
    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="asn_rules", verbose_name=_("provider")
    )
    country = models.CharField(_("country"), max_length=2)
    reason = models.CharField(_("reason"), max_length=300)
    by = models.CharField(_("by"), max_length=40, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("rule for an AS")
        verbose_name_plural = _("rules for ASes")
        ordering = ["asn", "pk"]
        constraints = [
            models.CheckConstraint(name="asn_rule_asn_range", condition=Q(asn__range=(0, 4_294_967_295))),
            models.CheckConstraint(name="asn_rule_country_is_iso", condition=Q(country__regex=r"^[A-Z]{2}$")),
        ]

    def __str__(self) -> str:
        return f"AS{self.asn}"


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
