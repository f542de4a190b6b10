"""What we found out about hosts."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers.models.origin import Origin
from providers.models.prefix import PrefixField
from providers.models.provider import Provider
from providers.models.registry import Registration
from providers.models.routes import RoutingTable
from vault.sealed import Sealed, new_id


class Attribution(models.Model):
    """Who hosts a host name, from which source, when. Written once; a new look-up is a new row."""

    class Source(models.TextChoices):
        HOST_RULE = "host_rule", _("own rule for the host")
        NETWORK = "network", _("own list of networks")
        ROUTES = "routes", _("routing table")
        RDAP = "rdap", _("registry")
        NONE = "none", _("nobody found")

    class Trouble(models.TextChoices):
        NO_ADDRESS = "no_address", _("The host name leads to no address.")
        NO_ANSWER = "no_answer", _("The name servers did not answer in time.")
        NO_NETWORK = "no_network", _("None of its addresses is in a network that we know.")
        SEVERAL = "several", _("Its addresses are in networks of more than one provider.")
        NO_ASN_RULE = "no_asn_rule", _("Nobody has said whose the AS is that announces its network.")
        SEVERAL_ORIGINS = (
            "several_origins",
            _(
                "Its network is announced by several ASes, and we do not know all of them to be of one provider."
            ),
        )
        NO_HOLDER_RULE = (
            "no_holder_rule",
            _("Nobody has said which provider the holder is that the registry names."),
        )
        ASKING = "asking", _("The registry is still to be asked whose its network is.")
        REGISTRY_SILENT = (
            "registry_silent",
            _("None of its addresses is in a network that we know, and no registry gave a usable answer."),
        )
        OFF = "off", _("Looking up host names is switched off.")

    class Confidence(models.TextChoices):
        HIGH = "high", _("high")
        MEDIUM = "medium", _("medium")
        LOW = "low", _("low")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host_sealed = models.BinaryField(editable=False)
    host_key = models.BinaryField(max_length=32, editable=False)
    host = Sealed("host_sealed")
    addresses = ArrayField(models.GenericIPAddressField(), verbose_name=_("addresses"), default=list)
    address = models.GenericIPAddressField(_("deciding address"), null=True, blank=True)
    prefix = PrefixField(null=True, blank=True, verbose_name=_("prefix"))
    asn = models.BigIntegerField(_("AS number"), null=True, blank=True)
    origins = ArrayField(models.BigIntegerField(), verbose_name=_("announced by"), default=list)
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
    confidence = models.CharField(_("confidence"), max_length=6, blank=True, choices=Confidence.choices)
    table = models.ForeignKey(
        RoutingTable, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("routing table")
    )
    registration = models.ForeignKey(
        Registration, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("registration")
    )
    # Of a host behind a CDN or proxy: where the host itself leads to, and whose word led from there to this place.
    behind = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", editable=False, db_index=False
    )
    origin = models.ForeignKey(
        Origin, models.PROTECT, null=True, blank=True, related_name="+", editable=False, db_index=False
    )
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
        known = self.origins or ([] if self.asn is None else [self.asn])
        ases = ", ".join(f"AS{asn}" for asn in known)
        named = ", ".join(part for part in (ases, self.network_name) if part)
        return f"{self.prefix} ({named})" if self.prefix is not None else ""

    @property
    def why(self) -> str:
        """The answer explained, in the reader's language and without the host."""
        if self.behind is None or self.origin is None:
            return self._why_here()
        return gettext(
            "It stands behind %(proxy)s (%(network)s); the server behind it is %(server)s, as we were told on %(day)s."
            " %(why)s"
        ) % {
            "proxy": self.behind.provider,
            "network": self.behind.network or self.behind.get_source_display(),
            "server": self.address or gettext("one without an address that we know"),
            "day": f"{self.origin.at:%Y-%m-%d}",
            "why": self._why_here(),
        }

    def _why_here(self) -> str:
        """What leads to this place itself."""
        words = {
            self.Source.HOST_RULE: gettext("A rule for this host or a domain above it: %(reason)s"),
            self.Source.NETWORK: gettext("%(network)s is the most specific network of %(address)s."),
            self.Source.ROUTES: gettext(
                "%(network)s is the most specific route to %(address)s (routing table %(table)s);"
                " a rule says whose that AS is: %(reason)s"
            ),
            self.Source.RDAP: gettext(
                "%(network)s is where the registry has %(address)s, for %(holder)s;"
                " a rule says whose that holder is: %(reason)s"
            ),
        }
        sentence = words.get(self.Source(self.source))
        if sentence is None:
            return self._why_nobody()
        said = {"reason": self.rule_reason, "network": self.network, "address": self.address}
        holder = self.registration.holder if self.registration else ""
        return sentence % {**said, "table": self.table, "holder": holder}

    def _why_nobody(self) -> str:
        trouble = self.get_trouble_display()
        if self.registration is not None:
            named = {"network": self.network, "holder": self.registration.holder or "-"}
            return f"{trouble} {gettext('The registry has %(network)s for %(holder)s.') % named}"
        if self.table is None:
            return trouble
        said = {"network": self.network, "address": self.address, "table": self.table}
        found = (
            gettext("%(network)s is the most specific route to %(address)s (routing table %(table)s).") % said
        )
        return f"{trouble} {found}"
