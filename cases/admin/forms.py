"""What the staff fills in about a notice: shape only, the services decide."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import LegalClass, Notice, PassedOn, Reason
from cases.services.assess import ILLEGAL
from cases.services.looking import Why

#: How long the police has first, when nobody says otherwise (P).
POLICE_FIRST_HOURS: Final = 24


class PressForm(forms.Form):
    """A button of a notice. `version` is that of the page it stood on: whoever is late is refused."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def arguments(self, *, now: datetime) -> dict[str, Any]:
        """What the service is called with, beside the notice and the person. Call it when valid."""
        fields = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        return {**fields, "seen_version": self.cleaned_data["version"]}


class AssessForm(PressForm):
    """A person's judgement. The order of the classes is that of the number keys."""

    legal_class = forms.ChoiceField(
        label=gettext_lazy("Class"), choices=LegalClass.choices, widget=forms.RadioSelect
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Why is it not illegal, or why can it not be judged?"),
        choices=[("", "—"), *Reason.choices],
        required=False,
    )
    urgent = forms.BooleanField(
        label=gettext_lazy("Urgent: send it without waiting for others"), required=False
    )
    note = forms.CharField(
        label=gettext_lazy("Note for colleagues"),
        max_length=4_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        """A class that sends nothing needs its reason; one that sends has none."""
        data = super().clean() or self.cleaned_data
        kind = data.get("legal_class")
        if kind in ILLEGAL:
            data["reason"] = ""
        elif kind and not data.get("reason"):
            self.add_error("reason", _("Say why it is not illegal or cannot be judged."))
        return data


class HoldForm(PressForm):
    """Why it is kept back, and for how long."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=[choice for choice in Notice.Hold.choices if choice[0]]
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Without addresses and without names."),
        max_length=300,
    )
    hours = forms.IntegerField(
        label=gettext_lazy("For how many hours"),
        min_value=1,
        max_value=24 * 30,
        initial=POLICE_FIRST_HOURS,
    )

    def arguments(self, *, now: datetime) -> dict[str, Any]:
        """The hours become the instant at which the hold ends."""
        arguments = super().arguments(now=now)
        arguments["until"] = now + timedelta(hours=arguments.pop("hours"))
        return arguments


class SkipForm(forms.Form):
    """Why it is for somebody else. It changes nothing of the notice, so it asks for no version."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why is it for somebody else?"),
        choices=PassedOn.Reason.choices,
        widget=forms.RadioSelect,
    )


class DismissForm(PressForm):
    """Why it is closed without a judgement: what is judged not illegal is assessed, not dismissed."""

    because = forms.ChoiceField(
        label=gettext_lazy("Because it is"),
        choices=[
            choice
            for choice in Notice.Dismissal.choices
            if choice[0] not in {Notice.Dismissal.NOT_ILLEGAL, Notice.Dismissal.CANNOT_JUDGE}
        ],
    )


class WithdrawForm(PressForm):
    """Why it is taken back after it was sent."""

    because = forms.ChoiceField(label=gettext_lazy("Because of"), choices=Notice.Withdrawal.choices)


class RevealForm(forms.Form):
    """Why a full address is shown; it is written down. It changes nothing, so it asks for no version."""

    reason = forms.ChoiceField(label=gettext_lazy("Why do you need it?"), choices=Why.choices)


class FindForm(RevealForm):
    """A reference, or an address: never in a URL of ours, so this is a form that POSTs."""

    text = forms.CharField(max_length=9_000, strip=True)
