"""Keys for the provider's machines: made, replaced, taken over and revoked by its admins."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import ApiKey
from audit.refused import Refused
from cases.services.system_mail import WARN_DAYS
from portal.access import Visitor, door
from portal.forms.key import KeyForm
from providers.models import ContactSecret


@door("own_key.view")
@require_safe
def keys(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The keys that open something, and the secrets that stay when somebody leaves."""
    return _page(request, visitor)


def _page(
    request: HttpRequest,
    visitor: Visitor,
    form: KeyForm | None = None,
    made: tuple[ApiKey, str] | None = None,
) -> HttpResponse:
    now = timezone.now()
    own = (
        ApiKey.objects.usable(now=now)
        .filter(provider=visitor.provider_id)
        .select_related("owner", "replaces")
        .order_by("name", "-created_at", "-pk")
    )
    found = list(own)
    replaced = {key.replaces_id for key in found}
    secrets = (
        ContactSecret.objects.signing(now=now)
        .filter(contact__provider=visitor.provider_id)
        .select_related("contact")
        .defer("secret_sealed")
    )
    said = dict(KeyForm.SCOPES)
    context = {
        "keys": [
            {
                "key": key,
                "may": [said.get(scope, scope) for scope in key.scopes],
                "is_replaced": key.pk in replaced,
                "is_mine": key.owner_id == visitor.user.pk,
                "left": _left(key, now=now),
            }
            for key in found
        ],
        # The rest of an endpoint's address may be a secret itself.
        "secrets": [(urlsplit(each.contact.address).hostname, each) for each in secrets],
        "may_change": visitor.user.may("own_key.change"),
        "may_revoke": visitor.user.may("own_key.revoke"),
        "form": form or KeyForm(),
        "made": made[0] if made else None,
        "secret": made[1] if made else "",
    }
    return render(request, "portal/keys.html", context, status=422 if form and form.errors else 200)


def _left(key: ApiKey, *, now: datetime) -> timedelta | None:
    """How long it still opens, when that is not long any more."""
    left = key.expires_at - now if key.expires_at else None
    return left if left is not None and left <= timedelta(days=max(WARN_DAYS)) else None


@door("own_key.change")
@require_POST
def new(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Make a key; its secret stands in the answer to this very request and never again."""
    form = KeyForm(request.POST)
    if form.is_valid():
        try:
            made = services.make_key(
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                valid=form.valid,
                provider_id=visitor.provider_id,
                by=visitor.actor,
                now=timezone.now(),
            )
        except (Refused, ValidationError) as refusal:
            form.add_error(None, str(refusal) if isinstance(refusal, Refused) else refusal)
        else:
            return _page(request, visitor, made=made)
    return _page(request, visitor, form)


@door("own_key.change")
@require_POST
def replace(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """A key in the place of another; its secret stands in the answer to this very request."""
    try:
        made = services.replace_key(
            key_id=pk, provider_id=visitor.provider_id, by=visitor.actor, now=timezone.now()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:keys")
    return _page(request, visitor, made=made)


@door("own_key.change")
@require_POST
def take_over(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Make a colleague's key one's own."""
    return _change(
        request,
        visitor,
        pk,
        services.take_over_key,
        _("It is yours now, and ends soon, for its maker may know it: put another in its place."),
    )


@door("own_key.revoke")
@require_POST
def revoke(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """End a key."""
    return _change(request, visitor, pk, services.revoke_key, _("Revoked: its next call is refused."))


def _change(
    request: HttpRequest, visitor: Visitor, pk: int, act: Callable[..., ApiKey], done: str
) -> HttpResponse:
    try:
        act(key_id=pk, provider_id=visitor.provider_id, by=visitor.actor, now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("portal:keys")
