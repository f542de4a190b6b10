"""A provider's answer, as it is filled in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.models import Dispute, Reply
from cases.models.reply import LONGEST_NOTE
from cases.services import answers as answering
from cases.services.forwarding import LONGEST_NAME

#: An instant from before this was typed wrong.
_LONG_AGO: Final = 2000
_FORMATS: Final = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def _instant(label: Any, help_text: Any) -> forms.DateTimeField:
    """A field for an instant in the zone that stands beside it."""
    return forms.DateTimeField(
        label=label,
        help_text=help_text,
        required=False,
        input_formats=_FORMATS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_FORMATS[0]),
    )


class AnswerForm(forms.Form):
    """A provider's answer about one notice or many.

    `customers`: the providers that it may say a notice was forwarded to, by id.
    """

    ZONES = (("Europe/Amsterdam", _("Amsterdam time")), ("UTC", "UTC"))

    answer = forms.ChoiceField(label=_("Your answer"), choices=Reply.Answer.choices, widget=forms.RadioSelect)
    at = _instant(_("When was it made inaccessible?"), _("Leave it empty if it was just now."))
    ground = forms.ChoiceField(
        label=_("Ground"), choices=[("", _("Choose the ground")), *Dispute.Ground.choices], required=False
    )
    customer = forms.TypedChoiceField(
        label=_("To which customer"), coerce=int, empty_value=None, required=False
    )
    forwarded_to = forms.CharField(
        label=_("To whom"),
        help_text=_("The name of your customer. Only you and the hotline see it."),
        max_length=LONGEST_NAME,
        required=False,
    )
    expected_by = _instant(
        _("By when do you expect them to act?"),
        _("Your own due moment stays as it is, whatever you expect of them."),
    )
    knows_late = forms.BooleanField(
        label=_("It may be later than our own due moment: we know that this one stays"), required=False
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

    def __init__(self, *args: Any, customers: Mapping[int, object] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        if customers:
            names = [(str(pk), str(customer)) for pk, customer in customers.items()]
            field: Any = self.fields["customer"]
            field.choices = [("", _("another, or nobody that we know of")), *names]
        else:
            self.fields.pop("customer", None)

    def clean(self) -> dict[str, Any]:
        """What was typed as a time becomes an instant in the zone it was given in."""
        data = super().clean() or self.cleaned_data
        zone = ZoneInfo(data.get("zone") or "Europe/Amsterdam")
        for name in ("at", "expected_by"):
            if data.get(name) is not None:
                self._to_instant(name, data[name].replace(tzinfo=None), zone)
        answer = data.get("answer")
        # What was filled in for another answer, and is not on the page any more, is not said.
        if answer != Reply.Answer.DISPUTE:
            data["ground"] = ""
        if answer != Reply.Answer.FORWARDED:
            data.update(customer=None, forwarded_to="", expected_by=None, knows_late=False)
        if data.get("customer") is not None:
            data["forwarded_to"] = ""
        says_why = data.get("reason") or data.get("ground") not in {"", Dispute.Ground.OTHER}
        if answer == Reply.Answer.DISPUTE and not says_why:
            self.add_error("reason", gettext("Say why you dispute it."))
        return data

    def _to_instant(self, name: str, typed: datetime, zone: ZoneInfo) -> None:
        # Both readings of a time that the switch of daylight saving skips or repeats.
        offsets = {typed.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
        if typed.year < _LONG_AGO:
            self.add_error(name, gettext("This cannot be the year."))
        elif len(offsets) > 1:
            self.add_error(
                name, gettext("The clock is put forward or back around that time: give it in UTC.")
            )
        else:
            self.cleaned_data[name] = typed.replace(tzinfo=zone)


def said(form: AnswerForm, reference: str) -> answering.Answer:
    """What the form says about one notice."""
    data = form.cleaned_data
    return answering.Answer(
        reference=reference,
        answer=data["answer"],
        at=data["at"],
        reason=data["reason"],
        note=data["note"],
        ground=data["ground"],
        customer=data.get("customer"),
        forwarded_to=data["forwarded_to"],
        expected_by=data["expected_by"],
        knows_late=data["knows_late"],
    )
