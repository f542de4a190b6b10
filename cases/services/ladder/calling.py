"""The provider is called by telephone about what it leaves online."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, event, record_many
from cases.models import Call, Notice, Step
from cases.models.call import LONGEST_CALL_NOTE
from cases.services.ladder.sooner import hasten
from cases.services.refused import Invalid, WrongState
from vault.sealed import new_id

#: Steps of one call; what is more is told of in the next.
MOST: Final = 5_000


def record_call(
    *, provider_id: int, outcome: str, note: str = "", until: datetime | None = None, by: Actor, now: datetime
) -> Call:
    """Write down a call about all that the provider is to be called about, and what came of it.

    Whoever called sees to these steps. They are done when somebody was spoken to; else they are still to call. A
    provider that refuses gets its dossiers sooner. `until`: what fell to be called about after that
    was not spoken of. Raises Invalid, or WrongState when nothing is to call about any more.
    """
    if outcome not in Call.Outcome.values:
        raise Invalid(_("Choose what came of the call."))
    if len(note) > LONGEST_CALL_NOTE:
        raise Invalid(_("The note is too long: %(most)s characters at most.") % {"most": LONGEST_CALL_NOTE})
    with transaction.atomic():
        wanted = Step.objects.to_call().filter(notice__provider_id=provider_id)
        if until is not None:
            wanted = wanted.filter(taken_at__lte=until)
        notices = list(wanted.order_by("notice_id").values_list("notice_id", flat=True)[:MOST])
        # Notices first, in order of id, as every writer does; then their steps.
        list(Notice.objects.filter(pk__in=notices).select_for_update().order_by("pk").values_list("pk"))
        steps = list(Step.objects.to_call().filter(notice__in=notices).select_for_update().order_by("pk"))
        if not steps:
            raise WrongState(_("There is nothing to call this provider about any more."))
        call = Call(provider_id=provider_id, at=now, by=str(by), outcome=outcome, token=new_id())
        call.note = note.strip()
        call.save(force_insert=True)
        through = Call.steps.through
        through.objects.bulk_create(
            [through(call_id=call.pk, step_id=step.pk) for step in steps], batch_size=1_000
        )
        pks = [step.pk for step in steps]
        Step.objects.filter(pk__in=pks).update(pass_at=None)
        Step.objects.filter(pk__in=pks, acknowledged_at__isnull=True).update(
            acknowledged_at=now, acknowledged_by=str(by)
        )
        if call.spoke:
            Step.objects.filter(pk__in=pks).update(outcome=Step.Outcome.CALLED)
        if outcome == Call.Outcome.REFUSED:
            hasten(notice_ids=[step.notice_id for step in steps], now=now)
        record_many(
            event("call", "notice", step.notice_id, by=by, at=now, data={"came_of": outcome})
            for step in steps
        )
    return call
