"""Whose turn it is on the work desk: one order for everybody, and nobody picks.

What is to be judged comes from SOURCES; the head of each is compared with the others', and the first of all goes
to whoever asks (services/claims.py). A further kind of work is one `Source` in that tuple:

- `waiting(user_id, now)` gives the notices that may be given to this person, with `rank` (a Priority) and
  `since` (its moment within the class) annotated, so that an index has them in that order. What colleagues have
  before them and what this person left today is taken out here, not there.
- `why(notice, now)` says its place in the order in words; `counts(now)` what waits, by class.
- `due_at(notice)` is when our own clock for this work ends.
- `form` with `fields` (a template) and `action` (the name of the address that it POSTs to) are what stands
  beside the notice. Its view ends in `work.judged(...)`, which gives the claim back and shows the next.

The code of the source stands on the claim: a page that is opened again shows the same work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import deadlines
from cases.admin.forms import AssessForm, PressForm, SecondForm
from cases.models import Claim, Notice, PassedOn, SecondLook
from cases.models.notice import NoticeQuerySet
from cases.priority import Priority
from cases.services import claims

#: Nothing is counted further than this: the desk says "more than".
COUNTED: Final = 1_000


@dataclass(frozen=True)
class Waiting:
    """How many wait in a class; COUNTED when there are as many or more."""

    name: str | Promise
    count: int


@dataclass(frozen=True)
class Source:
    """A kind of work: what waits, why a notice comes now, and what a person does with it. See above."""

    code: str
    waiting: Callable[[int, datetime], NoticeQuerySet]
    why: Callable[[Notice, datetime], str]
    counts: Callable[[datetime], Sequence[Waiting]]
    due_at: Callable[[Notice], datetime]
    form: type[PressForm]
    fields: str
    action: str
    #: Whether saving is refused when the notice has another version than the page showed.
    by_version: bool = True


_CLASSES: Final[dict[Priority, str | Promise]] = {
    Priority.HELD: gettext_lazy("hold ended"),
    Priority.URGENT: gettext_lazy("urgent"),
    Priority.CAME_BACK: gettext_lazy("came back"),
    Priority.SEVERAL_SOURCES: gettext_lazy("several sources"),
    Priority.REST: gettext_lazy("others"),
}


def _first_waiting(user_id: int, now: datetime) -> NoticeQuerySet:
    return Notice.objects.to_assess(now=now).annotate(rank=F("priority"), since=F("received_at"))


def _first_why(notice: Notice, now: datetime) -> str:
    match notice.priority:
        case Priority.HELD if notice.hold == Notice.Hold.POLICE_FIRST:
            return _("Police first: its hold has ended.")
        case Priority.HELD:
            return _("Its hold has ended: it goes first.")
        case Priority.URGENT:
            return _("Urgent goes first.")
        case Priority.CAME_BACK:
            return _("It came back after it was removed.")
        case Priority.SEVERAL_SOURCES:
            return _("More than one source reports it.")
    return _("It has waited longest.")


def _first_counts(now: datetime) -> list[Waiting]:
    """Each class is counted along the index, which the order makes the planner use, and no further than COUNTED."""
    statement = """
        SELECT class, (
            SELECT count(*) FROM (
                SELECT 1 FROM cases_notice n
                WHERE n.state = 'received' AND n.assessed_at IS NULL AND n.priority = class
                  AND (n.hold = '' OR n.hold_until <= %s)
                ORDER BY n.received_at, n.id
                LIMIT %s
            ) AS found
        ) FROM unnest(%s::smallint[]) AS class
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, COUNTED, [int(each) for each in Priority]])
        found = dict(cursor.fetchall())
    return [Waiting(_CLASSES[each], found[each]) for each in Priority]


FIRST: Final = Source(
    code="first",
    waiting=_first_waiting,
    why=_first_why,
    counts=_first_counts,
    due_at=lambda notice: deadlines.due_at(notice.received_at, settings.HOST.judge_within),
    form=AssessForm,
    fields="staff/assess_fields.html",
    action="admin:work_assess",
)


def _second_waiting(user_id: int, now: datetime) -> NoticeQuerySet:
    """What this person has not judged. What keeps a notice from being sent, or has been waited for, goes first."""
    look = "second_looks"
    rank = Case(
        When(**{f"{look}__due_at__lte": now}, then=Value(int(Priority.URGENT))),
        When(**{f"{look}__why": SecondLook.Why.NATIONAL}, then=Value(int(Priority.CAME_BACK))),
        When(**{f"{look}__why": SecondLook.Why.SAMPLE}, then=Value(int(Priority.REST))),
        default=Value(int(Priority.SEVERAL_SOURCES)),
    )
    waits = Notice.objects.filter(second_looks__in=SecondLook.objects.for_somebody(user_id))
    return waits.annotate(rank=rank, since=F(f"{look}__wanted_at"))


def _second_why(notice: Notice, now: datetime) -> str:
    """Why a second judgement is wanted would tell how the first was: only of a dispute it is said."""
    if notice.second_looks.unread().filter(why=SecondLook.Why.DISPUTE).exists():
        return _("The provider disputes it: somebody who has not judged it yet judges again.")
    return _("Somebody has judged it. You judge it anew, without knowing how.")


def _second_due_at(notice: Notice) -> datetime:
    look = notice.second_looks.unread().only("due_at").first()
    return look.due_at if look else notice.received_at


SECOND: Final = Source(
    code="second",
    waiting=_second_waiting,
    why=_second_why,
    counts=lambda now: [
        Waiting(gettext_lazy("second judgements"), SecondLook.objects.unread()[:COUNTED].count())
    ],
    due_at=_second_due_at,
    form=SecondForm,
    fields="staff/assess_fields.html",
    action="admin:work_again",
    by_version=False,  # it goes by whether it is still wanted (services/second.py)
)
SOURCES: Final[tuple[Source, ...]] = (FIRST, SECOND)


def source_of(code: str) -> Source:
    """The source with that code; the first for one that is no more."""
    return next((source for source in SOURCES if source.code == code), SOURCES[0])


def still_waits(notice_id: int, work: str, version: str, *, user_id: int, now: datetime) -> bool:
    """Whether what a page shows in `version` is still to be done, so that saving it would not be refused."""
    source = source_of(work)
    found = source.waiting(user_id, now).filter(pk=notice_id).only("pk", "version").first()
    return found is not None and (not source.by_version or str(found.version) == version)


def at_hand(user_id: int, now: datetime) -> Claim | None:
    """What is before this person and still to be done; what was done meanwhile is given back."""
    mine = claims.own(user_id=user_id, now=now)
    if mine is None or source_of(mine.work).waiting(user_id, now).filter(pk=mine.notice_id).exists():
        return mine
    claims.release(notice_id=mine.notice_id, user_id=user_id)
    return None


def next_for(user_id: int, now: datetime) -> Claim | None:
    """What is before this person already and still to be done, or else the next, claimed for them.

    None when nothing is free: it waits for nobody, or colleagues have all of it.
    """
    mine = at_hand(user_id, now)
    if mine is not None:
        return mine
    left = PassedOn.objects.today(now=now).filter(user=user_id, notice=OuterRef("pk"))
    heads = {source.code: source.waiting(user_id, now).filter(~Exists(left)) for source in SOURCES}
    return claims.take_next(heads=heads, user_id=user_id, now=now)


def left_today(user_id: int, now: datetime) -> int:
    """How many of those that still wait this person left for a colleague today."""
    mine = PassedOn.objects.today(now=now).filter(user=user_id).values("notice")
    return sum(source.waiting(user_id, now).filter(pk__in=mine).count() for source in SOURCES)


def waiting(now: datetime) -> list[Waiting]:
    """How many wait, by class; classes in which nothing waits are left out."""
    return [each for source in SOURCES for each in source.counts(now) if each.count]
