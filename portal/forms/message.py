"""A message to the hotline about a notice."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models.reply import LONGEST_NOTE


class MessageForm(forms.Form):
    """What somebody of the provider writes."""

    text = forms.CharField(
        label=_("Write to the hotline about this notice"),
        help_text=_("A question, or what we should know. Do not paste addresses of the material."),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
