"""What is judged before what, pure: the class of a notice that waits, from the facts of its own row.

Within a class the moment counts by which we must have judged (deadlines.due_at of our own clock), then age;
our own term is the same for all, so both are the order of `received_at`.
"""

from enum import IntEnum


class Priority(IntEnum):
    """The lower goes first. The numbers are stored (Notice.priority): keep them, and add between by migration."""

    HELD = 1
    URGENT = 2
    CAME_BACK = 3
    SEVERAL_SOURCES = 4
    REST = 5


def priority_of(
    *, held: bool = False, urgent: bool = False, came_back: bool = False, corroborated: bool = False
) -> Priority:
    """The first class that fits.

    What is held is not offered at all until its hold ends, and goes first then: police first before all else.
    `came_back`: its earlier notice was removed. `corroborated`: more than one source reports it.
    """
    if held:
        return Priority.HELD
    if urgent:
        return Priority.URGENT
    if came_back:
        return Priority.CAME_BACK
    return Priority.SEVERAL_SOURCES if corroborated else Priority.REST
