"""One act on many notices: prepare, look, start; then in slices, by the very services that a single press calls.

The lines are the queue. Each is locked, its service called in a savepoint, and what became of it written in the
same transaction: a worker that is killed has done both or neither, and two workers never have the same line
(SKIP LOCKED).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import translation
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.record import Actor, record
from audit.refused import Refused
from cases.models import Bulk, BulkLine, Notice
from cases.models.notice import NoticeQuerySet
from cases.services import assess, outgoing
from cases.services.looking import Why
from cases.services.refused import Invalid, NotFound, Stale, WrongState

logger = logging.getLogger(__name__)

#: Notices of one act (P); of an export by somebody who may have a large one.
LARGEST: Final = 10_000
LARGEST_EXPORT: Final = 100_000
#: What was prepared and not started, and what was exported, is kept so long (P); what was done for longer.
KEPT: Final = timedelta(hours=24)
KEPT_DONE: Final = timedelta(days=30)
#: Lines between two looks at whether it was stopped, and seconds in one slice.
CHUNK: Final = 50
SLICE_S: Final = 20.0

_UNSENT: Final = Q(notice__state=Notice.State.RECEIVED, notice__sent_at__isnull=True)


@dataclass(frozen=True)
class Doing:
    """What an act needs. `cannot`: reasons that can be seen beforehand, in words, each with its lines."""

    cell: str
    call: Callable[..., Notice] | None
    cannot: tuple[tuple[str | Promise, Q], ...] = ()
    undo: str = ""


_GONE: Final = (gettext_lazy("sent or closed already"), ~_UNSENT)
_IN_OUTBOX: Final = (
    gettext_lazy("in the outbox: take it back first"),
    _UNSENT & Q(notice__routed_at__isnull=False),
)
_CHANGED: Final = gettext_lazy("Somebody has changed it since this was prepared.")

ACTS: Final[dict[str, Doing]] = {
    Bulk.Act.DISMISS: Doing("notice.assess", assess.dismiss, (_GONE, _IN_OUTBOX)),
    Bulk.Act.HOLD: Doing("notice.hold", assess.hold, (_GONE, _IN_OUTBOX), undo=Bulk.Act.RELEASE),
    Bulk.Act.RELEASE: Doing("notice.hold", assess.release, ((gettext_lazy("not held"), Q(notice__hold="")),)),
    Bulk.Act.TAKE_BACK: Doing(
        "notice.assess",
        outgoing.take_back,
        (_GONE, (gettext_lazy("not in the outbox"), _UNSENT & Q(notice__routed_at__isnull=True))),
    ),
    Bulk.Act.EXPORT: Doing("notice.export", None),
}


def prepare(
    *,
    act: str,
    notices: NoticeQuerySet,
    query: str,
    language: str,
    limit: int = LARGEST,
    by: Actor,
    now: datetime,
) -> Bulk:
    """Freeze the notices, with the version of each; nothing happens to them.

    Raises Invalid for an act that is none, for no notices and for more than `limit`.
    """
    if act not in ACTS or by.user_id is None:
        raise Invalid(_("Choose what is to be done."))
    with transaction.atomic():
        bulk = Bulk.objects.create(
            act=act, query=query, user_id=by.user_id, language=language, created_at=now, erased_at=now + KEPT
        )
        picked = notices.order_by().values("pk", "version")[: limit + 1]
        try:
            selected, parameters = picked.query.sql_with_params()
        except EmptyResultSet as empty:
            raise Invalid(_("There is nothing to do it with.")) from empty
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO cases_bulkline (bulk_id, notice_id, seen_version, outcome, reason)"  # noqa: S608
                f" SELECT %s, picked.pk, picked.version, '', '' FROM ({selected}) picked ORDER BY picked.pk",
                [bulk.pk, *parameters],
            )
            bulk.total = cursor.rowcount
        if not bulk.total:
            raise Invalid(_("There is nothing to do it with."))
        if bulk.total > limit:
            raise Invalid(
                _("These are more than %(limit)s notices: narrow the search.")
                % {"limit": number_format(limit, force_grouping=True)}
            )
        bulk.save(update_fields=["total"])
    return bulk


def exceptions(bulk: Bulk) -> list[tuple[str, int]]:
    """Why some of them cannot be done as things are now, and how many; what happens meanwhile is not known yet."""
    cannot = ACTS[bulk.act].cannot
    counts = bulk.lines.aggregate(
        **{f"n{number}": Count("pk", filter=which) for number, (_words, which) in enumerate(cannot)},
    )
    found = [(str(words), counts[f"n{number}"]) for number, (words, _which) in enumerate(cannot)]
    return [(words, count) for words, count in found if count]


def start(
    *,
    bulk_id: int,
    reason: str,
    arguments: dict[str, Any],
    columns: Sequence[str] = (),
    by: Actor,
    now: datetime,
) -> Bulk:
    """Let it run. Somebody who presses twice starts it once.

    Raises Invalid without a reason, NotFound, WrongState once it was stopped or is over.
    """
    if reason not in Why.values:
        raise Invalid(_("Say why."))
    with transaction.atomic():
        bulk = _locked(bulk_id)
        if bulk.started_at is not None:
            return bulk
        if bulk.is_over(now=now):
            raise WrongState(_("This was prepared too long ago: choose the notices again."))
        bulk.reason, bulk.arguments, bulk.columns, bulk.started_at = reason, arguments, list(columns), now
        if bulk.is_export:
            bulk.state, bulk.finished_at, bulk.erased_at = Bulk.State.DONE, now, now + KEPT
        else:
            bulk.state, bulk.erased_at = Bulk.State.RUNNING, now + KEPT_DONE
        bulk.save()
        record(
            "export" if bulk.is_export else "bulk",
            "bulk",
            bulk.pk,
            by=by,
            at=now,
            data={"act": bulk.act, "reason": reason, "notices": bulk.total, "filter": bulk.query},
        )
    return bulk


def stop(*, bulk_id: int, by: Actor, now: datetime) -> Bulk:
    """Leave the rest undone. What is done stays done. Raises NotFound, WrongState when nothing runs."""
    with transaction.atomic():
        bulk = _locked(bulk_id)
        if bulk.state != Bulk.State.RUNNING:
            raise WrongState(_("This is not running."))
        bulk.state, bulk.finished_at = Bulk.State.STOPPED, now
        bulk.save(update_fields=["state", "finished_at"])
        record("stop_bulk", "bulk", bulk.pk, by=by, at=now)
    return bulk


def retry(*, bulk_id: int, by: Actor, now: datetime) -> Bulk:
    """Once more what failed, or was left undone when it was stopped; what was skipped had its reason.

    Raises NotFound, WrongState when there is nothing to try again.
    """
    with transaction.atomic():
        bulk = _locked(bulk_id)
        if bulk.is_export or bulk.state not in {Bulk.State.DONE, Bulk.State.STOPPED}:
            raise WrongState(_("This is not finished."))
        bulk.lines.filter(outcome=BulkLine.Outcome.FAILED).update(outcome="", reason="")
        if not bulk.lines.filter(outcome="").exists():
            raise WrongState(_("Nothing failed."))
        bulk.state, bulk.finished_at = Bulk.State.RUNNING, None
        bulk.save(update_fields=["state", "finished_at"])
        record("retry_bulk", "bulk", bulk.pk, by=by, at=now)
    return bulk


def undo(*, bulk_id: int, language: str, by: Actor, now: datetime) -> Bulk:
    """Prepare the opposite act for what was done; what somebody has changed since is left alone.

    Raises NotFound, WrongState for an act that cannot be undone or did nothing.
    """
    with transaction.atomic():
        bulk = _locked(bulk_id)
        opposite = ACTS[bulk.act].undo
        if not opposite or bulk.state not in {Bulk.State.DONE, Bulk.State.STOPPED} or by.user_id is None:
            raise WrongState(_("This cannot be undone."))
        made = Bulk.objects.create(
            act=opposite, query="", user_id=by.user_id, language=language, undoes=bulk, created_at=now,
            erased_at=now + KEPT,
        )  # fmt: skip
        done = bulk.lines.filter(outcome=BulkLine.Outcome.DONE).order_by("pk")
        made.total = len(
            BulkLine.objects.bulk_create(
                BulkLine(bulk=made, notice_id=notice_id, seen_version=version or 0)
                for notice_id, version in done.values_list("notice_id", "left_version")
            )
        )
        if not made.total:
            raise WrongState(_("Nothing of it was done."))
        made.save(update_fields=["total"])
    return made


def counts(bulk: Bulk) -> dict[str, int]:
    """How many lines have which outcome."""
    found = dict(bulk.lines.order_by().values_list("outcome").annotate(count=Count("pk")))
    return {outcome: found.get(outcome, 0) for outcome in BulkLine.Outcome.values}


def run_slice(*, clock: Callable[[], datetime], seconds: float = SLICE_S) -> None:
    """Work on what runs, the longest waiting first, for some seconds; the next sweep goes on."""
    ends = monotonic() + seconds
    running = Bulk.objects.filter(state=Bulk.State.RUNNING).select_related("user", "undoes")
    for bulk in running.order_by("started_at", "pk"):
        with translation.override(bulk.language):
            while monotonic() < ends and _chunk(bulk, clock=clock):
                pass
        if monotonic() >= ends:
            return


def erase_old(*, now: datetime) -> None:
    """Erase what is kept no longer; the audit stays."""
    old = Bulk.objects.filter(erased_at__lte=now).exclude(state=Bulk.State.RUNNING)
    for bulk in old.order_by("pk")[:20]:
        BulkLine.objects.filter(bulk=bulk).delete()
        bulk.delete()


def _chunk(bulk: Bulk, *, clock: Callable[[], datetime]) -> bool:
    """Do some lines, each in a transaction of its own; whether there may be more for this worker."""
    if not Bulk.objects.filter(pk=bulk.pk, state=Bulk.State.RUNNING).exists():
        return False
    if not bulk.user.has_perm(ACTS[bulk.act].cell):
        # Whoever may not do it any more does not do it through what was started before.
        stop(bulk_id=bulk.pk, by=Actor.system("sweep_bulk"), now=clock())
        return False
    waiting = list(bulk.lines.filter(outcome="").order_by("pk").values_list("pk", flat=True)[:CHUNK])
    done = [_one(bulk, pk, now=clock()) for pk in waiting]
    if not any(done):
        # Nothing is left, or all that is left is in the hands of another worker, which then finishes it.
        over = Bulk.objects.filter(pk=bulk.pk, state=Bulk.State.RUNNING)
        over.exclude(Exists(BulkLine.objects.filter(bulk=OuterRef("pk"), outcome=""))).update(
            state=Bulk.State.DONE, finished_at=clock()
        )
    return any(done)


def _one(bulk: Bulk, line_id: int, *, now: datetime) -> bool:
    """Do one line, unless another worker has it."""
    with transaction.atomic():
        line = (
            BulkLine.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=line_id, outcome="")
            .first()
        )
        if line is None:
            return False
        line.outcome, line.reason, line.left_version = _outcome(bulk, line, now=now)
        line.save(update_fields=["outcome", "reason", "left_version"])
    return True


def _outcome(bulk: Bulk, line: BulkLine, *, now: datetime) -> tuple[str, str, int | None]:
    """Call the service; what became of it, why not, and the version that it left."""
    call = ACTS[bulk.act].call
    assert call is not None
    try:
        with transaction.atomic():
            notice = call(
                notice_id=line.notice_id,
                seen_version=line.seen_version,
                by=Actor.of(bulk.user),
                now=now,
                **_arguments(bulk),
            )
    except Stale:
        return BulkLine.Outcome.SKIPPED, str(_CHANGED), None
    except Refused as refusal:
        return BulkLine.Outcome.SKIPPED, str(refusal)[:300], None
    except Exception:
        # Whatever it is: raised, the same line would stop every sweep, and with it all that waits behind it.
        logger.exception("a line of bulk %s failed", bulk.pk)
        return BulkLine.Outcome.FAILED, _("There is a fault on our side; it can be tried again."), None
    return BulkLine.Outcome.DONE, "", notice.version


def _arguments(bulk: Bulk) -> dict[str, Any]:
    """What the service is called with; the hours of a hold count from the start, for all of them alike."""
    arguments = dict(bulk.arguments)
    if "hours" in arguments and bulk.started_at is not None:
        arguments["until"] = bulk.started_at + timedelta(hours=arguments.pop("hours"))
    return arguments


def _locked(bulk_id: int) -> Bulk:
    bulk = Bulk.objects.select_for_update(of=("self",)).filter(pk=bulk_id).first()
    if bulk is None:
        raise NotFound(_("There is no such act."))
    return bulk
