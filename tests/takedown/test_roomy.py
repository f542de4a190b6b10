"""A deep call finds room for its frames, wherever it begins."""

import resource
from collections.abc import Callable

import pytest
from django.conf import settings

from takedown.roomy import roomy

#: How deep a call may begin: further than a server and all middleware.
DEPTHS = range(200)
TURNS = 100


def deeper(by: int, call: Callable[[], None]) -> None:
    if by:
        deeper(by - 1, call)
    else:
        call()


def leaf() -> None:
    """A call at each turn, as a template makes them."""


def loop() -> None:
    for _turn in range(TURNS):
        leaf()


def pages_asked_for(call: Callable[[], None]) -> int:
    """How often the system had to give memory, at the depth where that was most often."""

    def at(depth: int) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        deeper(depth, call)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    return max(min(at(depth) for _try in range(3)) for depth in DEPTHS)


def test_a_loop_asks_the_system_for_memory_no_more_often_the_deeper_it_stands() -> None:
    assert pages_asked_for(roomy(loop)) < TURNS // 4


def test_what_is_called_gets_its_arguments_and_gives_its_answer() -> None:
    def divided(number: int, *, by: int) -> float:
        """Says so."""
        return number / by

    assert roomy(divided)(6, by=4) == 1.5
    assert roomy(divided).__doc__ == "Says so."


def test_a_mistake_within_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        roomy(lambda: 1 / 0)()


def test_every_request_has_that_room() -> None:
    assert settings.MIDDLEWARE[0] == "takedown.middleware.Roomy"
