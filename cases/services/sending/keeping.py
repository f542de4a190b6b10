"""Which notices still belong on a message, just before it leaves."""

from collections.abc import Sequence
from datetime import datetime

from audit.record import Actor
from cases import deadlines
from cases.models import Dispatch, DispatchLine, Notice, SecondLook, Step
from cases.services.ladder import seen_lately, wait_for_eyes
from cases.services.route import HOME
from providers.models import Attribution


def keep(dispatch: Dispatch, notices: Sequence[Notice], *, by: Actor, now: datetime) -> list[Notice]:
    """The notices that still belong on the message; the others' lines are struck with their reason."""
    if dispatch.kind == Dispatch.Kind.FIRST:
        dropped = _no_longer_to_send(dispatch, notices, by=by)
    else:
        dropped = _no_longer_to_remind(dispatch, notices, now=now)
    for because in set(dropped.values()):
        struck = [pk for pk, reason in dropped.items() if reason == because]
        dispatch.lines.filter(notice__in=struck, dropped_because="").update(dropped_because=because)
    return [notice for notice in notices if notice.pk not in dropped]


def _no_longer_to_send(
    dispatch: Dispatch, notices: Sequence[Notice], *, by: Actor
) -> dict[int, DispatchLine.Dropped]:
    """Notices that a first message must not speak of: they go back to routing, or to a person."""
    dropped = {}
    places = Attribution.objects.in_bulk({notice.attribution_id for notice in notices})
    doubted = set(
        SecondLook.objects.blocking().filter(notice__in=notices).values_list("notice_id", flat=True)
    )
    for notice in notices:
        place = places.get(notice.attribution_id)
        if notice.state != Notice.State.RECEIVED:
            dropped[notice.pk] = DispatchLine.Dropped.OVERTAKEN
        elif notice.pk in doubted:
            dropped[notice.pk] = DispatchLine.Dropped.DOUBTED
            notice.routed_at = None
            notice.hold, notice.hold_review = Notice.Hold.SECOND_ASSESSMENT, Notice.Review.SECOND
            notice.hold_by = str(by)
        elif notice.provider_id != dispatch.contact.provider_id:
            dropped[notice.pk] = DispatchLine.Dropped.MOVED
            notice.routed_at = None
            found = Notice.Review.MOVED if notice.provider_id else Notice.Review.NOBODY_FOUND
            notice.hold, notice.hold_review = Notice.Hold.CONTACT_REVIEW, found
            notice.hold_by = str(by)
        elif place is not None and place.country != HOME:
            # The next routing dismisses it as hosted abroad.
            dropped[notice.pk] = DispatchLine.Dropped.MOVED
            notice.routed_at = None
    return dropped


def _no_longer_to_remind(
    dispatch: Dispatch, notices: Sequence[Notice], *, now: datetime
) -> dict[int, DispatchLine.Dropped]:
    """Notices that a reminder must not speak of (I7); what nobody saw lately waits for a supervisor again."""
    insisted = set(
        Step.objects.filter(
            notice__in=notices,
            voided=0,
            code=f"{deadlines.REMINDER}{dispatch.round}",
            outcome=Step.Outcome.INSISTED,
        ).values_list("notice_id", flat=True)
    )
    dropped = {}
    for notice in notices:
        if notice.state != Notice.State.ESCALATED:
            dropped[notice.pk] = DispatchLine.Dropped.OVERTAKEN
        elif notice.pk not in insisted and not seen_lately(notice, now=now):
            dropped[notice.pk] = DispatchLine.Dropped.UNSEEN
    unseen = [pk for pk, because in dropped.items() if because == DispatchLine.Dropped.UNSEEN]
    wait_for_eyes(notice_ids=unseen, code=f"{deadlines.REMINDER}{dispatch.round}", now=now)
    return dropped
