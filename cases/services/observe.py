"""Sightings: taking what was seen, and drawing the conclusion."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.record import Actor
from cases import removal
from cases.models import Content, Fingerprint, Notice, Sighting, Step
from cases.models.fingerprint import sha256_of
from cases.services import placing, vantages, verdicts
from cases.services.fingerprints import remember
from cases.services.ladder import seen_lately
from cases.services.moving import moving_many
from cases.services.refused import Invalid, NotFound

#: A checker's clock may run ahead of ours by so much.
CLOCK_SKEW: Final = timedelta(minutes=2)
#: How far back the run that proves a removal may begin.
HISTORY: Final = timedelta(days=7)
#: The vantage of a look by one of us. No machine may say so.
PERSON: Final = "person"
_OUTCOMES: Final = frozenset(Sighting.Outcome.values)
#: What no note holds, in whatever spelling: notes stand in clear.
_ADDRESS: Final = re.compile(
    r"://|\bh(tt|xx)ps?:|\bwww\.|\[\.\]|\(dot\)|[\w-]\.[a-z][a-z0-9-]+(:\d+)?/", re.I
)
#: What every look moves. The look itself is the record of that, and nobody who has the notice before them is late for it.
_MOVED_BY_LOOKS: Final = frozenset(
    {"next_check_at", "check_leased_until", "last_seen_online_at", "claim_answer"}
)
#: All of a notice that a look, and the answer to a claim by it, is about.
_LOOKED_AT: Final = (
    "reference", "content_id", "provider_id", "state", "sent_at", "notified_at", "due_at", "claimed_removed_at",
    "gone_since", "removed_at", *sorted(_MOVED_BY_LOOKS),
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What somebody saw of the notice `reference`, at `seen_at`, from `vantage`."""

    reference: str
    seen_at: datetime
    outcome: str
    vantage: str
    http_status: int | None = None
    digest: str = ""
    note: str = ""


@dataclass(frozen=True)
class Taken:
    """What became of one sighting: recorded, known (we had it) or refused with a reason."""

    reference: str
    outcome: str
    reason: str = ""


class _Look(NamedTuple):
    """A sighting, as far as the rule cares."""

    seen_at: datetime
    outcome: str


class _IsBack(Exception):
    """Something removed was seen again, and other intake may run beside this."""


def removal_rule() -> removal.RemovalRule:
    """The rule that counts, from the settings."""
    host = settings.HOST
    return removal.RemovalRule(run=host.removal_run, gap=host.removal_gap, span=host.removal_span)


def schedule() -> removal.Schedule:
    """When to look, from the settings."""
    host = settings.HOST
    return removal.Schedule(
        stages=[(until, every * host.check_every) for until, every in host.check_stages],
        watch=host.watch_after_removal,
        before_due=host.check_before_due,
    )


def observe(*, sightings: Sequence[Seen], by: Actor, now: datetime) -> list[Taken]:
    """Take sightings, one outcome each in the order given, and move what they prove; all of it or nothing.

    Three looks that say gone, spread as the rule asks, remove a notice; one that says online after a removal
    opens a new notice that points to the old one. The first that could tell answers a claim of removal. What comes
    late (an old lease, an API that was down) is kept with its own instant, and answers no question that was asked
    after it.
    """
    try:
        with transaction.atomic():
            return _observe(sightings, by=by, now=now, alone=False)
    except _IsBack:
        # Whoever opens notices locks the intake before any notice, so once more in that order.
        with transaction.atomic():
            placing.lock_intake()
            return _observe(sightings, by=by, now=now, alone=True)


def _observe(sightings: Sequence[Seen], *, by: Actor, now: datetime, alone: bool) -> list[Taken]:
    sent = Notice.objects.filter(
        reference__in={seen.reference for seen in sightings}, notified_at__isnull=False
    )
    ids = list(sent.values_list("pk", flat=True))
    with moving_many(ids, "observe", by=by, now=now, quiet=_MOVED_BY_LOOKS, only=_LOOKED_AT) as notices:
        locked = {notice.reference: notice for notice in notices}
        taken, fresh = _take(sightings, locked, by=by, now=now)
        touched = [notice for notice in notices if notice.pk in fresh]
        looks = _history(fresh, now=now)
        rule, when = removal_rule(), schedule()
        for notice in touched:
            _conclude(notice, looks[notice.pk], fresh[notice.pk], now=now, rule=rule, schedule=when)
        removed = [notice.pk for notice in touched if notice.state == Notice.State.REMOVED]
        if removed:
            Step.objects.filter(notice__in=removed).overtake(at=now)
        _wake_reminders(touched, fresh, now=now)
        back = [notice for notice in touched if _is_back(notice, fresh[notice.pk])]
        if back and not alone:
            raise _IsBack
        verdicts.decide(touched, rule=rule, by=by, now=now)
    for notice in back:
        reopen(content=notice.content, previous=notice, by=by, now=now)
    if by.kind == "key":
        brought = (
            (seen.vantage, seen.outcome)
            for seen, said in zip(sightings, taken, strict=True)
            if said.outcome == "recorded"
        )
        vantages.reported(brought, by=by, now=now)
    return taken


def look_by_hand(
    *, notice_id: int, seen_at: datetime, outcome: str, note: str, by: Actor, now: datetime
) -> Notice:
    """Take what a person saw. It counts as any look does. Raises NotFound, Invalid."""
    notice = Notice.objects.filter(pk=notice_id).first()
    if notice is None:
        raise NotFound(_("There is no such notice."))
    if notice.notified_at is None:
        raise Invalid(_("It has not arrived at a provider yet: there is nothing to look for."))
    seen = Seen(notice.reference, seen_at, outcome, PERSON, note=note)
    (taken,) = observe(sightings=[seen], by=by, now=now)
    if taken.outcome == "refused":
        raise Invalid(taken.reason)
    if taken.outcome == "known":
        raise Invalid(_("Somebody has entered a look of this very minute already."))
    return Notice.objects.get(pk=notice_id)


def reopen(*, content: Content, previous: Notice, by: Actor, now: datetime) -> str:
    """Open a notice for content that is back, pointing to the last one about it; returns its reference.

    "" when one is open already.
    """
    with transaction.atomic():
        placing.lock_intake()
        before = placing.known([bytes(content.url_key)])[bytes(content.url_key)]
        if before.is_open:
            return ""
        place = placing.fresh(before)
        placing.open_notices([place], by=by, now=now, data={"reappeared": previous.reference})
    return place.reference


def _take(
    sightings: Sequence[Seen], locked: dict[str, Notice], *, by: Actor, now: datetime
) -> tuple[list[Taken], dict[int, list[_Look]]]:
    """Keep what is new; returns the outcomes and the new sightings by notice."""
    refusals = [_refusal(seen, locked.get(seen.reference), by=by, now=now) for seen in sightings]
    good = [
        (locked[seen.reference], seen)
        for seen, refusal in zip(sightings, refusals, strict=True)
        if not refusal
    ]
    new = _keep(good, by=by, now=now)
    # What took its place ("changed") is other material.
    digests = (
        (n.content_id, sha256_of(s.digest)) for n, s in good if s.outcome == removal.ONLINE and s.digest
    )
    remember(
        ((content_id, sha256) for content_id, sha256 in digests if sha256),
        source=Fingerprint.Source.SIGHTING,
        now=now,
    )
    taken: list[Taken] = []
    fresh: dict[int, list[_Look]] = defaultdict(list)
    for seen, refusal in zip(sightings, refusals, strict=True):
        if refusal:
            taken.append(Taken(seen.reference, "refused", refusal))
            continue
        key = (locked[seen.reference].pk, seen.seen_at, seen.vantage)
        if key in new:
            new.remove(key)  # the same once more in one report is known
            fresh[key[0]].append(_Look(seen.seen_at, seen.outcome))
            taken.append(Taken(seen.reference, "recorded"))
        else:
            taken.append(Taken(seen.reference, "known"))
    return taken, dict(fresh)


def _refusal(seen: Seen, notice: Notice | None, *, by: Actor, now: datetime) -> str:
    """Why a sighting cannot be taken; "" when it can."""
    if notice is None:
        return _("There is no such notice.")
    if seen.outcome not in _OUTCOMES:
        return _("This is not one of the outcomes.")
    if seen.seen_at > now + CLOCK_SKEW:
        return _("What was seen cannot lie in the future: is the clock right?")
    if notice.notified_at is not None and seen.seen_at < notice.notified_at - CLOCK_SKEW:
        return _("It was seen before the notice was sent.")
    if seen.vantage == PERSON and by.kind != "user":
        return _("Only a person's look is a person's: give the checker another name.")
    if seen.note and _ADDRESS.search(seen.note):
        return _("Leave addresses out of the note.")
    return ""


def _keep(good: Sequence[tuple[Notice, Seen]], *, by: Actor, now: datetime) -> set[tuple[int, datetime, str]]:
    """Add the sightings that are new by one statement; returns those as (notice, seen_at, vantage)."""
    if not good:
        return set()
    columns: list[list[object]] = [
        [notice.pk for notice, _seen in good],
        [seen.seen_at for _notice, seen in good],
        [str(seen.outcome) for _notice, seen in good],
        [seen.http_status for _notice, seen in good],
        [seen.digest for _notice, seen in good],
        [seen.vantage for _notice, seen in good],
        [seen.note[:300] for _notice, seen in good],
    ]
    statement = """
        INSERT INTO cases_sighting (notice_id, seen_at, outcome, http_status, digest, vantage, note, recorded_at, by)
        SELECT seen.*, %s, %s
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::varchar[], %s::smallint[], %s::varchar[], %s::varchar[],
                    %s::varchar[]) AS seen
        ON CONFLICT (notice_id, seen_at, vantage) DO NOTHING
        RETURNING notice_id, seen_at, vantage
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, str(by), *columns])
        return set(cursor.fetchall())


def _history(notice_ids: Collection[int], *, now: datetime) -> dict[int, list[_Look]]:
    """The looks that can still prove something, in order: none from before it was last seen online."""
    statement = """
        SELECT n.id, s.seen_at, s.outcome
        FROM cases_notice n
        CROSS JOIN LATERAL (
            SELECT id, seen_at, outcome FROM cases_sighting
            WHERE notice_id = n.id AND seen_at >= greatest(%s, n.last_seen_online_at) AND outcome = ANY(%s)
        ) s
        WHERE n.id = ANY(%s) ORDER BY s.seen_at, s.id
    """
    telling = [removal.ONLINE, *sorted(removal.GONE)]
    looks: dict[int, list[_Look]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(statement, [now - HISTORY, telling, list(notice_ids)])
        for notice_id, seen_at, outcome in cursor.fetchall():
            looks[notice_id].append(_Look(seen_at, outcome))
    return looks


def _conclude(
    notice: Notice,
    looks: Sequence[_Look],
    fresh: Sequence[_Look],
    *,
    now: datetime,
    rule: removal.RemovalRule,
    schedule: removal.Schedule,
) -> None:
    """From what was seen to what is so, and to when to look again. `looks` are the telling ones, in order."""
    if notice.notified_at is None or notice.due_at is None or notice.state == Notice.State.WITHDRAWN:
        notice.check_leased_until = None
        return
    online = [look.seen_at for look in looks if look.outcome == removal.ONLINE]
    if online:
        notice.last_seen_online_at = max(online[-1], notice.last_seen_online_at or online[-1])
    since = removal.gone_since(looks, rule)
    is_open = notice.state in {Notice.State.NOTIFIED, Notice.State.ESCALATED}
    was_removed = is_open and since is not None
    if is_open and since is not None:
        notice.remove(at=now, gone_since=since)
    then = removal.next_check_at(
        now=now,
        notified_at=notice.notified_at,
        due_at=notice.due_at,
        removed_at=notice.removed_at,
        in_doubt=is_open and since is None and bool(looks) and looks[-1].outcome in removal.GONE,
        rule=rule,
        schedule=schedule,
    )
    asked = notice.next_check_at
    if was_removed or asked is None:
        notice.next_check_at, notice.check_leased_until = then, None
    elif asked > now:
        notice.next_check_at = min(asked, then) if then is not None else asked
    elif max(look.seen_at for look in fresh) >= _answered_from(notice, asked):
        notice.next_check_at, notice.check_leased_until = then, None
    # Else it was seen before the look was asked for: that stays due, and with whoever has it.


def _answered_from(notice: Notice, asked: datetime) -> datetime:
    """From when on a look is an answer to what is due since `asked`: to a claim only one that came after it."""
    from_then = asked - CLOCK_SKEW
    claimed = notice.claimed_removed_at
    return max(from_then, claimed) if claimed is not None and claimed >= asked else from_then


def _is_back(notice: Notice, fresh: Sequence[_Look]) -> bool:
    """Whether one of the new sightings saw online what was proven gone before."""
    since = notice.gone_since
    return (
        notice.state == Notice.State.REMOVED
        and since is not None
        and any(look.outcome == removal.ONLINE and look.seen_at > since for look in fresh)
    )


def _wake_reminders(notices: Sequence[Notice], fresh: dict[int, list[_Look]], *, now: datetime) -> None:
    """A reminder that waited because nobody had seen the material lately goes on when somebody has."""
    seen = [
        notice.pk
        for notice in notices
        if any(look.outcome == removal.ONLINE for look in fresh[notice.pk]) and seen_lately(notice, now=now)
    ]
    if seen:
        Step.objects.filter(notice__in=seen, waits_for=Step.WaitsFor.SIGHTING, taken_at__isnull=True).update(
            waits_for="", asked_at=None, pass_at=None
        )
