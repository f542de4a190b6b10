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


Act = Callable[[], object]


def nothing() -> None:
    """What comes before a run that finds the world as it was."""


def measure(run: Act, *, before: Act = nothing, runs: int = RUNS) -> Spread:
    """Time `run` `runs` times after one warm-up; `before` puts the world back each time and is not timed."""
    (spread,) = measure_in_turn((run, before), runs=runs)
    return spread


def measure_in_turn(*pairs: tuple[Act, Act], runs: int = RUNS) -> list[Spread]:
    """Time several (run, before) in turn, so that whatever else the machine does meets all of them alike."""
    walls: list[list[float]] = [[] for _pair in pairs]
    cpus: list[list[float]] = [[] for _pair in pairs]
    for count in range(runs + 1):
        for (run, before), wall, cpu in zip(pairs, walls, cpus, strict=True):
            before()
            at_cpu, at_wall = _cpu(), time.perf_counter()
            run()
            spent_wall, spent_cpu = time.perf_counter() - at_wall, _cpu() - at_cpu
            if count:  # the first is the warm-up
                wall.append(spent_wall)
                cpu.append(spent_cpu)
    return [
        Spread(min(wall), statistics.median(wall), max(wall), statistics.median(cpu))
        for wall, cpu in zip(walls, cpus, strict=True)
    ]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
