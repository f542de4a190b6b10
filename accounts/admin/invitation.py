"""Invitations to people of providers: the first admin of each comes in by one from the staff."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import services
from accounts.models import Invitation
from accounts.roles import Role
from audit.desk import BOTH, POST, Desk, page, press
from audit.record import Actor
from providers.models import Provider


class InvitationForm(forms.Form):
    """Whom to invite, to which provider, and as what."""

    provider = forms.ModelChoiceField(
        label=gettext_lazy("Provider"), queryset=Provider.objects.order_by("name", "pk"), to_field_name="code"
    )
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    role = forms.ChoiceField(
        label=gettext_lazy("As"),
        choices=[
            (Role.PROVIDER_ADMIN.value, gettext_lazy("admin: also invites and removes colleagues")),
            (Role.PROVIDER_MEMBER.value, gettext_lazy("member: sees and answers notices")),
        ],
        initial=Role.PROVIDER_ADMIN.value,
        widget=forms.RadioSelect,
    )


@admin.register(Invitation)
class InvitationDesk(Desk):
    """Links that let people of providers set up an account; of a link only its beginning and end are known."""

    cell = "invitation.view"
    change_list_template = "staff/invitations.html"
    list_display = ["email"]
    list_select_related = ["provider", "invited_by", "person"]
    list_filter = [("provider", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["email"]
    search_help_text = gettext_lazy("E-mail address")
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """Inviting and revoking."""
        cell = "invitation.change"
        return [
            self.at("new/", self.new, name="invitation_new", cell=cell, methods=BOTH),
            self.at("<int:pk>/revoke/", self.revoke, name="invitation_revoke", cell=cell, methods=POST),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list, with the clock that tells which of them still open."""
        return super().changelist_view(request, {"now": timezone.now(), **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """An invitation has no page of its own: all there is of it stands in the list."""
        self.check_view(request)
        return redirect("admin:accounts_invitation_changelist")

    def new(self, request: HttpRequest) -> HttpResponse:
        """Make an invitation; its link stands in the answer to this very request and never again."""
        form = InvitationForm(request.POST if request.method == "POST" else None)
        made = None
        if form.is_valid():
            data = form.cleaned_data
            try:
                made = services.invite(
                    email=data["email"],
                    role=data["role"],
                    provider_id=data["provider"].pk,
                    by=Actor.of(request.user),
                    now=timezone.now(),
                )
            except services.Unfit as refusal:
                form.add_error("email", str(refusal))
        invitation, token = made or (None, "")
        context = {
            "title": _("New invitation"),
            "form": form,
            "invitation": invitation,
            "link": link_of(token) if token else "",
        }
        return page(request, "staff/invitation_new.html", context, status=422 if form.errors else 200)

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a link open nothing any more."""
        press(
            request,
            lambda: services.revoke_invitation(
                invitation_id=pk, provider_id=None, by=Actor.of(request.user), now=timezone.now()
            ),
            _("Its link opens nothing any more."),
        )
        return redirect("admin:accounts_invitation_changelist")


def link_of(token: str) -> str:
    """The link, to be shown once."""
    return f"{settings.BASE_URL}{reverse('invitation', args=[token])}"
