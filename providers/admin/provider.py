"""Providers: the list, and the page of one with its contacts, networks and rules."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import BOTH, POST, Display, page, press
from audit.record import Actor
from providers import services
from providers.admin import contact
from providers.admin.forms import EndForm, SuspendForm
from providers.admin.new import new
from providers.admin.parts import PARTS, PRESSES, Part, Press, blank
from providers.admin.why import why
from providers.models import Provider, Relation

#: Networks and rules shown on a page.
MOST: Final = 500
_WAITS = Q(contacts__approved_at__isnull=True)


@admin.register(Provider)
class ProviderDesk(Display):
    """Who can remove what, and where to write."""

    cell = "provider.view"
    change_list_template = "staff/providers.html"
    list_display = ["name"]
    list_filter = ["kind", "country", "signatory"]
    search_fields = ["name", "code"]
    search_help_text = gettext_lazy("Name or code")
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """A new provider, and what its page lets one fill in and press."""
        first = self.at("new/", new, name="provider_new", cell="provider.change", methods=BOTH)
        fills = [
            self.at(
                f"<int:pk>/{part.name}/", self._filled(part), name=part.name, cell=part.cell, methods=POST
            )
            for part in PARTS
        ]
        presses = [
            self.at(
                f"<int:pk>/{each.route}", self._pressed(each), name=each.name, cell=each.cell, methods=POST
            )
            for each in PRESSES
        ]
        ask = self.at(
            "<int:pk>/ask-registries/",
            self.ask_registries,
            name="provider_ask_registries",
            cell="provider.change",
            methods=POST,
        )
        return [first, ask, *contact.urls(self), *fills, *presses]

    def desk_urls(self) -> list[URLPattern]:
        """Explaining a URL, a host, an address or an AS."""
        return [self.at("why/", why, name="why", cell="provider.view", methods=BOTH)]

    def get_queryset(self, request: HttpRequest) -> Any:
        """With how many contacts are in use and how many wait for a yes."""
        in_use = Q(contacts__approved_at__isnull=False, contacts__suspended_at__isnull=True)
        return (
            super()
            .get_queryset(request)
            .annotate(
                in_use=Count("contacts", filter=in_use, distinct=True),
                to_approve=Count("contacts", filter=_WAITS, distinct=True),
                networks_known=Count("networks", distinct=True),
            )
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list, with the way to a new provider."""
        may = {"may_change": request.user.has_perm("provider.change")}
        return super().changelist_view(request, {**may, **(extra_context or {})})

    def show(self, request: HttpRequest, pk: int, tried: tuple[str, BaseForm] | None = None) -> HttpResponse:
        """The page of a provider. `tried`: the part that came back with faults, and its form."""
        provider = get_object_or_404(Provider, pk=pk)
        user = request.user
        context: dict[str, Any] = {
            "title": provider.name,
            "provider": provider,
            "contacts": list(provider.contacts.select_related("health").order_by("pk")),
            "networks": list(provider.networks.order_by("prefix")[:MOST]),
            "relations": list(Relation.objects.of(provider).select_related("provider", "other")[:MOST]),
            "asn_rules": list(provider.asn_rules.order_by("asn", "pk")[:MOST]),
            "holder_rules": list(provider.holder_rules.order_by("handle", "pk")[:MOST]),
            "host_rules": list(provider.host_rules.order_by("created_at", "pk")[:MOST])
            if user.has_perm("host_rule.view")
            else [],
            "may_change": user.has_perm("provider.change"),
            "mine": str(Actor.of(user)),
            "asks_registries": bool(settings.HOST.rdap),
            "may_see_notices": user.has_perm("notice.view"),
            "forms": {
                part.name: blank(part, **({"instance": provider} if part.name == "provider_edit" else {}))
                for part in PARTS
                if user.has_perm(part.cell)
            },
            "suspend": SuspendForm(auto_id=False),
            "end": EndForm(auto_id=False),
            # A link from another desk may open one: ?open=contact_add
            "opened": {tried[0] if tried else request.GET.get("open", ""): True},
        }
        context["forms"] |= dict([tried]) if tried else {}
        return page(request, "staff/provider.html", context, status=422 if tried else 200)

    def ask_registries(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have the registries asked for its mailbox for abuse."""
        get_object_or_404(Provider, pk=pk)
        done = _("The registries are being asked. A mailbox that they name is proposed here as a contact.")
        return self._do(request, pk, services.ask_about, done, provider_id=pk)

    def _filled(self, part: Part) -> Callable[..., HttpResponse]:
        def filled(request: HttpRequest, pk: int) -> HttpResponse:
            """Call the part's service, if its form is whole."""
            get_object_or_404(Provider, pk=pk)
            form = blank(part, data=request.POST)
            if not form.is_valid():
                return self.show(request, pk, tried=(part.name, form))
            return self._do(request, pk, part.call, part.done, provider_id=pk, **form.cleaned_data)

        return filled

    def _pressed(self, each: Press) -> Callable[..., HttpResponse]:
        def pressed(request: HttpRequest, pk: int, **row: Any) -> HttpResponse:
            """Call the service behind a button of a row."""
            get_object_or_404(Provider, pk=pk)
            asked: dict[str, Any] = {name: request.POST.get(name, "") for name in each.asks}
            if each.form is not None:
                form = each.form(request.POST)
                if not form.is_valid():
                    messages.error(
                        request, " ".join(str(e) for errors in form.errors.values() for e in errors)
                    )
                    return redirect("admin:providers_provider_change", pk)
                asked |= form.cleaned_data
            return self._do(request, pk, each.call, each.done, **row, **asked)

        return pressed

    def _do(
        self,
        request: HttpRequest,
        pk: int,
        call: Callable[..., object],
        done: str | Promise,
        **arguments: Any,
    ) -> HttpResponse:
        press(request, lambda: call(**arguments, by=Actor.of(request.user), now=timezone.now()), str(done))
        return redirect("admin:providers_provider_change", pk)
