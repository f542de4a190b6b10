"""What the staff fills in about providers: shape only, the services decide."""

import re
from ipaddress import ip_address, ip_network
from typing import Any, Final

import idna
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.models import Contact, HostRule, Network, Provider

_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_-]{1,63})*")


def host_name(text: str) -> str:
    """A host as content has it: A-label in lower case, or an IP address. Raises ValidationError."""
    name = text.strip().rstrip(".").lower()
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        return f"[{address}]" if address.version == 6 else str(address)
    try:
        name = name if name.isascii() else idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        name = ""
    if not _HOST.fullmatch(name):
        raise forms.ValidationError(_("Give a host name or an IP address: no http://, no path, no wildcard."))
    return name


class CountryMixin:
    """Two letters, whatever their case."""

    cleaned_data: dict[str, Any]

    def clean_country(self) -> str:
        """As ISO 3166-1 has it. Raises ValidationError."""
        country = str(self.cleaned_data["country"]).strip().upper()
        if not re.fullmatch("[A-Z]{2}", country):
            raise forms.ValidationError(_("A country is two letters (ISO 3166-1)."))
        return country


class ProviderForm(CountryMixin, forms.ModelForm):  # type: ignore[type-arg]  # it is no generic when it runs
    """All that is known of a provider, but for its code."""

    class Meta:
        model = Provider
        fields = ["name", "kind", "country", "language", "website", "kvk", "signatory"]


class NewProviderForm(ProviderForm):
    """With its code, which files and keys call it by."""

    class Meta(ProviderForm.Meta):
        fields = ["code", *ProviderForm.Meta.fields]


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]  # it is no generic when it runs
    """A new address of a provider."""

    class Meta:
        model = Contact
        fields = ["channel", "address", "mode"]


class NetworkForm(CountryMixin, forms.Form):
    """A prefix and whose it is."""

    prefix = forms.CharField(  # type: ignore[assignment]  # Form's own `prefix` is not used
        label=gettext_lazy("Prefix"), help_text="192.0.2.0/24", max_length=50
    )
    asn = forms.IntegerField(label=gettext_lazy("AS number"), min_value=0, max_value=4_294_967_295)
    country = forms.CharField(label=gettext_lazy("Country"), max_length=2, initial="NL")
    name = forms.CharField(
        label=gettext_lazy("Network name"), max_length=Network._meta.get_field("name").max_length
    )

    def clean_prefix(self) -> str:
        """In its one spelling. Raises ValidationError."""
        try:
            return str(ip_network(self.cleaned_data["prefix"].strip(), strict=True))
        except ValueError:
            raise forms.ValidationError(
                _("It must be a network such as 192.0.2.0/24, without host bits.")
            ) from None


class HostRuleForm(CountryMixin, forms.Form):
    """A person's word on a host."""

    pattern = forms.CharField(
        label=gettext_lazy("Host name"),
        help_text=gettext_lazy("forum.example also covers img.forum.example. It is stored encrypted."),
        max_length=253,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    country = forms.CharField(label=gettext_lazy("Country of the server"), max_length=2, initial="NL")
    reason = forms.CharField(
        label=gettext_lazy("How do we know?"), max_length=HostRule._meta.get_field("reason").max_length
    )

    def clean_pattern(self) -> str:
        """As content has hosts; not a whole top-level domain. Raises ValidationError."""
        pattern = host_name(self.cleaned_data["pattern"])
        if "." not in pattern and ":" not in pattern:
            raise forms.ValidationError(_("That would cover a whole top-level domain."))
        return pattern


class SuspendForm(forms.Form):
    """Why nothing goes to a contact for now."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)


class WhyForm(forms.Form):
    """A host or an address, to be explained. It is not kept."""

    host = forms.CharField(
        label=gettext_lazy("Host name or IP address"),
        max_length=260,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_host(self) -> str:
        """As content has hosts. Raises ValidationError."""
        return host_name(self.cleaned_data["host"])
