"""How a reporter can be reached who wants to be: shown to few, by a recorded reveal with its reason."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import BOTH, Desk, page
from audit.record import Actor
from audit.refused import Refused
from cases.models import Report
from cases.services.reporter import Contacting, reveal_reporter


class ContactingForm(forms.Form):
    """Why somebody looks."""

    reason = forms.ChoiceField(label=gettext_lazy("Why do you look?"), choices=Contacting.choices)


def urls(desk: Desk) -> list[URLPattern]:
    """The page of the one who reported."""
    return [
        desk.at("reports/<int:pk>/reporter/", show, name="reporter", cell="reporter.view", methods=BOTH),
    ]


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why; then show it once, as text."""
    report = get_object_or_404(Report, pk=pk)
    form = ContactingForm(request.POST or None)
    context: dict[str, Any] = {
        "title": _("The reporter of %(report)s") % {"report": report},
        "report": report,
        "form": form,
    }
    if request.method == "POST" and form.is_valid():
        try:
            context["person"] = reveal_reporter(
                report_id=pk,
                reason=form.cleaned_data["reason"],
                by=Actor.of(request.user),
                now=timezone.now(),
            )
        except Refused as refusal:
            context["gone"] = str(refusal)
    status = 422 if form.errors else 200
    return page(request, "staff/reporter.html", context, status=status)
