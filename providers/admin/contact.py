"""The page of a contact: how it is reached, what its messages look like, and what somebody may change of that."""

from typing import Any, Final

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.desk import POST, Desk, page, press
from audit.record import Actor
from providers import services
from providers.admin.forms import ContactChangeForm
from providers.models import Contact

_AT: Final = "<int:pk>/contacts/<int:contact_id>/"


def urls(desk: Desk) -> list[URLPattern]:
    """The page and its forms, under that of the provider."""
    return [
        desk.at(_AT, show, name="contact", cell="provider.view"),
        desk.at(f"{_AT}change/", change, name="contact_change", cell="contact.approve", methods=POST),
    ]


def show(
    request: HttpRequest, pk: int, contact_id: int, tried: tuple[str, BaseForm] | None = None
) -> HttpResponse:
    """All about one contact. `tried`: the form that came back with faults, by its name."""
    contact = _contact(pk, contact_id)
    forms: dict[str, Any] = {}
    if request.user.has_perm("contact.approve"):
        forms["change"] = ContactChangeForm(instance=contact)
    forms |= dict([tried]) if tried else {}
    context = {
        "title": contact.address,
        "contact": contact,
        "provider": contact.provider,
        "forms": forms,
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


def _contact(pk: int, contact_id: int) -> Contact:
    return get_object_or_404(Contact.objects.select_related("provider"), pk=contact_id, provider=pk)
