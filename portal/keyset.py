"""Pages of a long list by the place of a row, not by its number: page 40 costs what page 1 does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Func, Min, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce

from cases.models import Notice
from cases.models.notice import NoticeQuerySet

SIZE: Final = 50
#: The place of a group, as a regular expression: its first due moment in microseconds, and its address.
GROUP: Final = r"[0-9]{1,18}~[0-9a-f:.]{0,45}"

#: Later than every due moment: of a notice whose clock does not run.
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page:
    """Rows as they were read, in order; `before` and `after` are the references to ask the neighbours with, or ""."""

    rows: list[Any]
    before: str
    after: str


def page(
    notices: "QuerySet[Notice, Any]",
    *,
    own: NoticeQuerySet,
    latest_first: bool,
    after: str = "",
    before: str = "",
    size: int = SIZE,
) -> Page:
    """The page that follows the notice `after`, or ends ahead of the notice `before`; else the first.

    In order of the due moment (none is later than all), then id. The place is looked up among the provider's
    `own`, because its row may have left the filter of `notices` while the page was being read; what is not
    there is no place.
    """
    place = _place(own, before or after)
    backwards = bool(before) and place is not None
    descending = latest_first != backwards
    if place is not None:
        notices = notices.filter(_earlier(*place) if descending else _later(*place))
    due = F("due_at").desc(nulls_first=True) if descending else F("due_at").asc(nulls_last=True)
    rows = list(notices.order_by(due, "-pk" if descending else "pk")[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    first, last = (rows[0].reference, rows[-1].reference) if rows else ("", "")
    if backwards:
        return Page(rows, before=first if more else "", after=last)
    return Page(rows, before=first if place is not None else "", after=last if more else "")


def _place(own: NoticeQuerySet, reference: str) -> tuple[datetime | None, int] | None:
    return own.filter(reference=reference).values_list("due_at", "pk").first() if reference else None


def _later(due: datetime | None, pk: int) -> Q:
    if due is None:
        return Q(due_at__isnull=True, pk__gt=pk)
    return Q(due_at__gt=due) | Q(due_at=due, pk__gt=pk) | Q(due_at__isnull=True)


def _earlier(due: datetime | None, pk: int) -> Q:
    if due is None:
        return Q(due_at__isnull=False) | Q(pk__lt=pk)
    # The first bound says nothing new; it lets the index begin at the place.
    return Q(due_at__lte=due) & (Q(due_at__lt=due) | Q(due_at=due, pk__lt=pk))


@dataclass(frozen=True)
class Group:
    """All notices of a list at one address ("" when that is not known): how many, and the first due moment."""

    address: str
    count: int
    due_at: datetime | None

    @property
    def place(self) -> str:
        """Where it stands in the order of groups."""
        return f"{((self.due_at or _NEVER) - _EPOCH) // _MICROSECOND}~{self.address}"


@dataclass(frozen=True)
class GroupPage:
    """Groups in order; `before` and `after` are the places to ask the neighbouring pages with, or ""."""

    groups: list[Group]
    before: str
    after: str


def groups(notices: NoticeQuerySet, *, after: str = "", before: str = "", size: int = SIZE) -> GroupPage:
    """The page of groups that follows the place `after`, or ends ahead of the place `before`; else the first.

    In order of the first due moment, then address. The database groups all `notices`: let them be what is open.
    """
    place = _group_place(before or after)
    backwards = bool(before) and place is not None
    rows = _grouped(notices)
    if place is not None:
        due, address = place
        side = "lt" if backwards else "gt"
        rows = rows.filter(Q(**{f"first__{side}": due}) | Q(**{"first": due, f"at__{side}": address}))
    sign = "-" if backwards else ""
    found = [
        Group(at, count, None if first == _NEVER else first)
        for at, count, first in rows.order_by(f"{sign}first", f"{sign}at")[: size + 1]
    ]
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    first_place, last_place = (found[0].place, found[-1].place) if found else ("", "")
    if backwards:
        return GroupPage(found, before=first_place if more else "", after=last_place)
    return GroupPage(found, before=first_place if place is not None else "", after=last_place if more else "")


def _grouped(notices: NoticeQuerySet) -> "QuerySet[Notice, tuple[str, int, datetime]]":
    address = Func(F("attribution__address"), function="host", output_field=TextField())
    return (
        notices.order_by()
        .annotate(at=Coalesce(address, Value("", output_field=TextField())))
        .values("at")
        .annotate(count=Count("pk"), first=Coalesce(Min("due_at"), Value(_NEVER)))
        .values_list("at", "count", "first")
    )


def _group_place(text: str) -> tuple[datetime, str] | None:
    digits, tilde, address = text.partition("~")
    if not tilde:
        return None
    try:
        return _EPOCH + int(digits) * _MICROSECOND, address
    except OverflowError:
        return None
