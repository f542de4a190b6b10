"""What people do with a step: see to it, or let a reminder go."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import Notice, Step
from cases.services.ladder.beginning import follow
from cases.services.ladder.taking import finish, remind, told
from cases.services.refused import NotFound, WrongState


def acknowledge_step(*, step_id: int, by: Actor, now: datetime) -> Step:
    """A person says that they see to it: it goes to no other role any more. Raises NotFound, WrongState."""
    with transaction.atomic():
        step = Step.objects.select_for_update().filter(pk=step_id).first()
        if step is None:
            raise NotFound(_("There is no such step."))
        if step.acknowledged_at is not None:
            raise WrongState(_("Somebody sees to this already."))
        if step.asked_at is None:
            raise WrongState(_("Nobody needs to see to this step."))
        step.acknowledged_at, step.acknowledged_by, step.pass_at = now, str(by), None
        step.save(update_fields=["acknowledged_at", "acknowledged_by", "pass_at"])
        record("acknowledge_step", "notice", step.notice_id, by=by, at=now, data={"step": step.code})
    return step


def send_anyway(*, step_id: int, by: Actor, now: datetime) -> Step:
    """A supervisor's explicit yes to a reminder that waits because nobody has seen the material lately (I7).

    Whoever says so sees to it. Raises NotFound, WrongState.
    """
    with transaction.atomic():
        notice_id = Step.objects.filter(pk=step_id).values_list("notice_id", flat=True).first()
        if notice_id is None:
            raise NotFound(_("There is no such step."))
        notice = Notice.objects.select_for_update().get(pk=notice_id)
        step = Step.objects.select_for_update().get(pk=step_id)
        if not step.waits_for or step.taken_at is not None:
            raise WrongState(_("This step does not wait for anybody."))
        if notice.state != Notice.State.ESCALATED:
            raise WrongState(_("The notice is not escalated any more."))
        contact = told(notice_id)
        remind([(notice_id, step.code, contact)], by=by, now=now)
        outcome = Step.Outcome.INSISTED if contact else Step.Outcome.NO_CONTACT
        finish([(step.pk, outcome)], now=now)
        step.acknowledged_at, step.acknowledged_by = (
            step.acknowledged_at or now,
            step.acknowledged_by or str(by),
        )
        step.pass_at = None
        step.save(update_fields=["acknowledged_at", "acknowledged_by", "pass_at"])
        follow([(notice_id, step.code)], reminders=True, now=now)
        record("send_anyway", "notice", notice.pk, by=by, at=now, data={"step": step.code})
    return Step.objects.get(pk=step_id)
