"""Who comes in for this provider: seen by all of them, changed by their admins."""

from collections.abc import Callable

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import Invitation, User
from accounts.roles import Role
from audit.refused import Refused
from portal.access import Visitor, door


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=gettext_lazy("E-mail address of your colleague"), max_length=254)
    role = forms.ChoiceField(
        label=gettext_lazy("As"),
        choices=[
            (Role.PROVIDER_MEMBER.value, gettext_lazy("member: sees and answers notices")),
            (Role.PROVIDER_ADMIN.value, gettext_lazy("admin: also invites and removes colleagues")),
        ],
        initial=Role.PROVIDER_MEMBER.value,
        widget=forms.RadioSelect,
    )


@door("member.view")
@require_safe
def colleagues(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """All colleagues, and the invitations that are open."""
    return _page(request, visitor)


def _page(
    request: HttpRequest,
    visitor: Visitor,
    form: InviteForm | None = None,
    link: str = "",
    invited: Invitation | None = None,
) -> HttpResponse:
    now = timezone.now()
    may = visitor.user.may("member.change")
    keys = Count("keys", filter=Q(keys__revoked_at__isnull=True) & ~Q(keys__expires_at__lte=now))
    people = (
        User.objects.filter(provider_id=visitor.provider_id, is_active=True)
        .annotate(keys_count=keys)
        .order_by("name", "pk")
    )
    context = {
        "people": [(person, Role.PROVIDER_ADMIN in person.roles) for person in people],
        "invitations": Invitation.objects.open(now=now)
        .filter(provider_id=visitor.provider_id)
        .select_related("invited_by")
        if may
        else (),
        "form": (form or InviteForm()) if may else None,
        "may_change": may,
        "link": link,
        "invited": invited,
    }
    return render(request, "portal/colleagues.html", context, status=422 if form and form.errors else 200)


@door("member.change")
@require_POST
def invite(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Make an invitation; its link stands in the answer to this very request and never again."""
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            made, token = services.invite(
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                provider_id=visitor.provider_id,
                by=visitor.actor,
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error("email", str(refusal))
        else:
            link = f"{settings.BASE_URL}{reverse('invitation', args=[token])}"
            return _page(request, visitor, link=link, invited=made)
    return _page(request, visitor, form)


@door("member.change")
@require_POST
def revoke(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Let an invitation open nothing any more."""
    return _change(
        request, visitor, services.revoke_invitation, _("Its link opens nothing any more."), invitation_id=pk
    )


@door("member.change")
@require_POST
def role(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Make a colleague admin, or member again."""
    if request.POST.get("admin") not in {"yes", "no"}:
        raise Http404
    admin = request.POST["admin"] == "yes"
    return _change(
        request,
        visitor,
        services.change_role,
        _("It counts from their next request on."),
        user_id=pk,
        admin=admin,
    )


@door("member.change")
@require_POST
def end(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Shut a colleague out."""
    return _change(
        request,
        visitor,
        services.end_membership,
        _(
            "They are out, from this moment on: sessions, keys and invitations of theirs open nothing. Secrets of"
            " webhooks belong to nobody: if they knew one, make a new one under Webhooks."
        ),
        user_id=pk,
    )


def _change(
    request: HttpRequest, visitor: Visitor, act: Callable[..., None], done: str, **what: object
) -> HttpResponse:
    try:
        act(provider_id=visitor.provider_id, by=visitor.actor, now=timezone.now(), **what)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("portal:colleagues")
