"""A provider's answer, as it is filled in."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.models import Reply
from cases.models.reply import LONGEST_NOTE
from cases.services import answers as answering

#: A claim from before this was typed wrong.
_LONG_AGO: Final = 2000


class AnswerForm(forms.Form):
    """A provider's answer about one notice or many."""

    ZONES = (("Europe/Amsterdam", _("Amsterdam time")), ("UTC", "UTC"))

    answer = forms.ChoiceField(label=_("Your answer"), choices=Reply.Answer.choices, widget=forms.RadioSelect)
    at = forms.DateTimeField(
        label=_("When was it made inaccessible?"),
        help_text=_("Leave it empty if it was just now."),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    zone = forms.ChoiceField(label=_("That time is in"), choices=ZONES, required=False)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Not on your network: whose is it? Disputed: why?"),
        max_length=300,
        required=False,
    )
    note = forms.CharField(
        label=_("Note to the hotline"),
        help_text=_("What we should know, or what you need from us. Do not paste addresses of the material."),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        """`at` becomes an instant in the zone it was given in."""
        data = super().clean() or self.cleaned_data
        at, zone = data.get("at"), ZoneInfo(data.get("zone") or "Europe/Amsterdam")
        if at is not None:
            typed = at.replace(tzinfo=None)
            # Both readings of a time that the switch of daylight saving skips or repeats.
            offsets = {typed.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
            if typed.year < _LONG_AGO:
                self.add_error("at", gettext("This cannot be the year."))
            elif len(offsets) > 1:
                self.add_error(
                    "at", gettext("The clock is put forward or back around that time: give it in UTC.")
                )
            else:
                data["at"] = typed.replace(tzinfo=zone)
        if data.get("answer") == Reply.Answer.DISPUTE and not data.get("reason"):
            self.add_error("reason", gettext("Say why you dispute it."))
        return data


def said(form: AnswerForm, reference: str) -> answering.Answer:
    """What the form says about one notice."""
    data = form.cleaned_data
    return answering.Answer(
        reference=reference,
        answer=data["answer"],
        at=data["at"],
        reason=data["reason"],
        note=data["note"],
    )
