"""The provider's own words for a notice."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.services.customer import LONGEST


class CustomerReferenceForm(forms.Form):
    """The provider's own reference; `seen` is what stood there when the page was made."""

    text = forms.CharField(
        label=_("Your own reference"),
        help_text=_("Your ticket or customer. Only your colleagues and the hotline see it."),
        max_length=LONGEST,
        required=False,
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
