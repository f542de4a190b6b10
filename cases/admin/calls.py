"""The telephone: which providers to call about what they leave online, whom, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import Names
from audit.counting import COUNTED
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.models import Call, Step
from cases.models.call import LONGEST_CALL_NOTE
from cases.queues import to_call
from cases.services.ladder import record_call
from providers.models import Contact, Provider

#: References that are listed of each provider; the search desk has them all.
LISTED: Final = 10
#: Who answers best comes first.
_BEST: Final = [Contact.Role.ROUND_THE_CLOCK, Contact.Role.ESCALATION, Contact.Role.ABUSE, Contact.Role.LEGAL]


class CallForm(forms.Form):
    """What came of a call. `until`: when the page was made; what fell due since was not spoken of."""

    until = forms.DateTimeField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label=gettext_lazy("What came of it"), choices=[("", gettext_lazy("choose")), *Call.Outcome.choices]
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=LONGEST_CALL_NOTE,
        required=False,
        help_text=gettext_lazy("Whom you spoke, and what was agreed. No addresses of material."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@dataclass(frozen=True)
class ToCall:
    """A provider to call, and all that whoever calls needs before them."""

    provider: Provider
    steps: Sequence[Step]
    contacts: Sequence[Contact]
    last: Call | None
    last_by: str
    form: CallForm

    @property
    def listed(self) -> Sequence[Step]:
        """The first of its steps."""
        return self.steps[:LISTED]

    @property
    def more(self) -> bool:
        """Whether there are more than are listed."""
        return len(self.steps) > LISTED

    @property
    def oldest(self) -> datetime:
        """Since when the provider should have been called."""
        return min(step.due_at for step in self.steps)


def urls(desk: Desk) -> list[URLPattern]:
    """The list, and what came of a call."""
    return [
        desk.at("overdue/calls/", calls, name="overdue_calls", cell="step.view"),
        desk.at("overdue/calls/<int:pk>/", called, name="overdue_called", cell="step.act", methods=POST),
    ]


def calls(request: HttpRequest) -> HttpResponse:
    """The providers to call, the one that waits longest first."""
    now = timezone.now()
    steps = to_call().select_related("notice__provider", "notice__content").order_by("taken_at", "pk")
    rows = list(steps[: COUNTED + 1])
    context: dict[str, Any] = {
        "title": _("Providers to call"),
        "rows": rows[:COUNTED],
        "more": len(rows) > COUNTED,
        "providers": _providers(rows[:COUNTED], now=now),
        "may_act": request.user.has_perm("step.act"),
    }
    return page(request, "staff/calls.html", context)


def called(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what came of a call."""
    form = CallForm(request.POST)
    if form.is_valid():
        press(
            request,
            lambda: record_call(
                provider_id=pk, by=Actor.of(request.user), now=timezone.now(), **form.cleaned_data
            ),
            _("The call is written down."),
        )
    else:
        messages.warning(request, _("Choose what came of the call."))
    return redirect(reverse("admin:overdue_calls"))


def _providers(steps: Sequence[Step], *, now: datetime) -> list[ToCall]:
    """The steps by provider, in the order of the longest waiting; three queries, however many there are."""
    by_provider = {
        provider: list(group)
        for provider, group in groupby(
            sorted(steps, key=lambda step: step.notice.provider_id or 0),
            key=lambda step: step.notice.provider,
        )
        if provider is not None
    }
    contacts = sorted(
        Contact.objects.usable().filter(provider__in=by_provider),
        key=lambda contact: (
            contact.channel != Contact.Channel.PHONE,
            _BEST.index(Contact.Role(contact.role)),
            contact.pk,
        ),
    )
    last = {
        call.provider_id: call
        for call in Call.objects.filter(provider__in=by_provider)
        .order_by("provider_id", "-at", "-pk")
        .distinct("provider_id")
    }
    names = Names()
    found = [
        ToCall(
            provider=provider,
            steps=group,
            contacts=[contact for contact in contacts if contact.provider_id == provider.pk],
            last=last.get(provider.pk),
            last_by=names.of(last[provider.pk].by) if provider.pk in last else "",
            form=CallForm(initial={"until": now.isoformat()}, auto_id=f"call_{provider.pk}_%s"),
        )
        for provider, group in by_provider.items()
    ]
    return sorted(found, key=lambda each: (each.oldest, each.provider.pk))
