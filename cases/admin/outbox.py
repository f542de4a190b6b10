"""The notice desk: messages that wait, need a yes, or are stuck, each with its reason in plain words."""

from typing import Final

from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.counting import Bounded, Counter
from audit.desk import Desk, page
from cases.admin.piles import PILES, Pile, State, buttons, next_step, waits_because
from cases.models import Dispatch

PER_PAGE: Final = 50


def urls(desk: Desk) -> list[URLPattern]:
    """The desk; its buttons stand with the message (cases/admin/dispatch.py)."""
    return [desk.at("outbox/", outbox, name="outbox", cell="dispatch.view")]


def listed(pile: Pile) -> QuerySet[Dispatch]:
    """The messages of a pile, the longest waiting first; those that are done, newest first."""
    rows = Dispatch.objects.filter(pile.which).select_related("contact__provider")
    rows = rows.annotate(lines_on=Count("lines", filter=Q(lines__dropped_because="")))
    if pile.code == "accepted":
        return rows.order_by("-accepted_at", "-pk")
    return rows.order_by("created_at", "pk")


def counters(*, approving: bool) -> list[Counter]:
    """Messages that wait for a person, for the start page; approvals only for who may give them."""
    made = []
    for pile in PILES:
        if pile.counted and (approving or pile.code != "approval"):
            found = Dispatch.objects.filter(pile.which).aggregate(count=Count("pk"), oldest=Min("created_at"))
            href = f"{reverse('admin:outbox')}?show={pile.code}"
            made.append(Counter(pile.counted, found["count"], found["oldest"], href, pile.tone))
    return made


def outbox(request: HttpRequest) -> HttpResponse:
    """The messages of one pile; first what needs somebody, if there is any."""
    now = timezone.now()
    counts = Dispatch.objects.exclude(state__in=[State.ACCEPTED, State.CANCELLED]).aggregate(
        **{pile.code: Count("pk", filter=pile.which) for pile in PILES if pile.code != "accepted"}
    )
    first = next((pile for pile in PILES if counts.get(pile.code)), PILES[3])
    pile = next((pile for pile in PILES if pile.code == request.GET.get("show")), first)
    found = Bounded(listed(pile), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("Outbox"),
        "page": found,
        "pile": pile,
        "rows": [
            {
                "dispatch": row,
                "because": waits_because(row, now=now),
                "next_step": next_step(row),
                **buttons(request, row),
            }
            for row in found
        ],
        "tabs": [
            {
                "name": each.name,
                "href": f"?show={each.code}",
                "current": each is pile,
                "count": counts.get(each.code),
            }
            for each in PILES
        ],
    }
    return page(request, "staff/outbox.html", context)
