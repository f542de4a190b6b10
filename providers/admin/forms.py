"""What the staff fills in about providers: shape only, the services decide."""

import re
from ipaddress import ip_address, ip_network
from typing import Any, Final

import can_ada
import idna
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.hosts import literal, registrable
from providers.models import AsnRule, Contact, HolderRule, HostRule, Network, Provider, Relation

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
        fields = [
            "name",
            "kind",
            "country",
            "language",
            "website",
            "kvk",
            "signatory",
            "hash_user",
            "most_lines",
        ]


class NewProviderForm(ProviderForm):
    """With its code, which files and keys call it by."""

    class Meta(ProviderForm.Meta):
        fields = ["code", *ProviderForm.Meta.fields]


_CHANNEL_HELP: Final = gettext_lazy(
    "E-mail goes to an address; a webhook is an https:// endpoint of their own systems, which get a signed message for each"
    " notice and fetch the rest by our API."
)
_MODE_HELP: Final = gettext_lazy(
    "Addresses of content never stand in a text where a mail scanner would open them. Reference: they log in to read the"
    " address. Attachment: their tools read it from a file. Defanged: a person reads hxxps://… in the text."
)
_FORMATS_HELP: Final = gettext_lazy(
    "CSV opens in a spreadsheet. XARF v4 is what tools of abuse desks read, one report for each notice; it has no class for"
    " what only Dutch law forbids. A CSV beside references has no addresses in it."
)


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]  # it is no generic when it runs
    """A new address of a provider."""

    class Meta:
        model = Contact
        fields = ["role", "channel", "address", "mode", "formats"]
        help_texts = {"channel": _CHANNEL_HELP, "mode": _MODE_HELP, "formats": _FORMATS_HELP}


class ContactChangeForm(ContactForm):
    """How a contact is told what is where."""

    class Meta(ContactForm.Meta):
        fields = ["mode", "formats"]


class ReplaceForm(forms.Form):
    """Another address in the place of a contact's."""

    address = forms.CharField(
        label=gettext_lazy("New address"), max_length=Contact._meta.get_field("address").max_length
    )


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
        """As content has hosts; not what anybody may register a name under. Raises ValidationError."""
        pattern = host_name(self.cleaned_data["pattern"])
        if not literal(pattern) and not registrable(pattern):
            raise forms.ValidationError(
                _(
                    "That would cover all who have a domain under it: name a registered domain, or a host in it."
                )
            )
        return pattern


class AsnField(forms.IntegerField):
    """An AS number, with or without "AS" before it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=gettext_lazy("AS number"),
            min_value=0,
            max_value=4_294_967_295,
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
            **options,
        )

    def to_python(self, value: Any) -> int | None:
        """The number. Raises ValidationError."""
        return super().to_python(re.sub(r"\A\s*[Aa][Ss]\s*", "", value) if isinstance(value, str) else value)


class AsnRuleForm(CountryMixin, forms.Form):
    """A person's word on an AS."""

    asn = AsnField(
        help_text=gettext_lazy("All that stands in a prefix that this AS announces goes to this provider.")
    )
    country = forms.CharField(label=gettext_lazy("Country of the servers"), max_length=2, initial="NL")
    reason = forms.CharField(
        label=gettext_lazy("How do we know?"), max_length=AsnRule._meta.get_field("reason").max_length
    )


class HolderRuleForm(CountryMixin, forms.Form):
    """A person's word on whose the networks of a holder are."""

    handle = forms.CharField(
        label=gettext_lazy("Handle of the holder"),
        help_text=gettext_lazy("As its registry has it, such as ORG-ABC1-RIPE."),
        max_length=HolderRule._meta.get_field("handle").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    country = forms.CharField(label=gettext_lazy("Country of the servers"), max_length=2, initial="NL")
    reason = forms.CharField(
        label=gettext_lazy("How do we know?"), max_length=HolderRule._meta.get_field("reason").max_length
    )


class HolderForm(CountryMixin, forms.Form):
    """A holder that a registry names, as a new provider."""

    handle = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=Provider._meta.get_field("name").max_length)
    code = forms.SlugField(label=gettext_lazy("Code"), max_length=Provider._meta.get_field("code").max_length)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Provider.Kind.choices)
    country = forms.CharField(label=gettext_lazy("Country of the servers"), max_length=2)


class KnownHolderForm(CountryMixin, forms.Form):
    """A holder that a registry names, as a provider that we know, by its code."""

    handle = forms.CharField(widget=forms.HiddenInput)
    provider = forms.SlugField(
        label=gettext_lazy("Code of the provider"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    country = forms.CharField(label=gettext_lazy("Country of the servers"), max_length=2)

    def clean(self) -> dict[str, Any]:
        """With the provider's id in the place of its code. Raises ValidationError."""
        cleaned = super().clean() or self.cleaned_data
        if "provider" in cleaned:
            known = Provider.objects.filter(code=cleaned.pop("provider")).first()
            if known is None:
                self.add_error("provider", _("There is no provider with this code."))
            else:
                cleaned["provider_id"] = known.pk
        return cleaned


class MergeForm(forms.Form):
    """Into which provider this one has gone up, and since when."""

    other = forms.SlugField(
        label=gettext_lazy("Code of the other provider"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    valid_from = forms.DateField(
        label=gettext_lazy("Valid from"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    reason = forms.CharField(
        label=gettext_lazy("How do we know?"), max_length=Relation._meta.get_field("reason").max_length
    )

    def clean(self) -> dict[str, Any]:
        """With the other provider's id in the place of its code. Raises ValidationError."""
        cleaned = super().clean() or self.cleaned_data
        if "other" in cleaned:
            other = Provider.objects.filter(code=cleaned.pop("other")).first()
            if other is None:
                self.add_error("other", _("There is no provider with this code."))
            else:
                cleaned["other_id"] = other.pk
        return cleaned


class RelationForm(MergeForm):
    """How this provider stands to another."""

    kind = forms.ChoiceField(
        label=gettext_lazy("This provider is"),
        choices=[each for each in Relation.Kind.choices if each[0] != Relation.Kind.MERGED_INTO],
    )
    field_order = ["kind", "other", "valid_from", "reason"]


class EndForm(forms.Form):
    """From when something holds no more."""

    valid_until = forms.DateField(
        label=gettext_lazy("No more from"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


class SuspendForm(forms.Form):
    """Why nothing goes to a contact for now."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)


class Unshown(forms.TextInput):
    """What is typed does not come back on the page: it may be an address of content."""

    def format_value(self, value: Any) -> None:
        return None


class WhyForm(forms.Form):
    """Whatever somebody has in hand, to be explained. It is not kept."""

    text = forms.CharField(
        label=gettext_lazy("URL, host name, IP address, network or AS number"),
        max_length=8_192,
        widget=Unshown(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_text(self) -> "str | int":
        """The number of an AS, or a host as content has it: of a URL its host, of a network its first address.

        Raises ValidationError.
        """
        text = self.cleaned_data["text"].strip()
        if re.fullmatch(r"[Aa][Ss] ?\d+", text, re.ASCII):
            return int(AsnField().clean(text))
        try:
            return host_name(str(ip_network(text, strict=False).network_address))
        except ValueError:
            return host_name(_host_of(text) if re.search(r"[/\\?#]", text) else text)


def _host_of(url: str) -> str:
    """The host of a URL, by the browsers' rules; "" of what is none. hxxp and [.] are read as they are meant."""
    url = re.sub(r"\Ahxxp", "http", url, flags=re.IGNORECASE).replace("[.]", ".")
    try:
        return str(can_ada.parse(url if "://" in url else f"http://{url}").hostname)
    except ValueError:
        return ""
