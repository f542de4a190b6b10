"""How long somebody has been looking today: a hint to take a break, and an end for the day.

A sign of activity is a key or a movement on the work desk (its page says so once a minute), or opening or saving
there. The time between two signs counts as work unless it is as long as a break. So what somebody looks at in
another window counts, and an afternoon's meeting does not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.clock import day_in_amsterdam
from cases.models import AtWork
from cases.services.refused import Invalid, WrongState


@dataclass(frozen=True)
class Today:
    """What a person has done today, for that person only."""

    worked: timedelta
    items: int
    #: Without a break, until now.
    stretch: timedelta
    #: It is time for a break, and the person has not said that they know.
    hint: bool
    #: The hours of a day are over, and nobody has said that this person may go on.
    stopped: bool
    single_keys: bool


_SIGN: Final = """
    INSERT INTO cases_atwork AS a (user_id, day, worked, items, active_at, since_at, lifted_because, single_keys)
    VALUES (%(user)s, %(day)s, '0', %(items)s, %(now)s, %(now)s, '', true)
    ON CONFLICT (user_id) DO UPDATE SET
        day = EXCLUDED.day,
        worked = CASE
            WHEN a.day <> EXCLUDED.day THEN interval '0'
            WHEN EXCLUDED.active_at - a.active_at >= %(pause)s THEN a.worked
            ELSE a.worked + greatest(EXCLUDED.active_at - a.active_at, interval '0')
        END,
        items = CASE WHEN a.day <> EXCLUDED.day THEN 0 ELSE a.items END + EXCLUDED.items,
        since_at = CASE
            WHEN EXCLUDED.active_at - a.active_at >= %(pause)s THEN EXCLUDED.active_at ELSE a.since_at
        END,
        active_at = greatest(a.active_at, EXCLUDED.active_at),
        lifted_because = CASE WHEN a.day <> EXCLUDED.day THEN '' ELSE a.lifted_because END
    RETURNING worked, items, since_at, hint_read_at, lifted_because, single_keys
"""


def sign(*, user_id: int, now: datetime, items: int = 0) -> Today:
    """This person is at it; `items`: how many notices they have just finished."""
    values: dict[str, Any] = {
        "user": user_id,
        "day": day_in_amsterdam(now),
        "items": items,
        "now": now,
        "pause": settings.HOST.break_from,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SIGN, values)
        worked, count, since_at, hint_read_at, lifted, single_keys = cursor.fetchone()
    read_at = max(since_at, hint_read_at or since_at)
    return Today(
        worked=worked,
        items=count,
        stretch=now - since_at,
        hint=now - read_at >= settings.HOST.hint_after,
        stopped=worked >= settings.HOST.work_per_day and not lifted,
        single_keys=single_keys,
    )


def read_hint(*, user_id: int, now: datetime) -> None:
    """The person knows that it is time for a break; it is said again when as much time has gone by."""
    AtWork.objects.filter(user=user_id).update(hint_read_at=now)


def switch_keys(*, user_id: int, on: bool) -> None:
    """Whether single keys do something for this person; kept for whatever computer they sit at."""
    AtWork.objects.filter(user=user_id).update(single_keys=on)


def stopped(*, now: datetime) -> list[AtWork]:
    """Who is at the stop screen today, by name."""
    over = AtWork.objects.filter(
        day=day_in_amsterdam(now), worked__gte=settings.HOST.work_per_day, lifted_because=""
    )
    return list(over.select_related("user").order_by("user__name", "pk"))


def lift(*, user_id: int, because: str, by: Actor, now: datetime) -> None:
    """Let somebody go on for the rest of the day. Raises Invalid, or WrongState when nothing stops them."""
    if because not in AtWork.Lifted.values:
        raise Invalid(_("Say why they may go on."))
    if by.user_id == user_id:
        raise Invalid(_("Somebody else must say that you may go on."))
    day = Q(day=day_in_amsterdam(now), worked__gte=settings.HOST.work_per_day, lifted_because="")
    with transaction.atomic():
        if not AtWork.objects.filter(day, user=user_id).update(lifted_because=because):
            raise WrongState(_("Nothing stops this person now."))
        record("lift_stop", "user", user_id, by=by, at=now, data={"because": because})
