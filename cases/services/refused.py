"""The refusals that several verbs of a case share."""

from datetime import datetime

from django.utils.translation import gettext as _

from audit.refused import Refused

__all__ = ["Invalid", "NotFound", "Refused", "Stale", "WrongState"]


class NotFound(Refused):
    """There is no such thing, or none that this caller may know of."""

    code = "not_found"


class WrongState(Refused):
    """The thing is not in a state in which this can be done."""

    code = "wrong_state"


class Stale(Refused):
    """Somebody else changed it since the caller looked: `by` (an actor), by `act`, at `at`.

    `seen` and `current` are versions of the notice `notice_id`.
    """

    code = "stale"

    def __init__(
        self, *, notice_id: int, by: str, act: str, at: datetime | None, seen: int, current: int
    ) -> None:
        self.notice_id = notice_id
        self.by, self.act, self.at = by, act, at
        self.seen, self.current = seen, current
        super().__init__(
            _("%(by)s has changed this since you opened it (%(act)s). Look again before you decide.")
            % {"by": by, "act": act}
        )


class Invalid(Refused):
    """The words of the request do not fit together."""

    code = "invalid"
