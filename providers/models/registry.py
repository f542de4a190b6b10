"""What the registries of IP networks say (RDAP), what they are still to be asked, and whose their holders are."""

from typing import ClassVar

from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models.prefix import PrefixField
from providers.models.provider import Provider


class RegistryIndex(models.Model):
    """Which registry's server is to be asked for which prefixes (RFC 9224): IANA's file, once for each family."""

    class Family(models.TextChoices):
        IPV4 = "ipv4", "IPv4"
        IPV6 = "ipv6", "IPv6"

    family = models.CharField(max_length=4, choices=Family.choices, unique=True)
    services = models.JSONField()  # [[prefix, ...], [base URL, ...]], ...
    fetched_at = models.DateTimeField()

    class Meta:
        verbose_name = _("index of registries")
        verbose_name_plural = _("indexes of registries")
        ordering = ["family", "pk"]

    def __str__(self) -> str:
        return self.family


class Registration(models.Model):
    """What a registry said of a network. Written once; a later answer is a new row, and the older one is no longer newest.

    It is somebody else's word: it names a provider only where a person has said whose the holder is.
    """

    prefix = PrefixField(verbose_name=_("prefix"))
    address = models.GenericIPAddressField(_("asked for"))
    server = models.CharField(_("server"), max_length=253)
    handle = models.CharField(_("handle"), max_length=100, blank=True)
    name = models.CharField(_("network name"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    holder_handle = models.CharField(_("handle of the holder"), max_length=100, blank=True)
    holder_name = models.CharField(_("holder"), max_length=200, blank=True)
    abuse_mailbox = models.CharField(_("mailbox for abuse"), max_length=254, blank=True)
    response_digest = models.BinaryField(max_length=32, editable=False)  # SHA-256 of the answer as it came
    asked_at = models.DateTimeField(_("asked"))
    is_newest = models.BooleanField(default=True)
    # Somebody looked at the holder and made nothing of it: not proposed again.
    passed_over_by = models.CharField(_("passed over by"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        ordering = ["-asked_at", "pk"]
        indexes: ClassVar = [
            GistIndex(
                fields=["prefix"],
                name="registration_newest",
                opclasses=["inet_ops"],
                condition=Q(is_newest=True),
            ),
            models.Index(fields=["holder_handle"], name="registration_holder", condition=Q(is_newest=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["prefix"], name="registration_newest_once", condition=Q(is_newest=True)
            ),
            models.CheckConstraint(
                name="registration_country_is_iso", condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$")
            ),
        ]

    #: Of the address that it was found for, in a list of them (providers/sources/registries.py).
    place: int

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"

    @property
    def holder(self) -> str:
        """Name and handle, as far as the registry says them."""
        known = [each for each in (self.holder_name, self.holder_handle) if each]
        return f"{known[0]} ({known[1]})" if len(known) == 2 else "".join(known)


class RegistryQuestion(models.Model):
    """An address that no other source knows, to be asked of its registry. Answered, the row goes.

    What failed is tried again a few times and then rests (`due_at` is null) until it is wanted on another day.
    """

    class Trouble(models.TextChoices):
        """Those of providers.fetch, and what an answer in order can still mean."""

        REFUSED = "refused", _("We do not go where that registry's server is.")
        NO_ANSWER = "no_answer", _("The registry's server does not answer.")
        TLS = "tls", _("There is no trusted connection to the registry's server.")
        TOO_SLOW = "too_slow", _("The registry's server took too long.")
        TOO_LARGE = "too_large", _("The registry's answer is too long.")
        NOT_UNDERSTOOD = "not_understood", _("The registry's answer is not one that we understand.")
        ELSEWHERE = "elsewhere", _("The registry's answer is about another network.")
        LIMITED = "limited", _("The registry asks us to wait.")
        NOT_FOUND = "not_found", _("The registry knows nothing of it.")
        NO_REGISTRY = "no_registry", _("No registry is known for this address.")

    address = models.GenericIPAddressField(_("address"), unique=True)
    wanted_at = models.DateTimeField(_("wanted"))
    due_at = models.DateTimeField(_("to be asked"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    server = models.CharField(_("server"), max_length=253, blank=True)  # that it was last put to
    trouble = models.CharField(_("trouble"), max_length=20, blank=True, choices=Trouble.choices)

    class Meta:
        verbose_name = _("question to a registry")
        verbose_name_plural = _("questions to registries")
        ordering = ["due_at", "pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"], name="registry_question_due", condition=Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.address)


class HolderRule(models.Model):
    """A person's word on whose a holder's networks are: the holder by the handle that the registry knows it by."""

    handle = models.CharField(_("handle of the holder"), max_length=100, unique=True)
    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="holder_rules", verbose_name=_("provider")
    )
    country = models.CharField(_("country"), max_length=2)
    reason = models.CharField(_("reason"), max_length=300)
    by = models.CharField(_("by"), max_length=40, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("rule for a holder")
        verbose_name_plural = _("rules for holders")
        ordering = ["handle", "pk"]
        constraints = [
            models.CheckConstraint(
                name="holder_rule_country_is_iso", condition=Q(country__regex=r"^[A-Z]{2}$")
            ),
        ]

    def __str__(self) -> str:
        return self.handle
