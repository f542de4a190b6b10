"""What a provider proposes to change of how it is reached."""

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy

from providers.forms import CertificateForm
from providers.models import Contact, Proposal

Kind = Proposal.Kind


def _why() -> forms.CharField:
    return forms.CharField(label=gettext_lazy("Note to the hotline"), max_length=300, required=False)


def _address() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy(
            "Of mail, a webhook (https://…) or a telephone (+31 …). A mail address gets a code first."
        ),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class _Carries(forms.Form):
    mode = forms.ChoiceField(
        label=gettext_lazy("How addresses of content are given"), choices=Contact.Mode.choices
    )
    formats = forms.ChoiceField(
        label=gettext_lazy("Attachments"), choices=Contact.Formats.choices, required=False
    )
    why = _why()


class AddForm(_Carries):
    """Another contact."""

    field_order = ("role", "channel", "address", "mode", "formats", "why")

    role = forms.ChoiceField(label=gettext_lazy("What it is for"), choices=Contact.Role.choices)
    channel = forms.ChoiceField(label=gettext_lazy("By"), choices=Contact.Channel.choices)
    address = _address()


class ReplaceForm(forms.Form):
    """Another address in the place of one."""

    address = _address()
    why = _why()


class ChangeForm(_Carries):
    """What its messages carry."""


class LanguageForm(forms.Form):
    """The language of all messages to the provider."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=[("nl", "Nederlands"), ("en", "English")]
    )
    why = _why()


class EndForm(forms.Form):
    """Nothing goes there any more."""

    why = _why()


class KeyForm(CertificateForm):
    """A public key for a contact, and why."""

    why = _why()


#: kind of a proposal -> its form; those that are about a contact name it.
FORMS: Final[dict[str, type[forms.Form]]] = {
    Kind.ADD: AddForm,
    Kind.REPLACE: ReplaceForm,
    Kind.CHANGE: ChangeForm,
    Kind.KEY: KeyForm,
    Kind.LANGUAGE: LanguageForm,
    Kind.END: EndForm,
}
ABOUT_NONE: Final = frozenset({Kind.ADD, Kind.LANGUAGE})
