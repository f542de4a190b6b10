"""A part of a whole, with what chance alone leaves open."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

#: The 97.5th percentile of the normal distribution: intervals hold 95 %.
Z: Final = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """A value from 0 to 1, between the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(part: int, whole: int) -> Interval:
    """`part` of `whole` with the score interval (Wilson 1927), which stays sound near 0 and 1 and for few.

    Raises ValueError unless 0 <= part <= whole and whole > 0.
    """
    if not 0 <= part <= whole or whole == 0:
        raise ValueError("A part is of a whole, and not more than it.")
    share, squared = part / whole, Z * Z
    middle = (share + squared / (2 * whole)) / (1 + squared / whole)
    half = Z / (1 + squared / whole) * sqrt(share * (1 - share) / whole + squared / (4 * whole * whole))
    # At the ends the formula gives 0 and 1 themselves; floating point may miss them by a hair.
    low = 0.0 if part == 0 else max(0.0, middle - half)
    high = 1.0 if part == whole else min(1.0, middle + half)
    return Interval(share, low, high)
