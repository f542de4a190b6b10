"""`make bench` (W=2 for one workload, N=1000000 for a size): ratios, as a table and in var/bench.json.

Servers of its own, durable ones (fsync on), in var/bench: neither the demo world nor the tests are touched.
PostgreSQL has the settings that docs/operations.md gives for tables of this size.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from local import servers
from local.children import Failed, Launcher
from local.test import settings, start

if TYPE_CHECKING:
    from bench.measure import Workload

FOLDER = servers.ROOT / "var" / "bench"
REPORT = servers.ROOT / "var" / "bench.json"
USUAL_SIZE = 1_000_000
#: As in docs/operations.md and docker/compose.yaml. A checkpoint makes the next write of each page a whole page in
#: the log: with the default of 1 GB between two of them, a sweep over a large table writes little else.
POSTGRES = (
    "shared_buffers=2GB",
    "effective_cache_size=6GB",
    "max_wal_size=8GB",
    "checkpoint_timeout=15min",
    "wal_compression=pglz",
)


def workloads() -> "dict[int, Callable[[int], Workload]]":
    """The registry: number in performance terms -> what measures it at a size."""
    from bench import answers, attribution, checks, deadlines, intake, notify, pages

    return {
        1: intake.run,
        2: deadlines.run,
        3: notify.run,
        4: checks.run,
        5: pages.run,
        6: answers.run,
        9: attribution.run,
    }


def show(done: "Workload") -> None:
    """One workload as a table."""
    print(
        f"\nW{done.number} {done.title}: " + ", ".join(f"{key} {value:,}" for key, value in done.size.items())
    )
    for name, spread in done.times.items():
        figures = f"{spread.minimum:9.3f} {spread.median:9.3f} {spread.maximum:9.3f} s   cpu {spread.cpu_median:8.3f} s"
        print(f"  {name:32} {figures}")
    for name, ratio in done.ratios.items():
        sign = "<=" if ratio.at_most else ">="
        print(
            f"  {name:32} {ratio.value:9.2f}  (target {sign} {ratio.target:g})  {'reached' if ratio.reached else 'MISSED'}"
        )
    for note in done.notes:
        print(f"  {note}")


def main() -> int:
    """Measure what was asked for. Exit status 1 when a target was missed, 2 on wrong usage."""
    chosen, size = os.environ.get("W", ""), os.environ.get("N", "")
    if (chosen and not chosen.isdigit()) or (size and not size.isdigit()):
        sys.stderr.write("takedown: W is the number of a workload, N a number of notices.\n")
        return 2
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, mode=0o700)
    launcher = Launcher(servers.socket_folder(FOLDER) / "control", say=print)
    try:
        # Without DEBUG: it keeps every query.
        os.environ |= settings(start(launcher, FOLDER, durable=True, more=POSTGRES), launcher.control) | {
            "DEBUG": "no",
            "SECOND_FACTOR": "required",
        }
        from django.core.management import call_command

        # As a web server loads it.
        import_module("takedown.wsgi")
        call_command("migrate", verbosity=0)
        known = workloads()
        if chosen and int(chosen) not in known:
            sys.stderr.write(f"takedown: there is no workload {chosen}; there are {sorted(known)}.\n")
            return 2
        done = []
        for number in [int(chosen)] if chosen else sorted(known):
            done.append(known[number](int(size or USUAL_SIZE)))
            show(done[-1])
    finally:
        launcher.stop_all("redis", "postgres")
        servers.forget(FOLDER)
        shutil.rmtree(FOLDER, ignore_errors=True)
    REPORT.write_text(json.dumps([each.as_json() for each in done], indent=1), encoding="utf-8")
    print(f"\nwritten to {REPORT.relative_to(servers.ROOT)}")
    return 0 if all(ratio.reached for each in done for ratio in each.ratios.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.stderr.write(f"takedown: {problem}\n")
        sys.exit(1)
