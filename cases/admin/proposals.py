"""What providers propose to change of how they are reached: a contact manager says yes, or no and why."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.counting import Bounded
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from providers import services
from providers.models import Proposal

PER_PAGE: Final = 50


def urls(desk: Desk) -> list[URLPattern]:
    """The list, and its two buttons."""
    one = "contacts/proposals/<int:pk>"
    return [
        desk.at("contacts/proposals/", proposals, name="proposals", cell="contact.view"),
        desk.at(f"{one}/accept/", accept, name="proposal_accept", cell="contact.approve", methods=POST),
        desk.at(f"{one}/decline/", decline, name="proposal_decline", cell="contact.approve", methods=POST),
    ]


def proposals(request: HttpRequest) -> HttpResponse:
    """What waits, the longest first."""
    waiting = Proposal.objects.waiting().select_related("provider", "contact").defer("certificate")
    found = Bounded(waiting.order_by("proposed_at", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("Proposals of providers"),
        "page": found,
        "rows": list(found),
        "may_decide": request.user.has_perm("contact.approve"),
    }
    return page(request, "staff/proposals.html", context)


def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """It is done as proposed."""
    by, now = Actor.of(request.user), timezone.now()
    press(request, lambda: services.accept(proposal_id=pk, by=by, now=now), _("Done, as it was proposed."))
    return redirect("admin:proposals")


def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """It is not done; the provider reads why."""
    by, now, answer = Actor.of(request.user), timezone.now(), request.POST.get("answer", "")
    done = _("Declined: the provider reads why.")
    press(request, lambda: services.decline(proposal_id=pk, answer=answer, by=by, now=now), done)
    return redirect("admin:proposals")
