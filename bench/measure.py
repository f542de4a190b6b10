"""Measuring: several runs after a warm-up, minimum, median and maximum, wall clock and CPU."""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

RUNS = 3


@dataclass(frozen=True)
class Spread:
    """Seconds (wall and CPU of this process; the database's own CPU is not in it)."""

    minimum: float
    median: float
    maximum: float
    cpu_median: float


@dataclass
class Workload:
    """What was measured of one workload: times by name, ratios by name with what they should reach."""

    number: int
    title: str
    size: dict[str, int]
    times: dict[str, Spread] = field(default_factory=dict)
    ratios: dict[str, "Ratio"] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For var/bench.json."""
        return asdict(self)


@dataclass(frozen=True)
class Ratio:
    """A figure to compare: `value` should be at least (or, for `at_most`, at most) `target`."""

    value: float
    target: float
    at_most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the target is met."""
        return self.value <= self.target if self.at_most else self.value >= self.target


def measure(
    run: Callable[[], object], *, before: Callable[[], object] = lambda: None, runs: int = RUNS
) -> Spread:
    """Time `run` `runs` times after one warm-up; `before` puts the world back each time and is not timed."""
    walls, cpus = [], []
    for count in range(runs + 1):
        before()
        cpu, wall = _cpu(), time.perf_counter()
        run()
        spent = time.perf_counter() - wall, _cpu() - cpu
        if count:  # the first is the warm-up
            walls.append(spent[0])
            cpus.append(spent[1])
    return Spread(min(walls), statistics.median(walls), max(walls), statistics.median(cpus))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
