"""Pages of a long list by the place of a row, not by its number: page 40 costs what page 1 does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, Q

from cases.models import Notice
from cases.models.notice import NoticeQuerySet

SIZE: Final = 100


@dataclass(frozen=True)
class Page:
    """Rows in order; `before` and `after` are the references to ask the neighbouring pages with, or ""."""

    rows: list[Notice]
    before: str
    after: str


def page(
    notices: NoticeQuerySet,
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
