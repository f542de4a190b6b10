"""When material is gone, and when to look again; pure.

One look proves nothing: pages flap, hosts block us, caches lag. Removal is a run of looks, and silence is
never taken for removal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

GONE: Final = frozenset({"gone", "changed"})
ONLINE: Final = "online"


#: What we say to a claim of removal: nothing yet, one of three, what a person says instead, or that it is proven.
WAITING: Final = "waiting"
CONFIRMED: Final = "confirmed"
STILL_REACHABLE: Final = "still_reachable"
CANNOT_TELL: Final = "cannot_tell"
ACCEPTED: Final = "accepted"
PROVEN: Final = "proven"


class Look(Protocol):
    """A sighting, as far as this rule cares."""

    @property
    def seen_at(self) -> datetime: ...
    @property
    def outcome(self) -> str: ...


@dataclass(frozen=True)
class RemovalRule:
    """`run` looks, each `gap` or more after the last, over `span` or more."""

    run: int
    gap: timedelta
    span: timedelta


@dataclass(frozen=True)
class Schedule:
    """When to look. `stages`: up to which age of the notice, and how long to wait then, in order of age.

    `watch`: how long after the removal, in order. `before_due`: a look falls within so long before the term ends.
    """

    stages: Sequence[tuple[timedelta, timedelta]]
    watch: Sequence[timedelta]
    before_due: timedelta


def gone_since(sightings: Sequence[Look], rule: RemovalRule) -> datetime | None:
    """The first moment of the run of sightings that proves removal; None if nothing is proven.

    Unknown and blocked neither break nor feed a run. Online ends it.
    Raises ValueError unless the sightings are in order of seen_at.
    """
    first = last = None
    count, proven = 0, False
    previous: datetime | None = None
    for sighting in sightings:
        if previous is not None and sighting.seen_at < previous:
            raise ValueError("Sightings must be in order of seen_at.")
        previous = sighting.seen_at
        if sighting.outcome == ONLINE:
            first, last, count, proven = None, None, 0, False
        elif sighting.outcome in GONE:
            if last is None or first is None:
                first, last, count = sighting.seen_at, sighting.seen_at, 1
            elif sighting.seen_at - last >= rule.gap:
                last, count = sighting.seen_at, count + 1
            proven = proven or (count >= rule.run and last - first >= rule.span)
    return first if proven else None


def next_check_at(
    *,
    now: datetime,
    notified_at: datetime,
    due_at: datetime,
    removed_at: datetime | None,
    in_doubt: bool,
    rule: RemovalRule,
    schedule: Schedule,
) -> datetime | None:
    """When to look again after a look; None when nobody needs to.

    `in_doubt`: the last look said gone and the run is not complete yet: look again after the rule's gap.
    """
    if removed_at is not None:
        looks = (removed_at + after for after in schedule.watch)
        return next((moment for moment in looks if moment > now), None)
    if in_doubt:
        return now + max(rule.gap, rule.span / max(rule.run - 1, 1))
    age = now - notified_at
    pause = next((pause for until, pause in schedule.stages if age < until), None)
    if pause is None:
        return None
    # In the middle of the span, so that a checker that is a little late is in time.
    last_look = due_at - min(schedule.before_due / 2, (due_at - notified_at) / 8)
    return min(now + pause, last_look) if last_look > now else now + pause


def answer_to_claim(before: str, looks: Sequence[Look], *, proven: bool) -> str:
    """What we say to a claim after `looks`, all taken since; `before`, what we said until now, if they add nothing.

    The last look that could tell decides. It is a fact about that look: `proven` alone says that it is gone.
    What a person accepted as impossible to tell stays so while the looks see the same as then.
    """
    if proven:
        return PROVEN
    telling = [look for look in looks if look.outcome in GONE or look.outcome == ONLINE]
    if not telling:
        return CANNOT_TELL if looks and before == WAITING else before
    if telling[-1].outcome in GONE:
        return CONFIRMED
    return ACCEPTED if before == ACCEPTED else STILL_REACHABLE


def look_for_claim_at(
    answer: str, *, now: datetime, claimed_at: datetime, rule: RemovalRule, every: timedelta
) -> datetime | None:
    """When a claim wants the next look because looks cannot tell; None when it can do with the usual ones.

    After as long as it has waited already, at least the rule's gap and at most `every`.
    """
    if answer == CANNOT_TELL:
        return now + min(max(now - claimed_at, rule.gap), every)
    return None
