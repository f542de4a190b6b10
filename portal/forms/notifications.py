"""Which mails are wanted beside the notices."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models import MailChoice
from providers.models import Contact


def _kinds() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Tell by mail"),
        choices=MailChoice.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ChoiceForm(forms.Form):
    """A person's own."""

    kinds = _kinds()
    language = forms.ChoiceField(
        label=_("Language"),
        help_text=_("Of these mails, and of all pages here."),
        choices=[("nl", "Nederlands"), ("en", "English")],
    )


class ContactChoiceForm(forms.Form):
    """That of a contact."""

    kinds = _kinds()

    def __init__(self, contact: Contact, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial, auto_id=f"contact-{contact.pk}-%s")
