"""The law of the clock, pure: from when, how long, and what then.

Source: addendum to the Dutch Notice-and-Take-Down code (2018): a notice of the hotline is followed within
24 hours, on the wall clock. Instants are aware and in UTC, so a switch of daylight saving changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: A step that fires later than this after its due moment is flagged late.
LATE_AFTER: Final = timedelta(seconds=60)


def due_at(notified_at: datetime, term: timedelta) -> datetime:
    """When the term ends. Raises ValueError unless `notified_at` is aware and in UTC."""
    if notified_at.utcoffset() != timedelta(0):
        raise ValueError("Clocks run in UTC.")
    return (notified_at + term).astimezone(UTC)


@dataclass(frozen=True)
class Rung:
    """A step of the ladder.

    `terms`: how many terms after t0 it is due (5/6 of 24 h is 20 h; 2 is 48 h); `sooner` when the provider refuses,
    or let several end lately. `then`: the rungs that begin to wait once it is taken. `role` sees to it first;
    nobody needs to see any more to the rungs that it `relieves`.
    """

    code: str
    terms: float
    role: str
    channel: str
    then: tuple[str, ...] = ()
    sooner: float | None = None
    relieves: tuple[str, ...] = ()


#: For a term of 24 hours: hint at 20 h, reminder at 24 h and every 24 h, call at 48 h, dossier at 72 h; with a
#: provider that refuses or is late often, call at 24 h and dossier at 48 h.
LADDER: Final = {
    rung.code: rung
    for rung in (
        Rung("hint", 5 / 6, "notice_desk", "desk"),
        Rung("reminder-1", 1, "supervisor", "mail", then=("reminder-2", "call"), relieves=("hint",)),
        Rung("call", 2, "supervisor", "call", then=("dossier",), sooner=1),
        Rung("dossier", 3, "supervisor", "desk", sooner=2),
    )
}
REMINDER: Final = "reminder-"

#: Whose a step becomes when nobody of a role has said in time that they see to it; the last keeps it.
PASSES_TO: Final = {"notice_desk": "supervisor", "supervisor": "lead"}
#: Every role that a step can be asked of, in that order.
ROLES: Final = ("notice_desk", "supervisor", "lead")


def rung(code: str) -> Rung:
    """The rung called `code`; reminders go on for as long as they are needed. Raises KeyError."""
    if code not in LADDER and code.startswith(REMINDER):
        count = int(code.removeprefix(REMINDER))
        return Rung(code, count, "supervisor", "mail", then=(f"{REMINDER}{count + 1}",))
    return LADDER[code]


def step_due_at(code: str, notified_at: datetime, term: timedelta) -> datetime:
    """When the rung `code` is due for a clock that began at `notified_at`."""
    return due_at(notified_at, term * rung(code).terms)


def following(code: str) -> Iterator[Rung]:
    """The rungs that begin to wait once `code` is taken."""
    return (rung(name) for name in rung(code).then)


_HERE: Final = ZoneInfo("Europe/Amsterdam")


def wall_shift(start: datetime, end: datetime) -> timedelta:
    """By how much the clocks of Amsterdam are put forward between two instants; negative when they are put back."""
    before, after = start.astimezone(_HERE).utcoffset(), end.astimezone(_HERE).utcoffset()
    return (after or timedelta(0)) - (before or timedelta(0))


def working_days_after(at: datetime, days: int) -> datetime:
    """The same time of day in Amsterdam so many working days later; public holidays count as working days.

    What begins at a weekend begins on Monday morning at midnight.
    """
    local = at.astimezone(_HERE)
    while local.weekday() >= 5:
        local = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for _day in range(days):
        local += timedelta(days=1)
        while local.weekday() >= 5:
            local += timedelta(days=1)
    return local.astimezone(UTC)
