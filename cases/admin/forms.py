"""What the staff fills in about a notice: shape only, the services decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django import forms
from django.db.models import Subquery
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.clock import AMSTERDAM
from cases.models import ILLEGAL, LegalClass, Notice, PassedOn, Question, Sighting, Term, Vocabulary
from cases.services.assess import POLICE_FIRST
from cases.services.looking import Why

#: How long the police has first, when nobody says otherwise (P).
POLICE_FIRST_HOURS: Final = POLICE_FIRST // timedelta(hours=1)


class PressForm(forms.Form):
    """A button of a notice. `version` is that of the page it stood on: whoever is late is refused."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def arguments(self, *, now: datetime) -> dict[str, Any]:
        """What the service is called with, beside the notice and the person. Call it when valid."""
        fields = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        return {**fields, "seen_version": self.cleaned_data["version"]}


@dataclass(frozen=True)
class Choice:
    """An answer as the form shows it. `key`: the number key that chooses it. `police`: it suggests police first."""

    tag: SafeString
    id: str
    label: str
    value: str
    key: int
    police: bool


@dataclass(frozen=True)
class Group:
    """Answers of which one is chosen. `of`: the classes that it is asked for ("" for all)."""

    name: str
    label: str
    of: str
    errors: Any
    choices: list[Choice]


class JudgementForm(forms.Form):
    """What a person says of a notice, in the words of a version of the vocabulary. Nothing is chosen beforehand."""

    vocabulary = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)
    legal_class = forms.ChoiceField(
        label=gettext_lazy("Class"), choices=LegalClass.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=gettext_lazy("Note for colleagues"),
        max_length=4_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 1}),
    )

    def __init__(self, *args: Any, terms: list[Term] | None = None, **kwargs: Any) -> None:
        """`terms`: the answers to offer, when they are not those of a version in force (a preview)."""
        super().__init__(*args, **kwargs)
        self.terms = terms or words_of(str(self.data.get(self.add_prefix("vocabulary"), "")))
        self.initial["vocabulary"] = self.terms[0].vocabulary_id
        for question in Question:
            choices = [(term.code, term.label) for term in self.terms if term.question == question]
            if question != Question.REASON:
                choices = [("", _("not determined")), *choices]
            self.fields[question] = forms.ChoiceField(
                label=question.label, choices=choices, required=False, widget=forms.RadioSelect
            )

    @property
    def groups(self) -> Iterator[Group]:
        """The class and each question, in the order of the keys."""
        police = {(term.question, term.code) for term in self.terms if term.police_first}
        for name in ("legal_class", *Question.values):
            bound = self[name]
            first_key = 1 if name in {"legal_class", Question.REASON} else 0
            yield Group(
                name=name,
                label=str(bound.label),
                of={"legal_class": "", Question.REASON: "not"}.get(name, "illegal"),
                errors=bound.errors,
                choices=[
                    Choice(
                        tag=widget.tag(),
                        id=widget.id_for_label,
                        label=str(widget.choice_label),
                        value=str(widget.data["value"]),
                        key=key,
                        police=(name, widget.data["value"]) in police,
                    )
                    for key, widget in enumerate(bound.subwidgets, start=first_key)
                ],
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

    def judged(self) -> dict[str, Any]:
        """What the services call a judgement. Call it when valid."""
        data = self.cleaned_data
        answers = {question: data[question] for question in Question.values if question != Question.REASON}
        return {
            "legal_class": data["legal_class"],
            "reason": data["reason"],
            "answers": {question: code for question, code in answers.items() if code},
            "vocabulary": data["vocabulary"] or self.terms[0].vocabulary_id,
            "note": data["note"],
        }


def words_of(version: str) -> list[Term]:
    """The answers that are offered in a version that is or was in force; of the current one for any other."""
    offered = Term.objects.filter(retired=False, vocabulary__in_force_at__isnull=False)
    offered = offered.order_by("question", "position", "pk")
    if version.isascii() and version.isdigit() and len(version) < 9:
        found = list(offered.filter(vocabulary=int(version)))
        if found:
            return found
    return list(offered.filter(vocabulary=Subquery(Vocabulary.objects.in_force().values("version")[:1])))


class AssessForm(JudgementForm, PressForm):
    """The first judgement. The order of the classes is that of the number keys."""

    urgent = forms.BooleanField(
        label=gettext_lazy("Urgent: send it without waiting for others"), required=False
    )
    police_first = forms.BooleanField(
        label=gettext_lazy("Police first: keep it back for 24 hours"), required=False
    )

    def arguments(self, *, now: datetime) -> dict[str, Any]:
        """The judgement, and what is to be done with the notice."""
        data = self.cleaned_data
        return {
            **self.judged(),
            "urgent": data["urgent"],
            "police_first": data["police_first"],
            "seen_version": data["version"],
        }


class SecondForm(JudgementForm, PressForm):
    """The second judgement: nothing of the first is on it."""

    def arguments(self, *, now: datetime) -> dict[str, Any]:
        """The judgement alone."""
        return {**self.judged(), "seen_version": self.cleaned_data["version"]}


def hours_field(label: Any) -> forms.IntegerField:
    """For how long something is held; `label` as a field takes it."""
    return forms.IntegerField(label=label, min_value=1, max_value=24 * 30, initial=POLICE_FIRST_HOURS)


class UntilForm(PressForm):
    """A button whose `hours` become the instant at which a hold ends."""

    def arguments(self, *, now: datetime) -> dict[str, Any]:
        """With the end instead of the hours."""
        arguments = super().arguments(now=now)
        arguments["until"] = now + timedelta(hours=arguments.pop("hours"))
        return arguments


class HoldForm(UntilForm):
    """Why it is kept back, and for how long."""

    # A second assessment is no hold that somebody sets: what wants one is judged again (services/looks.py).
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            choice for choice in Notice.Hold.choices if choice[0] not in {"", Notice.Hold.SECOND_ASSESSMENT}
        ],
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Without addresses and without names."),
        max_length=300,
    )
    hours = hours_field(gettext_lazy("For how many hours"))


class LookForm(PressForm):
    """What a person saw of the material, and when. Nobody is late with it: looks only add to each other."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("What did you see?"), choices=Sighting.Outcome.choices, widget=forms.RadioSelect
    )
    seen_at = forms.DateTimeField(
        label=gettext_lazy("When, in Amsterdam time?"),
        help_text=gettext_lazy("Leave it empty if it was just now."),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("Without addresses and without names."),
        max_length=300,
        required=False,
    )

    def clean_seen_at(self) -> datetime | None:
        """The instant; None for now. A time that the clocks of Amsterdam skip or repeat is refused."""
        typed: datetime | None = self.cleaned_data["seen_at"]
        if typed is None:
            return None
        naive = typed.replace(tzinfo=None)
        earlier, later = (naive.replace(tzinfo=AMSTERDAM, fold=fold) for fold in (0, 1))
        if earlier.utcoffset() != later.utcoffset():
            raise forms.ValidationError(
                _("That night the clocks change: this time is there twice, or not at all.")
            )
        return earlier.astimezone(UTC)

    def arguments(self, *, now: datetime) -> dict[str, Any]:
        """What the service is called with."""
        said = super().arguments(now=now)
        del said["seen_version"]
        return {**said, "seen_at": said["seen_at"] or now}


class LooksFileForm(forms.Form):
    """A file of looks."""

    file = forms.FileField(
        label=gettext_lazy("Looks in a file"),
        help_text=gettext_lazy(
            "CSV in UTF-8, with semicolons and a header (notice; seen_at; outcome; http_status; vantage; note). "
            "Without a vantage it is a person's look. At most 5,000 lines; the same file again adds nothing."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv"}),
        max_length=200,
    )


class SkipForm(forms.Form):
    """Why it is for somebody else. It changes nothing of the notice, so it asks for no version."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why is it for somebody else?"),
        choices=PassedOn.Reason.choices,
        widget=forms.RadioSelect,
    )


class ProlongForm(UntilForm):
    """How much longer, from now."""

    hours = hours_field(gettext_lazy("For how many hours from now"))


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
