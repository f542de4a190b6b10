"""Which calls to endpoints the log shows."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models.delivery import DeliveryQuerySet
from providers.models import Contact


class DeliveryFilter(forms.Form):
    """By endpoint, and by what came of it. What it does not know narrows nothing."""

    OUTCOMES: Final = (("", _("any")), ("accepted", _("accepted")), ("failed", _("not accepted")))

    endpoint = forms.ChoiceField(label=_("Endpoint"), required=False)
    outcome = forms.ChoiceField(label=_("Outcome"), choices=OUTCOMES, required=False)

    def __init__(self, data: Any, *, endpoints: Sequence[Contact]) -> None:
        super().__init__(data, auto_id="deliveries-%s")
        self.fields["endpoint"].choices = [  # type: ignore[attr-defined]
            ("", _("all")),
            *((str(each.pk), each.address) for each in endpoints),
        ]
        self.is_valid()

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What stays in the address of the next page."""
        return [(name, value) for name, value in self.cleaned_data.items() if value]

    def applied(self, own: DeliveryQuerySet) -> DeliveryQuerySet:
        """The calls of `own` that it lets through."""
        if endpoint := self.cleaned_data.get("endpoint"):
            own = own.filter(contact=int(endpoint))
        match self.cleaned_data.get("outcome"):
            case "accepted":
                own = own.filter(accepted=True)
            case "failed":
                own = own.exclude(accepted=True)
        return own
