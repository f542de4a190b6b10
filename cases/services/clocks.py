"""The provider's clock starts with evidence that the notice arrived, and with nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from audit.models import Event
from audit.record import Actor, event, record, record_many
from cases.models import Dispatch, Notice
from cases.services.ladder import begin
from cases.services.moving import moving, moving_many
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


def fetched(*, notice_ids: Sequence[int], by: Actor, now: datetime) -> None:
    """A provider's key got these notices by the API: evidence that they arrived, for those that had none yet.

    As with `shown`, a clock that runs stays as it is, and that they have it is kept.
    """
    with moving_many(notice_ids, "notify", by=by, now=now) as notices:
        started: dict[datetime, list[Notice]] = defaultdict(list)
        for notice in notices:
            if notice.state == Notice.State.RECEIVED and notice.sent_at is not None:
                started[max(now, notice.sent_at)].append(notice)
        for at, some in started.items():
            start_clocks(some, at=at, estimated=False)
        running = [
            notice.pk for notice in notices if notice.notified_at is not None and notice.notified_at < now
        ]
        record_many(event("show", "notice", pk, by=by, at=now) for pk in not_shown(running))


def not_shown(notice_ids: Sequence[int]) -> set[int]:
    """Those of which nothing is kept that their provider saw them."""
    if not notice_ids:
        return set()
    seen = Event.objects.filter(subject="notice", subject_id__in=notice_ids, act="show")
    return set(notice_ids) - set(seen.values_list("subject_id", flat=True))


class Evidence(StrEnum):
    """How we know that a notice arrived."""

    SERVER = "server"  # their server said so
    RELAY = "relay"  # our own relay took it, and hands over to them
    ANSWER = "answer"  # they answered it
    PORTAL = "portal"  # the portal showed it to somebody of theirs


def evidence(
    notice: Notice, *, dispatches: Iterable[Dispatch], answered: Iterable[datetime]
) -> tuple[Evidence, Dispatch | None]:
    """What started the clock of `notice`, and the message that did, if one did.

    `dispatches`: those that it is on. `answered`: when its provider answered; looked at only
    when no message tells.
    """
    proof = next((each for each in dispatches if each.accepted_at == notice.notified_at), None)
    if proof is not None:
        return (Evidence.RELAY if notice.notified_estimated else Evidence.SERVER), proof
    was_answered = any(at == notice.notified_at for at in answered)
    return (Evidence.ANSWER if was_answered else Evidence.PORTAL), None


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
