"""The provider's clock starts with evidence that the notice arrived, and with nothing else."""

from collections.abc import Sequence
from datetime import datetime

from audit.models import Event
from audit.record import Actor, record
from cases.models import Notice
from cases.services.ladder import begin
from cases.services.moving import moving
from cases.services.rules import rule_at


def start_clocks(notices: Sequence[Notice], *, at: datetime, estimated: bool) -> None:
    """t0 for locked notices that were sent, by the rule that counts at `at`; their ladder begins to wait."""
    if not notices:
        return
    rule = rule_at(at)
    for notice in notices:
        notice.notify(at=at, rule=rule, estimated=estimated)
        notice.next_check_at = at
    begin(notices, at=at, rule=rule)


def shown(*, notice_id: int, by: Actor, now: datetime) -> Notice:
    """The portal showed a notice to a logged-in contact: evidence that it arrived, if there was none yet.

    A clock that runs stays as it is; that they saw it is kept, in case its message comes back.
    """
    with moving(notice_id, "notify", by=by, now=now) as notice:
        if notice.state == Notice.State.RECEIVED and notice.sent_at is not None:
            start_clocks([notice], at=max(now, notice.sent_at), estimated=False)
        elif not was_shown(notice_id=notice_id):
            record("show", "notice", notice_id, by=by, at=now)
    return notice


def was_shown(*, notice_id: int) -> bool:
    """Whether a contact saw it in the portal, as far as that was kept."""
    return Event.objects.filter(subject="notice", subject_id=notice_id, act="show").exists()
