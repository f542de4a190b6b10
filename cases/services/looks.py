"""Wanting a second judgement: of a sample, of national law, of a dispute, for a dossier."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from audit.record import Actor, event, record_many
from cases import deadlines
from cases.models import Assessment, Notice, SecondLook
from cases.services.moving import moving
from vault import keys

_GRAVITY: Final = {why: place for place, why in enumerate(SecondLook.Why.values)}


def is_sampled(content_id: UUID) -> bool:
    """Whether judgements of this material are of the sample.

    Nobody can tell beforehand. It stays so: whoever undoes a judgement and judges again is drawn the same.
    """
    drawn = int.from_bytes(keys.ring().blind(str(content_id), purpose="second-sample")[:8])
    return drawn * 100 < settings.HOST.second_sample_percent * 2**64


def want_second(*, notice_id: int, why: str, by: Actor, now: datetime) -> None:
    """Ask for a second judgement of a judged notice, if none is open. Raises NotFound."""
    with moving(notice_id, "want_second", by=by, now=now) as notice:
        want([notice], SecondLook.Why(why), by=by, now=now)


def want(notices: Sequence[Notice], why: SecondLook.Why, *, by: Actor, now: datetime) -> int:
    """Open a look for each of the locked notices that was judged; returns how many were opened.

    A look that is open already takes the graver reason and the earlier end. What a second person decided on once
    because the provider disputed it is not opened for a dispute again.
    """
    ids = [notice.pk for notice in notices]
    judged = Assessment.objects.filter(notice__in=ids).order_by("notice_id", "-at", "-pk")
    first = {each.notice_id: each for each in judged.distinct("notice_id").only("notice_id", "assessor_id")}
    looks = SecondLook.objects.filter(notice__in=ids).select_for_update()
    known, decided = {}, set()
    for look in looks:
        if look.settled_at is None:
            known[look.notice_id] = look
        elif look.why == why == SecondLook.Why.DISPUTE and look.outcome != SecondLook.Outcome.OVERTAKEN:
            decided.add(look.notice_id)
    due_at = _due_at(why, now)
    new = [
        SecondLook(
            notice_id=pk,
            why=why,
            wanted_at=now,
            due_at=due_at,
            first_id=first[pk].pk,
            first_by_id=first[pk].assessor_id,
        )
        for pk in ids
        if pk in first and pk not in known and pk not in decided
    ]
    SecondLook.objects.bulk_create(new)
    graver = [
        look.pk
        for look in known.values()
        if look.notice_id not in decided and _GRAVITY[look.why] < _GRAVITY[why]
    ]
    if graver:
        SecondLook.objects.filter(pk__in=graver).update(why=why)
        SecondLook.objects.filter(pk__in=graver, due_at__gt=due_at).update(due_at=due_at)
    record_many(
        event("want_second", "notice", look.notice_id, by=by, at=now, data={"why": str(why)}) for look in new
    )
    return len(new)


def _due_at(why: SecondLook.Why, now: datetime) -> datetime:
    """When somebody must have judged again."""
    if why == SecondLook.Why.NATIONAL:
        return now + settings.HOST.second_national_within
    return deadlines.working_days_after(now, settings.HOST.second_working_days)
