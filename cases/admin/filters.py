"""The filters of the search desk. None of them takes an address: what is in a query string is in a log."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.admin.queues import QUEUES, due_before
from cases.models import LegalClass, Notice
from providers.models import Provider

Choices = list[tuple[str, Any]]


class Waits(admin.SimpleListFilter):
    """A queue: the rows that a counter of the start page counted."""

    title, parameter_name = _("waits"), "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(queue.code, queue.name) for queue in QUEUES if queue.query.startswith("waits=")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Notice] | None:
        queue = next((queue for queue in QUEUES if queue.code == self.value()), None)
        return queue.of(queryset, timezone.now()) if queue else None


class Due(admin.SimpleListFilter):
    """By the provider's clock: overdue is true when the moment has passed, recorded or not."""

    title, parameter_name = _("due"), "due"
    spans: Final = {"4h": timedelta(hours=4), "24h": timedelta(hours=24)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("over", _("overdue")), ("4h", _("within 4 hours")), ("24h", _("within 24 hours"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Notice] | None:
        now, value = timezone.now(), self.value()
        if value == "over":
            return queryset.overdue(now=now)  # type: ignore[no-any-return]
        return due_before(queryset, now, self.spans[value]) if value in self.spans else None


class Fact(admin.SimpleListFilter):
    """By what we know of an open notice: the columns of the supervisors' desk."""

    title, parameter_name = _("fact"), "fact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("open", _("with the provider")),
            ("silent", _("no answer")),
            ("disputed", _("disputed")),
            ("online", _("seen online after the term")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Notice] | None:
        conditions = {
            "open": Q(),
            "silent": Q(acknowledged_at__isnull=True),
            "disputed": Q(disputed_at__isnull=False),
            "online": Q(last_seen_online_at__gt=F("due_at")),
        }
        condition = conditions.get(self.value() or "")
        return queryset.open().filter(condition) if condition is not None else None


class Held(admin.SimpleListFilter):
    """By the kind of hold. Only what was not sent can be held, and saying so lets an index find it."""

    title, parameter_name = _("hold"), "hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [choice for choice in Notice.Hold.choices if choice[0]]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Notice] | None:
        held = queryset.filter(state=Notice.State.RECEIVED, hold=self.value())
        return held if self.value() else None


class Class(admin.SimpleListFilter):
    """By what was judged."""

    title, parameter_name = _("class"), "class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(LegalClass.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Notice] | None:
        return queryset.filter(legal_class=self.value()) if self.value() else None


class OfProvider(admin.SimpleListFilter):
    """By provider; there are hundreds, so it is drawn as one list to type in and not as a menu."""

    title, parameter_name = _("provider"), "provider"
    template = "staff/filter_select.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            (str(pk), name) for pk, name in Provider.objects.order_by("name", "pk").values_list("pk", "name")
        ]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Django's, with the value of each; `kept` is the rest of the query string, for hidden fields."""
        self.kept = [
            (key, value)
            for key, values in changelist.get_filters_params().items()
            if key != self.parameter_name
            for value in values
        ]
        values = ["", *(value for value, _name in self.lookup_choices)]
        for value, choice in zip(values, super().choices(changelist), strict=True):
            yield {**choice, "value": value}

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Notice] | None:
        value = self.value() or ""
        return queryset.filter(provider_id=int(value)) if value.isascii() and value.isdigit() else None
