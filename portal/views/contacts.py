"""How the hotline reaches this provider, and what its admins propose to change of that."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.throttle import let_in
from audit.refused import Refused
from cases.services import proposals
from portal.access import Visitor, door
from portal.forms.proposals import ABOUT_NONE, FORMS
from portal.shown.contacts import troubles
from providers import services
from providers.models import Contact, Proposal

#: Decided proposals that the page goes on showing.
SHOWN: Final = 20


@door("own_contact.view")
@require_safe
def contacts(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """All contacts with how they fare, and what was proposed."""
    own = Contact.objects.filter(provider=visitor.provider_id, approved_at__isnull=False)
    keys = {key.contact_id: key for contact in own.prefetch_related("keys") for key in contact.keys.all()
            if key.approved_at and not key.retired_at}  # fmt: skip
    asked = Proposal.objects.filter(provider=visitor.provider_id).select_related("contact")
    names = {
        f"user:{person.pk}": str(person) for person in User.objects.filter(provider_id=visitor.provider_id)
    }
    context = {
        "provider": visitor.user.provider,
        "contacts": [
            {
                "contact": each,
                "key": keys.get(each.pk),
                "troubles": troubles(each, getattr(each, "health", None)),
            }
            for each in own.select_related("health").order_by("suspended_at", "pk")
        ],
        "open": [(each, names.get(each.proposed_by, "")) for each in asked.open()],
        "decided": [
            (each, names.get(each.proposed_by, ""))
            for each in asked.filter(decided_at__isnull=False).order_by("-decided_at", "-pk")[:SHOWN]
        ],
        "may_propose": visitor.user.may("own_contact.propose"),
    }
    return render(request, "portal/contacts.html", context)


@door("own_contact.propose")
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, visitor: Visitor, kind: str) -> HttpResponse:
    """One proposal: its form, and keeping it. `?contact=` says which contact it is about."""
    contact = None if kind in ABOUT_NONE else _contact(request, visitor)
    form = FORMS[kind](initial=_initial(visitor, contact))
    if request.method == "POST":
        form = FORMS[kind](request.POST, request.FILES)
    if form.is_valid():
        what = {name: value for name, value in form.cleaned_data.items() if value is not None}
        if _kept(visitor, kind, form, contact, what, request):
            return redirect("portal:contacts")
    status = 422 if form.errors else 200
    context = {"form": form, "kind": kind, "contact": contact, "title": Proposal.Kind(kind).label}
    return render(request, "portal/propose.html", context, status=status)


@door("own_contact.propose")
@require_POST
def code(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Have another code sent."""
    return _done(request, visitor, proposals.ask_code, _("A new code is on its way."), pk, throttled=True)


@door("own_contact.propose")
@require_POST
def prove(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """The code that came to the address."""
    typed = request.POST.get("code", "")[:40]
    done = _("Thank you. The hotline now looks at it.")
    return _done(request, visitor, services.prove, done, pk, code=typed)


@door("own_contact.propose")
@require_POST
def take_back(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """Not any more."""
    return _done(request, visitor, services.take_back, _("Taken back."), pk)


def _kept(
    visitor: Visitor,
    kind: str,
    form: forms.Form,
    contact: Contact | None,
    what: dict[str, Any],
    request: HttpRequest,
) -> bool:
    now = timezone.now()
    try:
        let_in("proposal", now=now, also={"tenant": str(visitor.provider_id)})
        kept = proposals.propose(
            provider_id=visitor.provider_id, kind=kind, contact=contact, by=visitor.actor, now=now, **what
        )
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    if kept.state == Proposal.State.UNPROVEN:
        messages.success(
            request, _("We sent a code to that address: type it here, and the hotline looks at it.")
        )
    else:
        messages.success(request, _("Proposed. Nothing changes before the hotline has looked at it."))
    return True


def _contact(request: HttpRequest, visitor: Visitor) -> Contact:
    """The own contact that is meant. Raises Http404."""
    text = request.GET.get("contact", "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Http404
    own = Contact.objects.filter(provider=visitor.provider_id, approved_at__isnull=False, pk=int(text))
    found = own.first()
    if found is None:
        raise Http404
    return found


def _initial(visitor: Visitor, contact: Contact | None) -> dict[str, str]:
    if contact is not None:
        return {"mode": contact.mode, "formats": contact.formats}
    return {"language": visitor.user.provider.language if visitor.user.provider else ""}


def _done(
    request: HttpRequest,
    visitor: Visitor,
    act: Callable[..., object],
    done: str,
    pk: int,
    *,
    throttled: bool = False,
    **what: str,
) -> HttpResponse:
    now = timezone.now()
    try:
        if throttled:
            let_in("proposal", now=now, also={"tenant": str(visitor.provider_id)})
        act(provider_id=visitor.provider_id, proposal_id=pk, by=visitor.actor, now=now, **what)
    except services.NoProposal:
        raise Http404 from None
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("portal:contacts")
