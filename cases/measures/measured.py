"""What is known of the notices of one provider in one quarter, and the figures that follow from it."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final, NamedTuple

from cases.measures.definitions import FEW, WITHIN
from cases.measures.quarter import Quarter
from cases.measures.share import Interval, wilson
from cases.measures.survival import Curve, curve

#: Durations are counted in minutes, rounded up: what was gone within 24 hours to the microsecond stays so.
MINUTES_WITHIN: Final = int(WITHIN.total_seconds() // 60)


class Counted(NamedTuple):
    """So many notices of which the same is known.

    `left_out`: why they are no units of the figures; "" when they are. `is_gone`: so many `minutes` after t0 they were
    gone; else they were last seen then. `is_ripe`: 24 hours have passed since t0. `there`: how long all of them were
    there. `open`, `overdue`: how many of them are.
    """

    left_out: str
    is_gone: bool
    is_ripe: bool
    minutes: int
    number: int
    there: timedelta
    open: int
    overdue: int


@dataclass
class Measured:
    """The figures of one provider in one quarter; `definitions.py` says what each means."""

    quarter: Quarter
    notices: int = 0
    ripe: int = 0
    within: int = 0
    open: int = 0
    overdue: int = 0
    exposure: timedelta = timedelta(0)
    back: int = 0
    # Why not counted -> how many.
    left_out: dict[str, int] = field(default_factory=dict)
    # (minutes after t0, whether it was gone then or last seen then, how many)
    counts: list[tuple[float, bool, int]] = field(default_factory=list)

    @property
    def has_any(self) -> bool:
        """Whether there is something to say of it."""
        return bool(self.notices or self.left_out)

    @property
    def is_few(self) -> bool:
        """Too few for a percentage or a median."""
        return self.notices < FEW

    @property
    def share(self) -> Interval | None:
        """Gone within 24 hours, of those whose 24 hours have passed; None of too few."""
        return wilson(self.within, self.ripe) if self.ripe >= FEW else None

    @cached_property
    def _curve(self) -> Curve:
        return curve(self.counts)

    @property
    def km24(self) -> float | None:
        """1 - S(24 h); None of too few."""
        return None if self.is_few else 1 - self._curve.at(MINUTES_WITHIN)

    @property
    def km24_interval(self) -> Interval | None:
        """With its interval; None of too few, and where all or none is gone: there it has none."""
        return None if self.is_few else self._curve.gone_within(MINUTES_WITHIN)

    @property
    def median(self) -> timedelta | None:
        """By when half was gone; None of too few, and when that is not reached."""
        minutes = None if self.is_few else self._curve.when_gone(0.5)
        return None if minutes is None else timedelta(minutes=minutes)

    def add(self, row: Counted) -> None:
        """Some more notices of this quarter."""
        if row.left_out:
            self.left_out[row.left_out] = self.left_out.get(row.left_out, 0) + row.number
            return
        self.notices += row.number
        self.counts.append((row.minutes, row.is_gone, row.number))
        self.exposure += row.there
        self.open += row.open
        self.overdue += row.overdue
        if row.is_ripe:
            self.ripe += row.number
            self.within += row.number if row.is_gone and row.minutes <= MINUTES_WITHIN else 0
