"""Room for a deep call, in one piece.

CPython keeps the frames of a thread in chunks of 16 KB. A call that crosses the end of one asks the system for the
next, and gives it back when it returns; a loop that stands just there does so at every turn
(github.com/python/cpython/issues/142183, mended since in 3.13 and 3.14). Our pages cross three such ends, and where
they fall depends on how deep the server called: the same list took 28 to 55 ms.
"""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: A frame so large that its chunk must be 256 KB: the half that it does not say it needs is for the calls within.
#: It touches none of it: what is never used is never asked of the system.
_SLOTS: Final = 15_500


def roomy(call: Callable[P, R]) -> Callable[P, R]:
    """The same, with what it calls in a chunk of its own."""

    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        return call(*args, **kwargs)

    within.__code__ = within.__code__.replace(co_stacksize=_SLOTS)
    return wraps(call)(within)
