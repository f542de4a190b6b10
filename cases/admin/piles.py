"""The cases that a message of the outbox can be in, why it is there, and what can be done about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Dispatch

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
