"""What happens when the term ends, and after: escalation, and the steps of the ladder."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases import deadlines
from cases.models import Dispatch, DispatchLine, Notice, Step
from cases.services.enqueue import FIRST, enqueue
from cases.services.moving import move_all
from cases.services.refused import NotFound, WrongState

BATCH: Final = 10_000


def run_out_due(*, by: Actor, now: datetime) -> int:
    """Escalate every notice whose term ended without proven removal; returns how many.

    The instant of escalation is the due moment, however late this runs. The first rung after the term begins
    to wait in the same transaction.
    """
    total = 0
    while True:
        with transaction.atomic():
            ids = move_all(
                Notice.objects.run_out(now=now),
                "escalate",
                Notice.State.ESCALATED,
                columns={"escalated_at": "n.due_at"},
                by=by,
                now=now,
                limit=BATCH,
            )
            if not ids:
                return total
            with connection.cursor() as cursor:
                # The rung's moment is the due moment itself: one statement for the batch.
                cursor.execute(
                    """
                    INSERT INTO cases_step (notice_id, code, due_at, owner, late, waits_for, outcome, acknowledged_by)
                    SELECT id, %s, due_at, %s, false, '', '', '' FROM cases_notice WHERE id = ANY(%s)
                    """,
                    ["reminder-1", deadlines.rung("reminder-1").role, ids],
                )
        total += len(ids)
        if len(ids) < BATCH:
            return total


def take_steps_due(*, by: Actor, now: datetime, batch: int = 500) -> int:
    """Take every rung that is due, in order of its due moment; returns how many."""
    total = 0
    while True:
        with transaction.atomic():
            # Notices first, in order of id, as every writer does; then their steps.
            due = list(
                Step.objects.due(now=now).order_by("due_at", "pk").values_list("pk", "notice_id")[:batch]
            )
            if not due:
                return total
            notices = {
                n.pk: n
                for n in Notice.objects.filter(pk__in={notice for _pk, notice in due})
                .select_related("rule")
                .select_for_update(of=("self",))
                .order_by("pk")
            }
            steps = list(
                Step.objects.filter(pk__in=[pk for pk, _notice in due], taken_at__isnull=True, waits_for="")
                .select_for_update()
                .order_by("due_at", "pk")
            )
            _take(steps, notices, by=by, now=now)
        total += len(steps)


def acknowledge_step(*, step_id: int, by: Actor, now: datetime) -> Step:
    """A person says that they see to it. Raises NotFound, WrongState."""
    with transaction.atomic():
        step = Step.objects.select_for_update().filter(pk=step_id).first()
        if step is None:
            raise NotFound(_("There is no such step."))
        if step.acknowledged_at is not None:
            raise WrongState(_("Somebody sees to this already."))
        step.acknowledged_at, step.acknowledged_by = now, str(by)
        step.save(update_fields=["acknowledged_at", "acknowledged_by"])
        record("acknowledge_step", "notice", step.notice_id, by=by, at=now, data={"step": step.code})
    return step


def send_anyway(*, step_id: int, by: Actor, now: datetime) -> Step:
    """A supervisor's explicit yes to a reminder that waits because nobody has seen the material lately (I7).

    Raises NotFound, WrongState.
    """
    with transaction.atomic():
        notice_id = Step.objects.filter(pk=step_id).values_list("notice_id", flat=True).first()
        if notice_id is None:
            raise NotFound(_("There is no such step."))
        notice = Notice.objects.select_related("rule").select_for_update(of=("self",)).get(pk=notice_id)
        step = Step.objects.select_for_update().get(pk=step_id)
        if not step.waits_for or step.taken_at is not None:
            raise WrongState(_("This step does not wait for anybody."))
        if notice.state != Notice.State.ESCALATED:
            raise WrongState(_("The notice is not escalated any more."))
        step.waits_for = ""
        _remind([step], {notice.pk: notice}, by=by, now=now, outcome=Step.Outcome.INSISTED)
        _finish([step], {notice.pk: notice}, now=now)
        record("send_anyway", "notice", notice.pk, by=by, at=now, data={"step": step.code})
    return step


def _take(steps: list[Step], notices: dict[int, Notice], *, by: Actor, now: datetime) -> None:
    live: list[Step] = []
    reminders: list[Step] = []
    waiting: list[Step] = []
    overtaken: list[int] = []
    for step in steps:
        notice = notices[step.notice_id]
        is_reminder = step.code.startswith(deadlines.REMINDER)
        if notice.state not in {Notice.State.NOTIFIED, Notice.State.ESCALATED}:
            overtaken.append(step.pk)
        elif is_reminder and not seen_lately(notice, now=now):
            step.waits_for = Step.WaitsFor.SIGHTING
            waiting.append(step)
        else:
            live.append(step)
            if is_reminder:
                reminders.append(step)
    _remind(reminders, notices, by=by, now=now, outcome=Step.Outcome.REMINDED)
    _finish(live, notices, now=now)
    # A reminder that waits holds up the next reminder, but not the call and the dossier.
    Step.objects.bulk_update(waiting, ["waits_for"], batch_size=500)
    _begin_following(waiting, notices, reminders=False)
    Step.objects.filter(pk__in=overtaken).overtake(at=now)


def seen_lately(notice: Notice, *, now: datetime) -> bool:
    """Whether somebody saw it online recently enough to say so to its provider (I7)."""
    seen = notice.last_seen_online_at
    return seen is not None and now - seen <= settings.HOST.sighting_max_age


def _remind(
    steps: Iterable[Step], notices: dict[int, Notice], *, by: Actor, now: datetime, outcome: Step.Outcome
) -> None:
    """Put reminders in the outbox, grouped per contact and round."""
    steps = list(steps)
    contacts = dict(
        DispatchLine.objects.filter(
            notice__in=[step.notice_id for step in steps],
            step=FIRST,
            dropped_because="",
            dispatch__state__in=[Dispatch.State.ACCEPTED, Dispatch.State.RELAYED],
        ).values_list("notice_id", "contact_id")
    )
    groups: dict[tuple[int, int], list[Notice]] = {}
    for step in steps:
        contact_id = contacts.get(step.notice_id)
        if contact_id is None:
            step.outcome = Step.Outcome.NO_CONTACT
            continue
        step.outcome = outcome
        count = int(step.code.removeprefix(deadlines.REMINDER))
        groups.setdefault((contact_id, count), []).append(notices[step.notice_id])
    for (contact_id, count), group in sorted(groups.items(), key=lambda item: item[0]):
        enqueue(
            contact_id=contact_id, notices=group, kind=Dispatch.Kind.REMINDER, round_=count, by=by, now=now
        )


def _finish(steps: list[Step], notices: dict[int, Notice], *, now: datetime) -> None:
    """Mark rungs as taken and let the following ones wait."""
    for step in steps:
        step.taken_at = now
        step.late = now - step.due_at > deadlines.LATE_AFTER
    Step.objects.bulk_update(steps, ["taken_at", "late", "outcome", "waits_for"], batch_size=500)
    _begin_following(steps, notices, reminders=True)


def _begin_following(steps: list[Step], notices: dict[int, Notice], *, reminders: bool) -> None:
    """Let the rungs after `steps` wait; what waits already stays as it is."""
    following = []
    for step in steps:
        notice = notices[step.notice_id]
        if notice.notified_at is None or notice.rule is None:
            continue
        following += [
            Step(
                notice=notice,
                code=rung.code,
                due_at=deadlines.step_due_at(rung.code, notice.notified_at, notice.rule.term),
                owner=rung.role,
            )
            for rung in deadlines.following(step.code)
            if reminders or not rung.code.startswith(deadlines.REMINDER)
        ]
    Step.objects.bulk_create(following, ignore_conflicts=True, batch_size=1_000)
