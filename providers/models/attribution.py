"""What we found out about hosts."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers.models.prefix import PrefixField
from providers.models.provider import Provider
from vault.sealed import Sealed, new_id


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
