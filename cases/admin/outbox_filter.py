"""What the outbox can be narrowed to: for whom, what kind, why, how urgent, how old."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from cases.models import Dispatch
from providers.models import Contact

#: Code -> how long ago a message was begun at least.
AGES: Final = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
}
_ANY: Final = ("", _("any"))


class OutboxFilter(forms.Form):
    """A field that is empty lets everything through."""

    to = forms.CharField(label=_("Provider or contact"), max_length=100, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=[_ANY, *Dispatch.Kind.choices], required=False)
    cause = forms.ChoiceField(label=_("Cause"), choices=[_ANY, *Dispatch.Trouble.choices], required=False)
    urgent = forms.ChoiceField(
        label=_("Urgency"), choices=[_ANY, ("yes", _("with something urgent"))], required=False
    )
    age = forms.ChoiceField(
        label=_("Begun"),
        choices=[
            _ANY,
            ("15m", _("15 minutes ago or more")),
            ("1h", _("1 hour ago or more")),
            ("4h", _("4 hours ago or more")),
            ("1d", _("a day ago or more")),
            ("3d", _("3 days ago or more")),
        ],
        required=False,
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="outbox-%s")

    def applied(self, rows: QuerySet[Dispatch], *, now: datetime) -> QuerySet[Dispatch]:
        """The rows that it lets through. Call it with a valid form."""
        wanted = self.cleaned_data
        if wanted["to"]:
            named = Q(address__icontains=wanted["to"]) | Q(provider__name__icontains=wanted["to"])
            rows = rows.filter(contact__in=Contact.objects.filter(named))
        if wanted["kind"]:
            rows = rows.filter(kind=wanted["kind"])
        if wanted["cause"]:
            rows = rows.filter(trouble=wanted["cause"])
        if wanted["urgent"]:
            rows = rows.filter(urgent=True)
        if wanted["age"]:
            rows = rows.filter(created_at__lte=now - AGES[wanted["age"]])
        return rows

    @property
    def is_on(self) -> bool:
        """Whether it narrows anything."""
        return any(self.cleaned_data.values())

    def plain(self) -> dict[str, str]:
        """What is on, as it stands in an address."""
        return {name: value for name, value in self.cleaned_data.items() if value}
