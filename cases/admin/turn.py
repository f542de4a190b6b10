"""Whose turn it is on the work desk: one order for everybody, less what a person skipped today."""

from datetime import UTC, datetime
from typing import Final

from django.db.models import Case, Q, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext as _

from cases.admin import claims
from cases.models import Notice
from cases.models.notice import NoticeQuerySet

#: So many are offered to the claims; more colleagues at once there are not.
AHEAD: Final = 50
#: What a person skipped comes back to them on another day, or when nothing else is left.
_SKIPPED: Final = "skipped"
_MOST_SKIPPED: Final = 500


def in_order(notices: NoticeQuerySet) -> NoticeQuerySet:
    """Urgent first, and what the police had first; then by age."""
    first = Case(When(Q(urgent=True) | ~Q(hold=""), then=Value(0)), default=Value(1))
    return notices.order_by(first, "received_at", "pk")


def why_next(notice: Notice) -> str:
    """The reason of its place in the order, in words."""
    if notice.urgent:
        return _("Urgent goes first.")
    if notice.hold:
        return _("Its hold has ended: it goes first.")
    if notice.previous_id:
        return _("It is the oldest that waits. It came back after an earlier removal.")
    return _("It is the oldest that waits.")


def next_for(request: HttpRequest, now: datetime) -> int | None:
    """The notice that comes next for this person, claimed for them; None when nothing waits."""
    waiting = Notice.objects.to_assess(now=now)
    ids = list(in_order(waiting.exclude(pk__in=_skipped(request, now))).values_list("pk", flat=True)[:AHEAD])
    # When all that is left was skipped, the oldest of it comes again.
    ids = ids or list(in_order(waiting).values_list("pk", flat=True)[:AHEAD])
    return claims.first_free(ids, request.user.pk or 0) or (ids[0] if ids else None)


def remember_skip(request: HttpRequest, notice_id: int, now: datetime) -> None:
    """For the rest of the day this notice does not come to this person."""
    ids = [*_skipped(request, now), notice_id][-_MOST_SKIPPED:]
    request.session[_SKIPPED] = {"on": _day(now), "ids": ids}


def _skipped(request: HttpRequest, now: datetime) -> list[int]:
    kept = request.session.get(_SKIPPED) or {}
    return list(kept.get("ids", [])) if kept.get("on") == _day(now) else []


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
