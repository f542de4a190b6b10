"""The only places that lock a notice, set what is derived, save it and record it."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from django.db import connection, models, transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from audit.models import Event
from audit.record import Actor, event, record_many
from cases import deadlines
from cases.models import Notice
from cases.models.notice import EDGES, NoticeQuerySet
from cases.services.refused import NotFound, Stale, WrongState
from cases.services.writing import fields_of, write_rows

_COLUMNS: "list[models.Field[Any, Any]]" = [
    field
    for field in Notice._meta.concrete_fields
    if field.attname not in {"id", "version", "due_at", "priority"}
]

_DERIVED = fields_of(Notice, "due_at", "priority", "version")
#: What `_derive` reads.
_INPUTS: Final = frozenset({"notified_at", "rule_id", "hold", "urgent", "came_back", "corroborated"})

#: Acts that are recorded of a notice and change nothing in it.
_LOOKS: Final = frozenset({"reveal", "skip", "hand_over", "recanonicalise"})
#: Acts of the house itself that nobody can be late for: whoever has the notice before them judges what it is, and
#: not who hosts it. They leave the version as it is.
_UNNOTICED: Final = frozenset({"attribute"})


@contextmanager
def moving(
    notice_id: int,
    act: str,
    *,
    by: Actor,
    now: datetime,
    seen_version: int | None = None,
    data: dict[str, Any] | None = None,
) -> Iterator[Notice]:
    """Lock one notice, let the caller change it, then save and record in the same transaction.

    Raises NotFound, WrongState for a move that is no edge, Stale when `seen_version` is not the current one.
    """
    with moving_many([notice_id], act, by=by, now=now, data=data) as notices:
        if not notices:
            raise NotFound(_("There is no such notice."))
        (notice,) = notices
        if seen_version is not None and seen_version != notice.version:
            raise _stale(notice, seen_version)
        yield notice


@contextmanager
def moving_many(
    notice_ids: Sequence[int],
    act: str,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    quiet: Collection[str] = (),
    only: Sequence[str] = (),
) -> Iterator[list[Notice]]:
    """Lock a batch in order of id, let the caller change them, then write all with one UPDATE and one INSERT.

    Rows that were not changed are neither written nor recorded. Those of which only `quiet` columns changed are
    written and not recorded, and keep their version: what moved them is a row of its own.

    `only`: the columns that the caller reads or changes, for an act that is done so often that the rest is too dear to
    read; none that something is derived from may change then. Another one that is touched is an error, not a query.
    """
    with transaction.atomic():
        locked = Notice.objects.filter(pk__in=notice_ids).select_for_update(of=("self",)).order_by("pk")
        notices = list(locked.only(*only, "version") if only else locked.select_related("rule", "provider"))
        columns = [field for field in _COLUMNS if field.attname in only] if only else _COLUMNS
        values = attrgetter(*(field.attname for field in columns))
        before = {notice.pk: values(notice) for notice in notices}
        states = {notice.pk: notice.state for notice in notices}
        unread = notices[0].get_deferred_fields() if only and notices else set()
        try:
            yield notices
        except TransitionNotAllowed as refusal:
            raise WrongState(_("This cannot be done with a notice in this state.")) from refusal
        if only and any(notice.get_deferred_fields() != unread for notice in notices):
            raise RuntimeError("A column was read or set that is not among those that were asked for.")
        changed = [notice for notice in notices if values(notice) != before[notice.pk]]
        if not changed:
            return
        touched: set[models.Field[Any, Any]] = set()
        loud = []
        for notice in changed:
            fields = {
                field
                for field, old, new in zip(columns, before[notice.pk], values(notice), strict=True)
                if old != new
            }
            touched |= fields
            if all(field.attname in quiet for field in fields):
                continue
            loud.append(notice)
            if not only:
                _derive(notice)
            notice.version += act not in _UNNOTICED
        derived = (_DERIVED if not only else fields_of(Notice, "version")) if loud else []
        if only and not _INPUTS.isdisjoint(field.attname for field in touched):
            raise RuntimeError("Something is derived from a column that changed: read all of them.")
        write_rows(changed, [*sorted(touched, key=lambda field: field.attname), *derived])
        record_many(
            event(act, "notice", notice.pk, by=by, at=now, was=was, became=became, data=data)
            for notice in loud
            for was, became in [_move(states[notice.pk], notice.state)]
        )


@contextmanager
def noting_many(
    notices: NoticeQuerySet, *, facts: Sequence[str], besides: Sequence[str] = ()
) -> Iterator[list[Notice]]:
    """Lock a batch in order of id, let the caller note `facts` of them, then write what changed with one UPDATE.

    For facts that move no state, no clock and no order: the rows carry these and `besides`, and nothing else, so a
    batch costs a third of what `moving_many` costs. The caller records each in words of its own.
    """
    with transaction.atomic():
        rows = list(notices.only(*facts, *besides, "version").select_for_update(of=("self",)).order_by("pk"))
        before = [[getattr(notice, fact) for fact in facts] for notice in rows]
        yield rows
        changed = [
            notice
            for notice, old in zip(rows, before, strict=True)
            if [getattr(notice, fact) for fact in facts] != old
        ]
        for notice in changed:
            notice.version += 1
        write_rows(changed, fields_of(Notice, *facts, "version"))


def move_all(
    due: NoticeQuerySet,
    act: str,
    to: Notice.State,
    *,
    columns: dict[str, str],
    by: Actor,
    now: datetime,
    limit: int,
) -> list[int]:
    """Move up to `limit` of the `due` rows by one statement that also writes their audit rows.

    `columns`: column -> SQL expression over the old row `n`; only constants of our own code, never input.
    Rows that somebody else holds are skipped: the next sweep finds them. Returns the ids.
    Raises WrongState when the filter lets through a state that has no edge to `to`.
    """
    assignments = ", ".join(f"{column} = {expression}" for column, expression in columns.items())
    with transaction.atomic():
        picked = (
            due.order_by("due_at", "pk")
            .select_for_update(skip_locked=True, of=("self",))
            .values("pk", "state")
        )
        picked_sql, parameters = picked[:limit].query.sql_with_params()
        statement = f"""
            WITH due (id, state) AS MATERIALIZED ({picked_sql}),
            moved AS (
                UPDATE cases_notice n SET state = %s, version = n.version + 1, {assignments}
                FROM due WHERE n.id = due.id
                RETURNING n.id, due.state AS was
            ),
            logged AS (
                INSERT INTO audit_event (at, actor, act, subject, subject_id, was, became)
                SELECT %s, %s, %s, 'notice', id, was, %s FROM moved
            )
            SELECT coalesce(array_agg(id), '{{}}'), coalesce(array_agg(DISTINCT was), '{{}}') FROM moved
        """  # noqa: S608 - nothing in it comes from outside
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, to, now, str(by), act, to])
            ids, sources = cursor.fetchone()
        if not {(was, str(to)) for was in sources} <= set(EDGES):
            raise WrongState(_("This cannot be done with a notice in this state."))
    return list(ids)


def _derive(notice: Notice) -> None:
    if notice.notified_at is not None and notice.rule is not None:
        notice.due_at = deadlines.due_at(notice.notified_at, notice.rule.term)
    notice.priority = int(notice.its_priority)


def _move(was: str, became: str) -> tuple[str, str]:
    return (was, became) if was != became else ("", "")


def _stale(notice: Notice, seen: int) -> Stale:
    events = Event.objects.filter(subject="notice", subject_id=notice.pk)
    last = events.exclude(act__in=_LOOKS | _UNNOTICED).order_by("-pk").first()
    return Stale(
        notice_id=notice.pk,
        by=last.actor if last else "?",
        act=last.act if last else "?",
        at=last.at if last else None,
        seen=seen,
        current=notice.version,
    )
