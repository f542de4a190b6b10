"""What can be done with a notice: one entry per button, each over one service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.admin import forms
from cases.models import Notice
from cases.services import assess, observe, outgoing
from cases.services.withdraw import withdraw

State = Notice.State


@dataclass(frozen=True)
class Button:
    """`call` is the service; `offered` says whether it makes sense now (the service decides for itself)."""

    verb: str
    cell: str
    label: str | Promise
    about: str | Promise
    done: str | Promise
    form: type[forms.PressForm]
    call: Callable[..., Notice]
    offered: Callable[[Notice], bool]
    kind: str = ""
    icon: str = ""


def _unsent(notice: Notice) -> bool:
    return notice.state == State.RECEIVED and notice.sent_at is None


def _movable(notice: Notice) -> bool:
    return _unsent(notice) and notice.routed_at is None


BUTTONS: Final = (
    Button(
        "assess",
        "notice.assess",
        _("Judge"),
        _("Illegal material goes to the provider; the rest is dismissed with your reason."),
        _("Your judgement is recorded."),
        forms.AssessForm,
        assess.assess,
        lambda notice: _unsent(notice) and notice.assessed_at is None,
        kind="primary",
        icon="check",
    ),
    Button(
        "hold",
        "notice.hold",
        _("Hold"),
        _("It stays back until the hold ends, or until somebody ends it."),
        _("It is on hold."),
        forms.HoldForm,
        assess.hold,
        _movable,
        icon="pause",
    ),
    Button(
        "prolong",
        "notice.hold",
        _("Prolong the hold"),
        _("It stays back longer, for the same reason."),
        _("The hold is prolonged."),
        forms.ProlongForm,
        assess.prolong,
        lambda notice: _movable(notice) and bool(notice.hold) and notice.hold_until is not None,
        icon="pause",
    ),
    Button(
        "release",
        "notice.hold",
        _("End the hold"),
        _("It goes on where it was. After a contact review, who hosts it is looked up anew."),
        _("The hold is ended."),
        forms.PressForm,
        assess.release,
        lambda notice: notice.state == State.RECEIVED and bool(notice.hold),
        kind="primary",
        icon="check",
    ),
    Button(
        "dismiss",
        "notice.assess",
        _("Dismiss"),
        _("It is closed and nothing is sent."),
        _("It is dismissed."),
        forms.DismissForm,
        assess.dismiss,
        _movable,
        kind="danger",
        icon="minus",
    ),
    Button(
        "take_back",
        "notice.assess",
        _("Take back"),
        _("Nothing of it has gone out yet: it returns to the work desk to be judged again."),
        _("It is back on the work desk."),
        forms.PressForm,
        outgoing.take_back,
        lambda notice: _unsent(notice) and notice.assessed_at is not None,
        icon="return",
    ),
    Button(
        "look",
        "sighting.add",
        _("Enter what you saw"),
        _("A person's look counts as a checker's does. Nothing here opens the address for you."),
        _("Your look is recorded."),
        forms.LookForm,
        observe.look_by_hand,
        lambda notice: notice.notified_at is not None and notice.state != State.WITHDRAWN,
        icon="eye",
    ),
    Button(
        "withdraw",
        "notice.withdraw",
        _("Withdraw"),
        _("The notice was sent and is taken back; its clock stops and it counts in our accuracy."),
        _("It is withdrawn."),
        forms.WithdrawForm,
        withdraw,
        lambda notice: (
            notice.sent_at is not None and notice.state in {State.RECEIVED, State.NOTIFIED, State.ESCALATED}
        ),
        kind="danger",
        icon="return",
    ),
)
