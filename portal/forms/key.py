"""A key for a machine of the provider."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Scope


class KeyForm(forms.Form):
    """What a key is for, what it may do, and for how long."""

    SCOPES = (
        (Scope.NOTICES_READ.value, _("read your notices")),
        (Scope.NOTICES_ANSWER.value, _("answer them")),
    )
    DAYS = (("365", _("one year")), ("90", _("three months")), ("30", _("thirty days")))

    name = forms.CharField(
        label=_("What is it for?"), help_text=_("For example: our ticket system."), max_length=100
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=SCOPES,
        initial=[scope for scope, _name in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(label=_("It ends after"), choices=DAYS, initial="365")

    @property
    def valid(self) -> timedelta:
        """How long it is to open; of a form that is valid."""
        return timedelta(days=int(self.cleaned_data["days"]))
