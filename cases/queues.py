"""Sets of notices that wait for somebody: counted on the start page, and opened by the search desk's filters.

The same function counts and lists, so a counter opens exactly its rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import deadlines
from cases.models import Notice, Step
from cases.models.notice import NoticeQuerySet
from cases.models.step import StepQuerySet

SOON: Final = timedelta(hours=4)


@dataclass(frozen=True)
class Queue:
    """`of` picks its notices; `since` is the column that says how long they wait.

    `cell` is the cell of the permission table that its counter needs; `query` opens it at `desk`, the search desk
    unless another is named. `states`: those that its notices can be in, if that is not all.
    """

    code: str
    name: str | Promise
    of: Callable[[NoticeQuerySet, datetime], NoticeQuerySet]
    since: str
    cell: str
    query: str
    tone: str = ""
    states: frozenset[str] = frozenset()
    desk: str = "admin:cases_notice_changelist"


_RECEIVED: Final = frozenset({str(Notice.State.RECEIVED)})
_OPEN: Final = frozenset({str(Notice.State.NOTIFIED), str(Notice.State.ESCALATED)})


def due_before(notices: NoticeQuerySet, now: datetime, span: timedelta) -> NoticeQuerySet:
    """With the provider, and due within `span` from now; not overdue yet."""
    return notices.open().filter(due_at__gt=now, due_at__lte=now + span)


QUEUES: Final = (
    Queue(
        "to_judge",
        _("to judge"),
        lambda notices, now: notices.to_assess(now=now),
        "received_at",
        "notice.assess",
        "waits=to_judge",
        states=_RECEIVED,
    ),
    Queue(
        "police",
        _("held: police first"),
        lambda notices, now: notices.held(now=now).filter(hold=Notice.Hold.POLICE_FIRST),
        "received_at",
        "notice.hold",
        "waits=police",
        "warn",
        _RECEIVED,
    ),
    Queue(
        "review",
        _("held: contact under review"),
        lambda notices, now: notices.held(now=now).filter(hold=Notice.Hold.CONTACT_REVIEW),
        "assessed_at",
        "notice.hold",
        "waits=review",
        "warn",
        _RECEIVED,
    ),
    Queue(
        "second",
        _("held: second assessment"),
        lambda notices, now: notices.held(now=now).filter(hold=Notice.Hold.SECOND_ASSESSMENT),
        "assessed_at",
        "second.view",
        "waits=second",
        "warn",
        _RECEIVED,
    ),
    # Our own clocks. None of them changes anything in a provider's.
    Queue(
        "judged_late",
        _("to judge, past our own term"),
        lambda notices, now: notices.judged_late(now=now, within=settings.HOST.judge_within),
        "received_at",
        "overdue.view",
        "waits=judged_late",
        "bad",
        _RECEIVED,
    ),
    Queue(
        "arrives_late",
        _("judged, and not with the provider in time"),
        lambda notices, now: notices.arrives_late(now=now, within=settings.HOST.accept_within),
        "assessed_at",
        "overdue.view",
        "waits=arrives_late",
        "bad",
        _RECEIVED,
    ),
    Queue(
        "hold_ended",
        _("holds that have ended"),
        lambda notices, now: notices.hold_ended(now=now),
        "hold_until",
        "overdue.view",
        "waits=hold_ended",
        "warn",
        _RECEIVED,
    ),
    Queue(
        "due_soon",
        _("due within 4 hours"),
        lambda notices, now: due_before(notices, now, SOON),
        "due_at",
        "notice.view",
        "due=4h",
        "warn",
    ),
    Queue(
        "overdue",
        _("overdue"),
        lambda notices, now: notices.overdue(now=now),
        "due_at",
        "notice.view",
        "due=over",
        "bad",
    ),
    Queue(
        "disputed",
        _("disputed"),
        lambda notices, now: notices.open().filter(
            disputed_at__isnull=False, objection_rejected_at__isnull=True
        ),
        "disputed_at",
        "notice.view",
        "waits=disputed",
        "warn",
        _OPEN,
    ),
    Queue(
        "contradicted",
        _("said removed, seen since"),
        lambda notices, now: notices.contradicted(),
        "claimed_removed_at",
        "claim.view",
        "tray=seen",
        "bad",
        _OPEN,
        "admin:disagreements",
    ),
    Queue(
        "untold",
        _("claims that no check could answer"),
        lambda notices, now: notices.untold(now=now, within=settings.HOST.claim_person_within),
        "claimed_removed_at",
        "claim.view",
        "tray=untold",
        "warn",
        _OPEN,
        "admin:disagreements",
    ),
)


def waiting() -> StepQuerySet:
    """Reminders that nobody may send without a supervisor's yes."""
    return Step.objects.filter(taken_at__isnull=True).exclude(waits_for="")


def unacknowledged() -> StepQuerySet:
    """Steps that ask a role to see to them, and that nobody sees to; a reminder that needs a yes is beside them."""
    return Step.objects.asking().filter(taken_at__isnull=False)


def to_call() -> StepQuerySet:
    """Steps for which somebody is to telephone the provider."""
    return Step.objects.to_call()


def _unacknowledged_by(role: str) -> Callable[[datetime], QuerySet[Any]]:
    return lambda now: unacknowledged().of_roles([role])


#: A look that has been due for so long is late: a checker that works asks every half minute.
CHECK_LATE: Final = timedelta(minutes=15)


def checks_due(now: datetime) -> NoticeQuerySet:
    """Looks that are due, also those that a checker has taken and has not reported yet."""
    return Notice.objects.filter(next_check_at__lte=now)


def checks_late(now: datetime) -> NoticeQuerySet:
    """Looks that should have been reported by now."""
    return checks_due(now - CHECK_LATE)


def checks_coming(now: datetime) -> NoticeQuerySet:
    """Looks that fall due within the next hour."""
    return Notice.objects.filter(next_check_at__gt=now, next_check_at__lte=now + timedelta(hours=1))


#: Code -> the rows that wait, and the column that says since when: what the figures are kept of.
SETS: Final[dict[str, tuple[Callable[[datetime], QuerySet[Any]], str]]] = {
    **{queue.code: (partial(queue.of, Notice.objects.all()), queue.since) for queue in QUEUES},
    "checks_due": (checks_due, "next_check_at"),
    "checks_late": (checks_late, "next_check_at"),
    "checks_coming": (checks_coming, "next_check_at"),
    "steps_waiting": (lambda now: waiting(), "due_at"),
    "steps_to_call": (lambda now: to_call(), "taken_at"),
    **{f"steps_of_{role}": (_unacknowledged_by(role), "asked_at") for role in deadlines.ROLES},
}
