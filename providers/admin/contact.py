"""The page of a contact: how it is reached, what its messages look like, and what somebody may change of that."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.desk import POST, Desk, page, press
from audit.record import Actor
from providers import services
from providers.admin.forms import ContactChangeForm, ReplaceForm
from providers.forms import CertificateForm
from providers.models import Contact

_AT: Final = "<int:pk>/contacts/<int:contact_id>/"
_KEY: Final = f"{_AT}keys/<int:key_id>/"

_SECRET: Final = f"{_AT}secret/"


def urls(desk: Desk) -> list[URLPattern]:
    """The page and its forms, under that of the provider."""
    return [
        desk.at(_AT, show, name="contact", cell="provider.view"),
        desk.at(f"{_AT}change/", change, name="contact_change", cell="contact.approve", methods=POST),
        desk.at(
            f"{_SECRET}mint/", secret_mint, name="contact_secret_mint", cell="contact.approve", methods=POST
        ),
        desk.at(
            f"{_SECRET}try/", secret_try, name="contact_webhook_try", cell="contact.approve", methods=POST
        ),
        desk.at(f"{_AT}keys/add/", key_add, name="contact_key_add", cell="provider.change", methods=POST),
        desk.at(
            f"{_KEY}approve/", key_approve, name="contact_key_approve", cell="contact.approve", methods=POST
        ),
        desk.at(
            f"{_KEY}retire/", key_retire, name="contact_key_retire", cell="contact.approve", methods=POST
        ),
        desk.at(f"{_AT}replace/", replace, name="contact_replace", cell="contact.add", methods=POST),
    ]


def show(
    request: HttpRequest,
    pk: int,
    contact_id: int,
    tried: tuple[str, BaseForm] | None = None,
    minted: str | None = None,
) -> HttpResponse:
    """All about one contact. `tried`: the form that came back with faults; `minted`: a secret, shown this once."""
    contact, now = _contact(pk, contact_id), timezone.now()
    forms: dict[str, Any] = {}
    if request.user.has_perm("contact.approve"):
        forms["change"] = ContactChangeForm(instance=contact)
    if request.user.has_perm("provider.change"):
        forms["key"] = CertificateForm()
    if request.user.has_perm("contact.add"):
        forms["replace"] = ReplaceForm()
    forms |= dict([tried]) if tried else {}
    context = {
        "title": contact.address,
        "contact": contact,
        "provider": contact.provider,
        "forms": forms,
        "keys": [(key, key.has_expired(now=now)) for key in contact.keys.filter(retired_at__isnull=True)],
        "is_mail": contact.channel == Contact.Channel.SMTP,
        "is_webhook": contact.channel == Contact.Channel.WEBHOOK,
        "secrets": contact.secrets.signing(now=now) if contact.channel == Contact.Channel.WEBHOOK else [],
        "minted": minted,
        "may_approve": request.user.has_perm("contact.approve"),
    }
    return page(request, "staff/contact.html", context, status=422 if tried else 200)


def change(request: HttpRequest, pk: int, contact_id: int) -> HttpResponse:
    """Give addresses in another way, or attach other files."""
    contact = _contact(pk, contact_id)
    form = ContactChangeForm(request.POST, instance=contact)
    if not form.is_valid():
        return show(request, pk, contact_id, tried=("change", form))
    press(
        request,
        lambda: services.change_contact(
            contact_id=contact_id, **form.cleaned_data, by=Actor.of(request.user), now=timezone.now()
        ),
        _("Saved: the next message is made like that."),
    )
    return redirect("admin:contact", pk, contact_id)


def key_add(request: HttpRequest, pk: int, contact_id: int) -> HttpResponse:
    """Propose a key: nothing is encrypted with it before somebody has compared it."""
    _contact(pk, contact_id)
    form = CertificateForm(request.POST, request.FILES)
    if not form.is_valid():
        return show(request, pk, contact_id, tried=("key", form))
    press(
        request,
        lambda: services.add_key(
            contact_id=contact_id,
            text=form.cleaned_data["certificate"],
            by=Actor.of(request.user),
            now=timezone.now(),
        ),
        _("Kept. Compare its fingerprint with its owner, by telephone or from their site, and approve it."),
    )
    return redirect("admin:contact", pk, contact_id)


def key_approve(request: HttpRequest, pk: int, contact_id: int, key_id: int) -> HttpResponse:
    """Somebody has compared the fingerprint."""
    done = _("From now on mail to this contact is encrypted.")
    return _with_key(request, pk, contact_id, key_id, services.approve_key, done)


def key_retire(request: HttpRequest, pk: int, contact_id: int, key_id: int) -> HttpResponse:
    """Put a key away."""
    return _with_key(request, pk, contact_id, key_id, services.retire_key, _("The key is put away."))


def secret_mint(request: HttpRequest, pk: int, contact_id: int) -> HttpResponse:
    """A new secret, in the answer to this very request and never again."""
    _contact(pk, contact_id)
    minted = press(
        request,
        lambda: services.mint_secret(contact_id=contact_id, by=Actor.of(request.user), now=timezone.now()),
        "",
    )
    if minted is None:
        return redirect("admin:contact", pk, contact_id)
    return show(request, pk, contact_id, minted=minted)


def secret_try(request: HttpRequest, pk: int, contact_id: int) -> HttpResponse:
    """Send a test event and say what came of it."""
    _contact(pk, contact_id)
    answer = press(
        request,
        lambda: services.try_webhook(contact_id=contact_id, by=Actor.of(request.user), now=timezone.now()),
        "",
    )
    if answer is not None:
        messages.success(request, _("Their server accepted the test: %(answer)s") % {"answer": answer})
    return redirect("admin:contact", pk, contact_id)


def _with_key(
    request: HttpRequest, pk: int, contact_id: int, key_id: int, call: Callable[..., object], done: str
) -> HttpResponse:
    _contact(pk, contact_id)
    press(
        request,
        lambda: call(contact_id=contact_id, key_id=key_id, by=Actor.of(request.user), now=timezone.now()),
        done,
    )
    return redirect("admin:contact", pk, contact_id)


def replace(request: HttpRequest, pk: int, contact_id: int) -> HttpResponse:
    """Propose another address in its place."""
    _contact(pk, contact_id)
    form = ReplaceForm(request.POST)
    if not form.is_valid():
        return show(request, pk, contact_id, tried=("replace", form))
    proposed = press(
        request,
        lambda: services.replace_contact(
            contact_id=contact_id, **form.cleaned_data, by=Actor.of(request.user), now=timezone.now()
        ),
        _("Proposed: it takes the place of the old one once somebody else has approved it."),
    )
    return redirect("admin:contact", pk, proposed.pk if proposed else contact_id)


def _contact(pk: int, contact_id: int) -> Contact:
    return get_object_or_404(
        Contact.objects.select_related("provider", "replaces"), pk=contact_id, provider=pk
    )
