"""Keys for machines: minted once and shown once, revoked in one press."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import services
from accounts.models import ApiKey, Scope
from audit.desk import BOTH, POST, Desk, page, press
from audit.record import Actor
from providers.models import Provider


class KeyForm(forms.Form):
    """What a key is for, and what it may do."""

    name = forms.CharField(
        label=gettext_lazy("What is it for?"),
        help_text=gettext_lazy("For example: the checker in Amsterdam."),
        max_length=100,
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may"),
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
    )
    provider = forms.ModelChoiceField(
        label=gettext_lazy("Of a provider"),
        help_text=gettext_lazy("Then it reads and answers that provider's notices, and nothing else."),
        queryset=Provider.objects.order_by("name", "pk"),
        to_field_name="code",
        required=False,
    )


@admin.register(ApiKey)
class KeyDesk(Desk):
    """All keys; of a secret only its beginning is known."""

    cell = "key.view"
    change_list_template = "staff/keys.html"
    list_display = ["name"]
    list_select_related = ["provider"]
    search_fields = ["name", "prefix"]
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """Minting and revoking."""
        return [
            self.at("new/", self.new, name="key_new", cell="key.change", methods=BOTH),
            self.at("<int:pk>/revoke/", self.revoke, name="key_revoke", cell="key.change", methods=POST),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list, with the buttons for who may use them."""
        may = {"may_change": request.user.has_perm("key.change")}
        return super().changelist_view(request, {**may, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A key has no page of its own: all there is of it stands in the list."""
        self.check_view(request)
        return redirect("admin:accounts_apikey_changelist")

    def new(self, request: HttpRequest) -> HttpResponse:
        """Mint a key and show its secret, in the answer to this very request and never again."""
        form = KeyForm(request.POST if request.method == "POST" else None)
        made = None
        if form.is_valid():
            data = form.cleaned_data
            try:
                made = services.create_key(
                    name=data["name"],
                    scopes=data["scopes"],
                    provider_code=data["provider"].code if data["provider"] else None,
                    by=Actor.of(request.user),
                    now=timezone.now(),
                )
            except forms.ValidationError as fault:
                form.add_error(None, fault)
        key, secret = made or (None, "")
        context = {"title": _("New key"), "form": form, "key": key, "secret": secret}
        return page(request, "staff/key_new.html", context, status=422 if form.errors else 200)

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End a key; its next call is refused."""
        press(
            request,
            lambda: services.revoke_key(key_id=pk, by=Actor.of(request.user), now=timezone.now()),
            _("Revoked: its next call is refused."),
        )
        return redirect("admin:accounts_apikey_changelist")
