"""The notice desk: messages that wait, need a yes, or are stuck, each with its reason in plain words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import Bounded, Counter, Desk, page
from cases.models import Dispatch

PER_PAGE: Final = 50
_NEEDS_YES: Final = Q(approved_by="") & ~Q(approval_reason="")
State = Dispatch.State


@dataclass(frozen=True)
class Pile:
    """Messages that are in the same case.

    `counted` names them on the start page, in `tone`; piles without it are as they should be.
    """

    code: str
    name: str | Promise
    which: Q
    counted: str | Promise = ""
    tone: str = ""


PILES: Final = (
    Pile("approval", gettext_lazy("To approve"), Q(state=State.PENDING) & _NEEDS_YES,
         gettext_lazy("messages to approve"), "warn"),
    Pile("parked", gettext_lazy("Set aside"), Q(state=State.PARKED),
         gettext_lazy("messages set aside"), "bad"),
    Pile("failing", gettext_lazy("Failing"), Q(state=State.PENDING, failures__gt=0) & ~_NEEDS_YES,
         gettext_lazy("messages failing"), "warn"),
    Pile("waiting", gettext_lazy("Waiting"), Q(state=State.PENDING, failures=0) & ~_NEEDS_YES),
    Pile("relayed", gettext_lazy("With our relay"), Q(state=State.RELAYED)),
    Pile("accepted", gettext_lazy("Accepted"), Q(state=State.ACCEPTED)),
)  # fmt: skip

#: What a person can do about a message that is set aside.
NEXT_STEP: Final = {
    Dispatch.Trouble.REFUSED: gettext_lazy(
        "Look whether the address is right; add or approve another contact, or cancel: the notices then "
        "return to the work desk."
    ),
    Dispatch.Trouble.NO_LUCK: gettext_lazy("Try again; if it fails again, call them or use another contact."),
    Dispatch.Trouble.CONTACT: gettext_lazy(
        "Approve the contact or end its suspension, then try again; or cancel."
    ),
    Dispatch.Trouble.CHANNEL: gettext_lazy(
        "Give the provider a contact that we can reach, then cancel this message."
    ),
}
_ELSE: Final = gettext_lazy("Tell who runs this system; its log names this message.")


def urls(desk: Desk) -> list[URLPattern]:
    """The desk; its buttons stand with the message (cases/admin/dispatch.py)."""
    return [desk.at("outbox/", outbox, name="outbox", cell="dispatch.view")]


def waits_because(dispatch: Dispatch, *, now: datetime) -> str:
    """Why a message is where it is, in plain words."""
    match dispatch.state:
        case State.PENDING if dispatch.approval_reason and not dispatch.approved_by:
            return _("%(reason)s A supervisor looks before it goes.") % {
                "reason": dispatch.get_approval_reason_display()
            }
        case State.PENDING if dispatch.failures:
            return dispatch.get_trouble_display()
        case State.PENDING if dispatch.next_attempt_at and dispatch.next_attempt_at > now:
            return _("Others for the same contact may join it until then; until then it can be cancelled.")
        case State.PENDING:
            return _("It goes out with the next round.")
        case State.PARKED:
            return dispatch.get_trouble_display()
        case State.RELAYED:
            return _("Our relay took it. The clock starts when we know that it arrived.")
    return ""


def next_step(dispatch: Dispatch) -> str:
    """What somebody can do now about a message that is set aside; "" for others."""
    if dispatch.state != State.PARKED:
        return ""
    trouble = Dispatch.Trouble(dispatch.trouble) if dispatch.trouble else None
    return str(NEXT_STEP.get(trouble, _ELSE)) if trouble else str(_ELSE)


def buttons(request: HttpRequest, dispatch: Dispatch) -> dict[str, bool]:
    """Which buttons of a message make sense now for this person; the services decide for themselves."""
    waits, may = dispatch.state == State.PENDING, request.user.has_perm
    unapproved = waits and bool(dispatch.approval_reason) and not dispatch.approved_by
    parked = dispatch.state == State.PARKED
    return {
        "can_approve": unapproved and may("dispatch.approve"),
        "can_cancel": (parked or (waits and not dispatch.attempt)) and may("dispatch.cancel"),
        "can_retry": parked and may("dispatch.retry"),
    }


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
