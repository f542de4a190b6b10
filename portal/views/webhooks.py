"""The provider's endpoints: how they fare, a test, a new secret, and each call that was made to them."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import rows
from accounts.models import User
from accounts.throttle import let_in
from audit.keyset import Order, page
from audit.refused import Refused
from cases.models import Delivery
from cases.services import webhooks as services
from cases.services.refused import NotFound
from portal.access import Visitor, door
from portal.forms.deliveries import DeliveryFilter
from portal.shown.deliveries import outcome
from providers.health import reasons
from providers.models import Contact, ContactSecret


@door("own_webhook.view")
@require_safe
def webhooks(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """All endpoints, and the log of calls, the latest first."""
    return _page(request, visitor)


@door("own_webhook.try", calls_out=True)
@require_POST
def test(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Send a test event, and say what came of it."""
    return _called(request, visitor, Contact, services.try_out, contact_id=pk)


@door("own_webhook.try", calls_out=True)
@require_POST
def replay(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Make a call once more."""
    return _called(request, visitor, Delivery, services.replay, delivery_id=pk)


@door("own_webhook.change")
@require_POST
def secret(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """A new secret: it stands in the answer to this very request and never again."""
    try:
        minted = services.mint(
            provider_id=visitor.provider_id, contact_id=pk, by=visitor.actor, now=timezone.now()
        )
    except NotFound:
        raise Http404 from None
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:webhooks")
    return _page(request, visitor, minted=(pk, minted))


def _called(
    request: HttpRequest,
    visitor: Visitor,
    named: type[Contact | Delivery],
    act: Callable[..., Delivery],
    **what: int,
) -> HttpResponse:
    """Raises Http404 for what is another provider's, or nobody's."""
    now = timezone.now()
    with rows.only_of(visitor.provider_id):
        if not named._default_manager.filter(pk__in=what.values()).exists():
            raise Http404
    try:
        let_in("call", now=now, also={"tenant": str(visitor.provider_id)})
        row = act(provider_id=visitor.provider_id, by=visitor.actor, now=now, **what)
    except NotFound:
        raise Http404 from None
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if row.accepted:
            messages.success(request, _("Your server accepted it: %(answer)s") % {"answer": row.answer})
        else:
            messages.warning(request, _("Your server did not accept it: %(answer)s") % {"answer": row.answer})
    return redirect("portal:webhooks")


def _page(request: HttpRequest, visitor: Visitor, minted: tuple[int, str] | None = None) -> HttpResponse:
    now = timezone.now()
    own = Contact.objects.filter(provider=visitor.provider_id, channel=Contact.Channel.WEBHOOK)
    endpoints = list(own.select_related("health").order_by("pk"))
    secrets: dict[int, list[ContactSecret]] = {}
    for each in ContactSecret.objects.signing(now=now).filter(contact__in=endpoints).defer("secret_sealed"):
        secrets.setdefault(each.contact_id, []).append(each)
    filters = DeliveryFilter(request.GET, endpoints=endpoints)
    listed = filters.applied(Delivery.objects.of(visitor.provider_id).select_related("dispatch", "contact"))
    found = page(
        listed.defer("dispatch__body_sealed"),
        order=Order("started_at", latest_first=True),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    names = {
        f"user:{person.pk}": str(person) for person in User.objects.filter(provider_id=visitor.provider_id)
    }
    context = {
        "endpoints": [
            {
                "contact": endpoint,
                "secrets": secrets.get(endpoint.pk, []),
                "health": health,
                "reasons": reasons(health, mode=endpoint.mode) if health else [],
                "minted": minted[1] if minted and minted[0] == endpoint.pk else "",
            }
            for endpoint in endpoints
            for health in [getattr(endpoint, "health", None)]
        ],
        "may_try": visitor.user.may("own_webhook.try"),
        "may_propose": visitor.user.may("own_contact.propose"),
        "may_change": visitor.user.may("own_webhook.change"),
        "filters": filters,
        "rows": [(row, outcome(row), names.get(row.by, "")) for row in found.rows],
        "kept_days": services.KEPT.days,
        **found.urls(filters.kept),
    }
    return render(request, "portal/webhooks.html", context)
