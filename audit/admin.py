"""The record: who did what, when. Read by keyset, because a COUNT or an OFFSET over millions would hang."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from audit.desk import Desk, page
from audit.models import Event, Link

PER_PAGE: Final = 100


class EventFilter(forms.Form):
    """Which events to list. Everything here is a code or a number: none of it identifies material."""

    subject = forms.CharField(label=_("About"), max_length=20, required=False)
    subject_id = forms.IntegerField(label=_("Its number"), required=False)
    actor = forms.CharField(label=_("Actor"), max_length=40, required=False)
    act = forms.CharField(label=_("Act"), max_length=40, required=False)
    before = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)
    after = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)


@admin.register(Event)
class EventDesk(Desk):
    """Newest first; nothing can be changed, added or removed here, nor anywhere else."""

    cell = "audit.view"

    def get_urls(self) -> list[URLPattern]:
        """An event has no page of its own: the list says all of it."""
        return [url for url in super().get_urls() if (url.name or "").endswith("changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A page of events, by the place of a row."""
        self.check_view(request)
        form = EventFilter(request.GET)
        wanted = form.cleaned_data if form.is_valid() else {}
        rows = Event.objects.filter(
            **{name: wanted[name] for name in ("subject", "subject_id", "actor", "act") if wanted.get(name)}
        )
        before, after = wanted.get("before"), wanted.get("after")
        if after is not None and before is None:
            events = list(rows.filter(pk__gt=after).order_by("pk")[: PER_PAGE + 1])
            newer, older = len(events) > PER_PAGE, True
            events = events[:PER_PAGE][::-1]
        else:
            rows = rows.filter(pk__lt=before) if before else rows
            events = list(rows.order_by("-pk")[: PER_PAGE + 1])
            newer, older = bool(before), len(events) > PER_PAGE
            events = events[:PER_PAGE]
        chained = set(
            Link.objects.filter(event_id__in=[event.pk for event in events]).values_list(
                "event_id", flat=True
            )
        )
        context = {
            "title": _("Record"),
            "form": form,
            "rows": [{"event": event, "chained": event.pk in chained} for event in events],
            "newer": events[0].pk if events and newer else None,
            "older": events[-1].pk if events and older else None,
        }
        return page(request, "staff/events.html", context)
