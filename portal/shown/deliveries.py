"""What became of a call to an endpoint, in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cases.models import Delivery, Dispatch


@dataclass(frozen=True)
class Outcome:
    """`tone` and `icon` of the badge; `next_at`: when it is tried again by itself; `may_replay` it by hand."""

    text: str
    tone: str
    icon: str
    next_at: datetime | None = None
    may_replay: bool = False


def outcome(row: Delivery) -> Outcome:
    """What its own row says, and what comes next by the message that it carried."""
    dispatch = row.dispatch
    replays = dispatch is not None and dispatch.state == Dispatch.State.ACCEPTED
    if row.accepted:
        return Outcome(_("accepted"), "good", "check", may_replay=replays)
    if row.accepted is None:
        return Outcome(_("not known: it may have arrived"), "warn", "question", may_replay=replays)
    is_latest = dispatch is not None and row.number == dispatch.attempt
    if is_latest and dispatch is not None and dispatch.state == Dispatch.State.PENDING:
        return Outcome(_("not accepted: tried again"), "warn", "clock", next_at=dispatch.next_attempt_at)
    if is_latest and dispatch is not None and dispatch.state == Dispatch.State.PARKED:
        return Outcome(_("not accepted: the hotline sees to it"), "bad", "warning")
    return Outcome(_("not accepted"), "warn", "cross", may_replay=replays)
