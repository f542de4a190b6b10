"""The filters of the search desk: what each lets through, and in which words it stands above the list.

None of them takes an address: what is in a query string is in a log. What is no filter, or no value of one, is
said, and then nothing is listed: a list that silently shows all would be taken for the answer.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, F, OuterRef, Q
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.keyset import Order
from cases.models import LegalClass, Notice, Picked, ReportLine, Source
from cases.models.notice import NoticeQuerySet
from cases.queues import QUEUES, Queue, due_before
from providers.models import Provider

#: The days of a period are those of the hotline.
AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")

ORDERS: Final = {
    "": Order("received_at", latest_first=True),
    "oldest": Order("received_at"),
    "due": Order("due_at"),
}
#: The same within a period of another instant: the database then sorts the rows of the period, which a summary
#: of blocks finds for it, and does not walk along all years to meet them.
BY_PERIOD: Final = {
    "": Order("in_period", latest_first=True),
    "oldest": Order("in_period"),
    "due": ORDERS["due"],
}
PERIODS: Final = frozenset({"assessed_from", "assessed_to", "notified_from", "notified_to"})
ALL: Final = frozenset(str(state) for state in Notice.State)
OPEN: Final = frozenset({str(Notice.State.NOTIFIED), str(Notice.State.ESCALATED)})
_SPANS: Final = {"4h": timedelta(hours=4), "24h": timedelta(hours=24)}
_FACTS: Final = {
    "open": Q(),
    "silent": Q(acknowledged_at__isnull=True),
    "disputed": Q(disputed_at__isnull=False),
    "online": Q(last_seen_online_at__gt=F("due_at")),
}
_ANY: Final = gettext_lazy("any")
#: What is no filter: the place in the list.
PLACE: Final = frozenset({"after", "before"})


class Chip(NamedTuple):
    """A filter that is on, in words; `without` is the query string that lacks it."""

    name: str
    value: str
    without: str


class ProviderField(forms.CharField):
    """A provider by its number, its code, its name, or a part of its name that no other has."""

    def clean(self, value: Any) -> Provider | None:
        """Raises ValidationError when it is nobody's, or several'."""
        text = super().clean(value)
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) < 18:
            found = list(Provider.objects.filter(pk=int(text)))
        else:
            exact = Q(code__iexact=text) | Q(name__iexact=text)
            found = list(Provider.objects.filter(exact).order_by("pk")[:2]) or list(
                Provider.objects.filter(name__icontains=text).order_by("name", "pk")[:4]
            )
        if len(found) > 1:
            names = ", ".join(provider.name for provider in found[:3])
            raise ValidationError(
                _("Several providers have that in their name: %(names)s.") % {"names": names}
            )
        if not found:
            raise ValidationError(_("No provider is named so."))
        return found[0]


def _choice(label: Any, choices: Any, blank: Any = _ANY) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[("", blank), *choices], required=False)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        validators=[MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


class SearchForm(forms.Form):
    """Which notices to list, and in which order. Every field may be left out; together they narrow."""

    state = _choice(gettext_lazy("State"), Notice.State.choices)
    waits = _choice(
        gettext_lazy("Waits"),
        [(queue.code, queue.name) for queue in QUEUES if queue.query.startswith("waits=")],
    )
    due = _choice(
        gettext_lazy("Due"),
        [
            ("over", gettext_lazy("overdue")),
            ("4h", gettext_lazy("within 4 hours")),
            ("24h", gettext_lazy("within 24 hours")),
        ],
    )
    provider = ProviderField(
        label=gettext_lazy("Provider"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "providers", "autocomplete": "off"}),
    )
    fact = _choice(
        gettext_lazy("Fact"),
        [
            ("open", gettext_lazy("with the provider")),
            ("silent", gettext_lazy("no answer")),
            ("disputed", gettext_lazy("disputed")),
            ("online", gettext_lazy("seen online after the term")),
        ],
    )
    legal_class = _choice(gettext_lazy("Class"), LegalClass.choices)
    hold = _choice(gettext_lazy("Held"), [choice for choice in Notice.Hold.choices if choice[0]])
    urgent = _choice(gettext_lazy("Urgent"), [("1", gettext_lazy("yes")), ("0", gettext_lazy("no"))])
    source = forms.ModelChoiceField(
        label=gettext_lazy("Source"),
        queryset=Source.objects.order_by("name", "pk"),
        to_field_name="code",
        required=False,
        empty_label=_ANY,
    )
    received_from = _day(gettext_lazy("Received from"))
    received_to = _day(gettext_lazy("Received until"))
    assessed_from = _day(gettext_lazy("Judged from"))
    assessed_to = _day(gettext_lazy("Judged until"))
    notified_from = _day(gettext_lazy("Notified from"))
    notified_to = _day(gettext_lazy("Notified until"))
    order = _choice(
        gettext_lazy("Order"),
        [
            ("oldest", gettext_lazy("oldest first")),
            ("due", gettext_lazy("due first (with providers)")),
        ],
        gettext_lazy("newest first"),
    )
    # Both come from a search that was POSTed: they say nothing that must not stand in an address.
    content = forms.UUIDField(label=gettext_lazy("Address"), required=False, widget=forms.HiddenInput)
    picked = forms.UUIDField(label=gettext_lazy("References"), required=False, widget=forms.HiddenInput)

    #: What is asked for most often; the rest is behind one press.
    FIRST = ("state", "waits", "due", "provider", "order")

    def __init__(self, data: QueryDict | Mapping[str, str]) -> None:
        super().__init__(data, auto_id="filter-%s")

    def clean(self) -> dict[str, Any]:
        """Nothing that is no filter, and no period that ends before it begins."""
        cleaned = super().clean() or self.cleaned_data
        for name in sorted(set(self.data) - set(self.fields) - PLACE):
            raise ValidationError(_("There is no filter “%(name)s”.") % {"name": name[:40]})
        for instant in ("received", "assessed", "notified"):
            first, last = cleaned.get(f"{instant}_from"), cleaned.get(f"{instant}_to")
            if first and last and last < first:
                self.add_error(f"{instant}_to", _("This is before the first day."))
        if cleaned.get("picked"):
            cleaned["picked"] = Picked.objects.filter(pk=cleaned["picked"]).first()
            if cleaned["picked"] is None:
                raise ValidationError(_("That list of references has been erased: paste it again."))
        return cleaned

    @property
    def on(self) -> dict[str, Any]:
        """The filters that are on: field -> its cleaned value. Call it when valid."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if value not in (None, "") and name != "order"
        }

    @property
    def sorting(self) -> Order:
        """The order that was asked for."""
        order = self.cleaned_data["order"]
        return BY_PERIOD[order] if not PERIODS.isdisjoint(self.on) else ORDERS[order]

    @property
    def more_is_on(self) -> bool:
        """Whether a filter that is behind the press is on, or wrong."""
        named = set(self.errors) | {name for name in self.fields if self.data.get(name)}
        return bool(named - {*self.FIRST, "__all__"})

    def first_fields(self) -> Iterator[forms.BoundField]:
        """The fields that always show."""
        return (self[name] for name in self.FIRST)

    def more_fields(self) -> Iterator[forms.BoundField]:
        """The fields behind the press."""
        return (bound for bound in self.visible_fields() if bound.name not in self.FIRST)

    def applied(self, notices: NoticeQuerySet, *, now: datetime) -> NoticeQuerySet:
        """What of `notices` the filters let through. Call it when valid."""
        states = self._states()
        if not states:
            return notices.none()
        if states != ALL:
            notices = notices.filter(state__in=sorted(states))
        for name, value in self.on.items():
            notices = APPLY[name](notices, value, now)
        if self.sorting.column == "in_period":
            notices = notices.annotate(in_period=F("received_at") + timedelta(0))
        return notices

    @property
    def query(self) -> str:
        """The filters and the order as a query string of ours: only what we know, in our own spelling."""
        return urlencode(self.plain())

    def chips(self) -> list[Chip]:
        """What is on, in words, each with the way to take it off. Call it when valid."""
        plain = self.plain()
        return [
            Chip(
                str(self.fields[name].label),
                self._words(name, value),
                "?" + urlencode({key: kept for key, kept in plain.items() if key != name}),
            )
            for name, value in self.on.items()
        ]

    def described(self) -> str:
        """What is on, in one line: "State: removed, Provider: Alfa Hosting". Call it when valid."""
        return ", ".join(f"{chip.name}: {chip.value}" for chip in self.chips())

    def _states(self) -> frozenset[str]:
        """The states that what is on leaves. The database cannot see that "received and overdue" is nothing."""
        states = OPEN if self.cleaned_data["order"] == "due" else ALL
        for name, value in self.on.items():
            match name:
                case "state":
                    states &= {value}
                case "due" | "fact":
                    states &= OPEN
                case "hold":
                    states &= {str(Notice.State.RECEIVED)}
                case "waits":
                    states &= _queue(value).states or ALL
        return states

    def plain(self) -> dict[str, str]:
        """The filters and the order in our own spelling. Call it when valid."""
        named = {**self.on, "order": self.cleaned_data["order"]}
        return {name: _spelled(value) for name, value in named.items() if value}

    def _words(self, name: str, value: Any) -> str:
        if name == "content":
            return _("one that was searched for")
        if name == "picked":
            return _("a list of %(count)s") % {"count": len(value.notice_ids)}
        if isinstance(value, Provider | Source):
            return value.name
        if not isinstance(value, str):
            return date_format(value, "j M Y")
        return str(dict(self.fields[name].choices)[value])  # type: ignore[attr-defined]


def _spelled(value: Any) -> str:
    if isinstance(value, Provider | Picked):
        return str(value.pk)
    return value.code if isinstance(value, Source) else str(value)


def _midnight(day: Any, *, after: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM) + timedelta(days=after)


def _since(column: str) -> "Apply":
    return lambda notices, day, now: notices.filter(**{f"{column}__gte": _midnight(day)})


def _until(column: str) -> "Apply":
    return lambda notices, day, now: notices.filter(**{f"{column}__lt": _midnight(day, after=1)})


def _waits(notices: NoticeQuerySet, code: str, now: datetime) -> NoticeQuerySet:
    return _queue(code).of(notices, now)


def _queue(code: str) -> Queue:
    return next(queue for queue in QUEUES if queue.code == code)


def _due(notices: NoticeQuerySet, span: str, now: datetime) -> NoticeQuerySet:
    return notices.overdue(now=now) if span == "over" else due_before(notices, now, _SPANS[span])


Apply = Callable[[NoticeQuerySet, Any, datetime], NoticeQuerySet]

#: Field -> what it lets through.
APPLY: Final[dict[str, Apply]] = {
    "state": lambda notices, state, now: notices.filter(state=state),
    "waits": _waits,
    "due": _due,
    "provider": lambda notices, provider, now: notices.filter(provider=provider),
    "fact": lambda notices, fact, now: notices.open().filter(_FACTS[fact]),
    "legal_class": lambda notices, legal_class, now: notices.filter(legal_class=legal_class),
    # Only what was not sent can be held, and saying so lets an index find it.
    "hold": lambda notices, hold, now: notices.filter(state=Notice.State.RECEIVED, hold=hold),
    "urgent": lambda notices, urgent, now: notices.filter(urgent=urgent == "1"),
    "source": lambda notices, source, now: notices.filter(
        Exists(ReportLine.objects.filter(notice=OuterRef("pk"), report__source=source))
    ),
    "received_from": _since("received_at"),
    "received_to": _until("received_at"),
    "assessed_from": _since("assessed_at"),
    "assessed_to": _until("assessed_at"),
    "notified_from": _since("notified_at"),
    "notified_to": _until("notified_at"),
    "content": lambda notices, content, now: notices.filter(content=content),
    "picked": lambda notices, picked, now: notices.filter(pk__in=picked.notice_ids),
}


def parsed(query: str) -> SearchForm:
    """The filters that a query string of ours means."""
    return SearchForm(QueryDict(query))
