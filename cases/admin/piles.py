"""The cases that a message of the outbox can be in, why it is there, and what can be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.keyset import Order
from cases.models import Attempt, Dispatch
from cases.services.sending.held_up import HeldUp

#: A message that could have left so long ago is late (P).
LATE_AFTER: Final = timedelta(minutes=15)
#: What our relay took and nobody has proven to have arrived is looked at after so long (P).
PROOF_WITHIN: Final = timedelta(hours=4)

State = Dispatch.State
_PENDING: Final = Q(state=State.PENDING)
_OLDEST_FIRST: Final = Order("created_at")
_NEEDS_YES: Final = Q(approved_by="") & ~Q(approval_reason="")


@dataclass(frozen=True)
class Pile:
    """Messages that are in the same case at an instant.

    `counted` names them on the start page, in `tone`; piles without it are as they should be. `asked` is a pile that
    only its counter opens: its messages stand in another one as well. `closed` ones only grow: nobody counts them.
    """

    code: str
    name: str | Promise
    which: Callable[[datetime], Q]
    counted: str | Promise = ""
    tone: str = ""
    order: Order = _OLDEST_FIRST
    asked: bool = False
    closed: bool = False


def _late(now: datetime) -> Q:
    """Needs nobody's yes, and could have left a while ago: each failure puts the next attempt off."""
    before = now - LATE_AFTER
    return (
        _PENDING & ~_NEEDS_YES & (Q(next_attempt_at__lte=before) | Q(failures__gt=0, created_at__lte=before))
    )


def _unproven(now: datetime) -> Q:
    """With our relay for a while, and nothing says that it arrived."""
    before = now - PROOF_WITHIN
    lately = Attempt.objects.filter(dispatch=OuterRef("pk"), accepted=True, ended_at__gt=before)
    return Q(state=State.RELAYED, created_at__lte=before) & ~Q(Exists(lately))


PILES: Final = (
    Pile("approval", gettext_lazy("To approve"), lambda now: _PENDING & _NEEDS_YES,
         gettext_lazy("messages to approve"), "warn"),
    Pile("parked", gettext_lazy("Set aside"), lambda now: Q(state=State.PARKED),
         gettext_lazy("messages set aside"), "bad"),
    Pile("late", gettext_lazy("Late"), _late,
         gettext_lazy("messages that should have left"), "bad", asked=True),
    Pile("failing", gettext_lazy("Failing"), lambda now: _PENDING & Q(failures__gt=0) & ~_NEEDS_YES,
         gettext_lazy("messages failing"), "warn"),
    Pile("waiting", gettext_lazy("Waiting"), lambda now: _PENDING & Q(failures=0) & ~_NEEDS_YES),
    Pile("relayed", gettext_lazy("With our relay"), lambda now: Q(state=State.RELAYED)),
    Pile("unproven", gettext_lazy("Without proof"), _unproven,
         gettext_lazy("messages without proof of arrival"), "warn", asked=True),
    Pile("bounced", gettext_lazy("Came back"), lambda now: Q(state=State.BOUNCED),
         order=Order("bounced_at", latest_first=True), closed=True),
    Pile("accepted", gettext_lazy("Accepted"), lambda now: Q(state=State.ACCEPTED),
         order=Order("accepted_at", latest_first=True), closed=True),
)  # fmt: skip
BY_CODE: Final = {pile.code: pile for pile in PILES}

#: What a person can do about a message that is set aside.
NEXT_STEP: Final = {
    Dispatch.Trouble.REFUSED: gettext_lazy(
        "Look whether the address is right. If it is not, suspend the contact and give the provider another one, then "
        "try again."
    ),
    Dispatch.Trouble.NO_LUCK: gettext_lazy("Try again; if it fails again, call them or use another contact."),
    Dispatch.Trouble.CONTACT: gettext_lazy(
        "Approve the contact or end its suspension, then try again; or cancel."
    ),
    Dispatch.Trouble.KEY: gettext_lazy(
        "Bring and approve a newer key, or mint a secret, on the page of the contact; then try again."
    ),
    Dispatch.Trouble.RESTORED: gettext_lazy(
        "Ask them whether they have it already; if not, try again: it goes under the same Message-ID."
    ),
    Dispatch.Trouble.CHANNEL: gettext_lazy(
        "Give the provider a contact that we can reach, then cancel this message."
    ),
}
_ELSE: Final = gettext_lazy("Tell who runs this system; its log names this message.")


@dataclass(frozen=True)
class Reason:
    """Why a message is where it is, in plain words; `until` is when that ends by itself, `since` when it began."""

    because: str = ""
    until: datetime | None = None
    since: datetime | None = None
    next_step: str = ""


def reason(
    dispatch: Dispatch,
    *,
    now: datetime,
    handed_over_at: datetime | None = None,
    held: HeldUp | None = None,
) -> Reason:
    """Why it waits, for whom or what, and until when.

    `handed_over_at`: when our relay took it, if it did. `held`: what holds up all messages for its contact.
    """
    match dispatch.state:
        case State.PENDING:
            return _pending(dispatch, held, now)
        case State.PARKED:
            return Reason(dispatch.get_trouble_display(), next_step=next_step(dispatch))
        case State.BOUNCED:
            # What is to do about it is one thing for all that came back from there: see to the contact.
            suspended = dispatch.contact.suspended_at is not None
            step = _("See to its contact: it is suspended.") if suspended else ""
            return Reason(dispatch.get_trouble_display(), since=dispatch.bounced_at, next_step=step)
        case State.RELAYED:
            because = _("Our relay took it; nothing says yet that it arrived. The clock starts when we know.")
            return Reason(because, since=handed_over_at)
    return Reason()


def _pending(dispatch: Dispatch, held: HeldUp | None, now: datetime) -> Reason:
    at = dispatch.next_attempt_at
    ahead = at if at is not None and at > now else None
    if dispatch.approval_reason and not dispatch.approved_by:
        said = {"reason": dispatch.get_approval_reason_display()}
        return Reason(_("%(reason)s Somebody looks at it before it goes.") % said)
    if not dispatch.contact.usable:
        trouble = Dispatch.Trouble.CONTACT
        return Reason(str(trouble.label), ahead, next_step=str(NEXT_STEP[trouble]))
    if dispatch.leased_until is not None and dispatch.leased_until > now:
        return Reason(_("It is being handed over just now."))
    if dispatch.failures:
        return Reason(dispatch.get_trouble_display(), ahead)
    if ahead is not None:
        return Reason(
            _("Others for the same contact may join it until then; until then it can be cancelled."), ahead
        )
    if held is not None and (held.also_urgent or not dispatch.urgent):
        return Reason(held.because, held.until)
    return Reason(_("It goes out with the next round."))


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
