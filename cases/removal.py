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

#: After removal: looks that thin out, in days since the removal.
WATCH_DAYS: Final = (1, 3, 7, 30)


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
    every: timedelta,
) -> datetime | None:
    """When to look again; None when nobody needs to.

    `in_doubt`: the last look said gone and the run is not complete yet: look again after the rule's gap.
    Otherwise every `every` (1 h) for 72 h, four times that to day 14, 24 times to day 90, and once in the last
    half hour before the due moment; after removal at WATCH_DAYS.
    """
    if removed_at is not None:
        looks = (removed_at + timedelta(days=days) for days in WATCH_DAYS)
        return next((moment for moment in looks if moment > now), None)
    if in_doubt:
        return now + max(rule.gap, rule.span / max(rule.run - 1, 1))
    age = now - notified_at
    if age < timedelta(hours=72):
        pause = every
    elif age < timedelta(days=14):
        pause = every * 4
    elif age < timedelta(days=90):
        pause = every * 24
    else:
        return None
    last_look = due_at - min(timedelta(minutes=15), (due_at - notified_at) / 8)
    return min(now + pause, last_look) if last_look > now else now + pause
