"""A plugin of pytest: several runs side by side share one set of tests, each taking what is not taken yet.

`TAKEDOWN_CLAIMS` names an empty folder that they share. What is taken is a stretch of tests of one module, so
that fixtures of a module are made once. Every run collects everything, in the same order; who makes the file
of a stretch first, runs it. Each has servers of its own: nothing else is shared.
"""

import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run what nobody else has taken. Leaves the usual loop to pytest when there is nobody to share with."""
    folder = os.environ.get("TAKEDOWN_CLAIMS")
    if not folder or session.config.option.collectonly or session.testsfailed:
        return None
    # One stretch ahead: what a module's fixtures hold is let go when the next test is known to be elsewhere.
    stretches = _taken(session.items, Path(folder))
    stretch = next(stretches, None)
    while stretch is not None:
        following = next(stretches, None)
        after = following[0] if following else None
        for item, next_item in zip(stretch, [*stretch[1:], after], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        stretch = following
    return True


def _taken(items: list[pytest.Item], folder: Path) -> Iterator[list[pytest.Item]]:
    for number, (_path, stretch) in enumerate(groupby(items, key=lambda item: item.path)):
        try:
            (folder / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        yield list(stretch)
