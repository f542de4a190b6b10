"""Who lost every way in: one of the staff asks, another confirms."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import services
from accounts.admin.invitation import link_of
from accounts.models import Recovery
from audit.desk import BOTH, POST, Desk, page, press
from audit.record import Actor


class RecoveryForm(forms.Form):
    """Who, and how it is known that it is them who ask."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    reason = forms.CharField(
        label=gettext_lazy("What happened, and how do you know that it is them?"),
        help_text=gettext_lazy("For example: lost the telephone; called back on the number that we have."),
        max_length=200,
    )


@admin.register(Recovery)
class RecoveryDesk(Desk):
    """What was asked, what waits, and who decided."""

    cell = "user.recover"
    change_list_template = "staff/recoveries.html"
    list_display = ["person"]
    list_select_related = ["person", "person__provider", "asked_by", "decided_by"]
    search_fields = ["person__email", "person__name"]
    search_help_text = gettext_lazy("Name or e-mail address")
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """Asking, confirming, refusing."""
        cell = "user.recover"
        return [
            self.at("ask/", self.ask, name="recovery_ask", cell=cell, methods=BOTH),
            self.at("<int:pk>/confirm/", self.confirm, name="recovery_confirm", cell=cell, methods=POST),
            self.at("<int:pk>/refuse/", self.refuse, name="recovery_refuse", cell=cell, methods=POST),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """It has no page of its own: all there is of it stands in the list."""
        self.check_view(request)
        return redirect("admin:accounts_recovery_changelist")

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Ask for somebody; a colleague must confirm."""
        form = RecoveryForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                services.ask_recovery(**form.cleaned_data, by=Actor.of(request.user), now=timezone.now())
            except services.Unfit as refusal:
                form.add_error("email", str(refusal))
            else:
                messages.success(request, _("Asked. A colleague must confirm it."))
                return redirect("admin:accounts_recovery_changelist")
        context = {"title": _("New way in"), "form": form}
        return page(request, "staff/recovery_ask.html", context, status=422 if form.errors else 200)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say yes; the link stands in the answer to this very request and never again."""
        made = press(
            request,
            lambda: services.confirm_recovery(recovery_id=pk, by=Actor.of(request.user), now=timezone.now()),
            "",
        )
        if made is None:
            return redirect("admin:accounts_recovery_changelist")
        invitation, token = made
        context = {"title": _("New way in"), "invitation": invitation, "link": link_of(token)}
        return page(request, "staff/recovery_link.html", context)

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say no, or take back what was asked."""
        press(
            request,
            lambda: services.refuse_recovery(recovery_id=pk, by=Actor.of(request.user), now=timezone.now()),
            _("Nothing was changed."),
        )
        return redirect("admin:accounts_recovery_changelist")
