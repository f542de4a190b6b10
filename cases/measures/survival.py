"""How long material stays after a notice, those that are still there included (Kaplan and Meier 1958).

What is still online, or was lost sight of, is not left out: it counts as there up to the last look that saw it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt

from cases.measures.share import Interval, Z


@dataclass(frozen=True)
class Curve:
    """The share that is still there after each of `times`, falling in steps.

    `greenwood` is the sum of d / (n (n - d)) up to each time (Greenwood 1926); infinite once nothing is left.
    """

    times: npt.NDArray[np.float64]
    remains: npt.NDArray[np.float64]
    greenwood: npt.NDArray[np.float64]

    def at(self, time: float) -> float:
        """S(time): the share that is still there after `time`, in the unit of `times`."""
        place = self._place(time)
        return 1.0 if place < 0 else float(self.remains[place])

    def gone_within(self, time: float) -> Interval | None:
        """1 - S(time) with Greenwood's interval on the log(-log) scale (Kalbfleisch and Prentice 1980).

        None while nothing is gone by then, or everything is: the scale has no interval there.
        """
        place = self._place(time)
        remains = self.at(time)
        if not 0 < remains < 1:
            return None
        spread = Z * sqrt(float(self.greenwood[place])) / abs(log(remains))
        least, most = (exp(log(remains) * exp(sign * spread)) for sign in (1, -1))
        return Interval(1 - remains, 1 - most, 1 - least)

    def when_gone(self, share: float) -> float | None:
        """The first time at which `share` (0.5: the median) or more is gone; None when that is not reached."""
        reached = np.flatnonzero(self.remains <= 1 - share + 1e-12)
        return float(self.times[reached[0]]) if len(reached) else None

    def _place(self, time: float) -> int:
        return int(np.searchsorted(self.times, time, side="right")) - 1


def curve(counts: Iterable[tuple[float, bool, int]]) -> Curve:
    """The curve of counts (time, whether it was gone then or last seen then, how many).

    Single durations and the bins of a histogram are counted alike. Of one time, what was gone comes before what was
    last seen. Raises ValueError for a time below 0.
    """
    rows = list(counts)
    times, place = np.unique(np.array([row[0] for row in rows], dtype=np.float64), return_inverse=True)
    if len(times) and times[0] < 0:
        raise ValueError("Nothing is gone before its notice.")
    is_gone = np.array([row[1] for row in rows], dtype=bool)
    number = np.array([row[2] for row in rows], dtype=np.float64)
    gone = np.bincount(place, weights=number * is_gone, minlength=len(times))
    ended = np.bincount(place, weights=number, minlength=len(times))
    at_risk = ended[::-1].cumsum()[::-1]
    steps = gone > 0
    times, gone, at_risk = times[steps], gone[steps], at_risk[steps]
    with np.errstate(divide="ignore"):
        variance = gone / (at_risk * (at_risk - gone))
    return Curve(times, np.cumprod(1 - gone / at_risk), np.cumsum(variance))
