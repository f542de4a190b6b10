"""Deadline rules: which terms there are, and setting a new one. A clock that runs keeps its own."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.models import DeadlineRule
from cases.services.rules import set_term


class TermForm(forms.Form):
    """A new term. The instant is typed in UTC (settings.TIME_ZONE), because the clocks run in UTC."""

    hours = forms.DecimalField(
        label=gettext_lazy("Term in hours"),
        min_value=0,
        max_value=24 * 90,
        max_digits=8,
        decimal_places=4,
    )
    valid_from = forms.DateTimeField(
        label=gettext_lazy("For clocks that start from (UTC)"),
        help_text=gettext_lazy("Empty: from now on."),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


@admin.register(DeadlineRule)
class RuleDesk(Desk):
    """All rules, newest first, and the form for the next."""

    cell = "rule.view"

    def own_urls(self) -> list[URLPattern]:
        """Setting a term."""
        return [self.at("set/", self.set, name="rule_set", cell="rule.add", methods=POST)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The rules and the form."""
        self.check_view(request)
        return self._show(request, TermForm())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A rule has no page of its own: all there is of it stands in the list."""
        self.check_view(request)
        return redirect("admin:cases_deadlinerule_changelist")

    def set(self, request: HttpRequest) -> HttpResponse:
        """Add a rule for clocks that start from an instant on."""
        form, now = TermForm(request.POST), timezone.now()
        if not form.is_valid():
            return self._show(request, form, status=422)
        term = timedelta(hours=float(form.cleaned_data["hours"]))
        starts = form.cleaned_data["valid_from"] or now
        rule = press(
            request,
            lambda: set_term(term=term, valid_from=starts, by=Actor.of(request.user), now=now),
            _("The new term is set. Clocks that run keep theirs."),
        )
        if rule is None:
            return self._show(request, form, status=422)
        return redirect(reverse("admin:cases_deadlinerule_changelist"))

    def _show(self, request: HttpRequest, form: TermForm, *, status: int = 200) -> HttpResponse:
        now = timezone.now()
        rules = list(DeadlineRule.objects.order_by("-valid_from", "-pk")[:200])
        context = {
            "title": _("Deadline rules"),
            "rules": rules,
            "in_force": next((rule for rule in rules if rule.valid_from <= now), None),
            "form": form if request.user.has_perm("rule.add") else None,
        }
        return page(request, "staff/rules.html", context, status=status)
