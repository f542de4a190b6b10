"""Sightings: handing out due checks, taking what was seen, and drawing the conclusion."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor
from cases import removal
from cases.models import Content, Fingerprint, Notice, Sighting, Step
from cases.models.fingerprint import sha256_of
from cases.services import placing
from cases.services.fingerprints import remember
from cases.services.ladder import seen_lately
from cases.services.moving import moving_many
from vault.keys import CannotUnseal

logger = logging.getLogger(__name__)

#: A checker's clock may run ahead of ours by so much.
CLOCK_SKEW: Final = timedelta(minutes=2)
#: How far back the run that proves a removal may begin.
HISTORY: Final = timedelta(days=7)


@dataclass(frozen=True)
class Check:
    """A look that is due. `url` is the canonical URL, for the checker only."""

    notice: str
    url: str
    expect_digest: str
    lease_until: datetime


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


def removal_rule() -> removal.RemovalRule:
    """The rule that counts, from the settings."""
    host = settings.HOST
    return removal.RemovalRule(run=host.removal_run, gap=host.removal_gap, span=host.removal_span)


def lease_checks(*, limit: int, now: datetime) -> list[Check]:
    """Hand out up to `limit` due checks, the oldest first; while the lease lasts nobody else gets them."""
    until = now + settings.HOST.check_lease
    due = (
        Notice.objects.checks_due(now=now).order_by("next_check_at", "pk").select_for_update(skip_locked=True)
    )
    with transaction.atomic():
        ids = list(due.values_list("pk", flat=True)[:limit])
        Notice.objects.filter(pk__in=ids).update(check_leased_until=until)
    notices = Notice.objects.filter(pk__in=ids).select_related("content").order_by("next_check_at", "pk")
    digests = dict(
        Sighting.objects.filter(notice__in=ids, outcome=Sighting.Outcome.ONLINE)
        .exclude(digest="")
        .order_by("notice_id", "seen_at")
        .distinct("notice_id")
        .values_list("notice_id", "digest")
    )
    checks = []
    for notice in notices:
        try:
            url = notice.content.url
        except CannotUnseal:
            # Its lease keeps it away for a while; the others are looked at.
            logger.error("the address of notice %s does not open: it cannot be checked", notice.reference)
        else:
            checks.append(Check(notice.reference, url, digests.get(notice.pk, ""), until))
    return checks


def observe(*, sightings: Sequence[Seen], by: Actor, now: datetime) -> list[Taken]:
    """Take sightings, one outcome each in the order given, and move what they prove.

    Three looks that say gone, spread as the rule asks, remove a notice; one that says online after a removal
    opens a new notice that points to the old one.
    """
    known = dict(
        Notice.objects.filter(
            reference__in={seen.reference for seen in sightings}, notified_at__isnull=False
        ).values_list("reference", "pk")
    )
    with transaction.atomic(), moving_many(list(known.values()), "observe", by=by, now=now) as notices:
        locked = {notice.reference: notice for notice in notices}
        taken, fresh = _take(sightings, locked, by=by, now=now)
        looks = _history(fresh, now=now)
        for notice in notices:
            if notice.pk in fresh:
                _conclude(notice, looks[notice.pk], now=now)
        reappeared = [n for n in notices if _is_back(n, fresh.get(n.pk, ()))]
        removed = [n.pk for n in notices if n.pk in fresh and n.state == Notice.State.REMOVED]
        Step.objects.filter(notice__in=removed).overtake(at=now)
        _wake_reminders([n for n in notices if n.pk in fresh], now=now)
    for notice in reappeared:
        reopen(content=notice.content, previous=notice, by=by, now=now)
    return taken


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
) -> tuple[list[Taken], dict[int, list[Sighting]]]:
    """Keep what is new; returns the outcomes and the new sightings by notice."""
    taken: list[Taken] = []
    rows: dict[tuple[int, str, datetime], Sighting] = {}
    had = set(
        Sighting.objects.filter(
            notice__in=[n.pk for n in locked.values()], seen_at__in={s.seen_at for s in sightings}
        ).values_list("notice_id", "vantage", "seen_at")
    )
    for seen in sightings:
        notice = locked.get(seen.reference)
        if notice is None:
            taken.append(Taken(seen.reference, "refused", _("There is no such notice.")))
            continue
        if seen.outcome not in Sighting.Outcome.values:
            taken.append(Taken(seen.reference, "refused", _("This is not one of the outcomes.")))
            continue
        if seen.seen_at > now + CLOCK_SKEW:
            taken.append(
                Taken(seen.reference, "refused", _("It was seen in the future: set the checker's clock."))
            )
            continue
        if notice.notified_at is not None and seen.seen_at < notice.notified_at - CLOCK_SKEW:
            taken.append(Taken(seen.reference, "refused", _("It was seen before the notice was sent.")))
            continue
        key = (notice.pk, seen.vantage, seen.seen_at)
        if key in had or key in rows:
            taken.append(Taken(seen.reference, "known"))
            continue
        rows[key] = Sighting(
            notice=notice,
            seen_at=seen.seen_at,
            outcome=seen.outcome,
            http_status=seen.http_status,
            digest=seen.digest,
            vantage=seen.vantage,
            note=seen.note[:300],
            recorded_at=now,
            by=str(by),
        )
        taken.append(Taken(seen.reference, "recorded"))
    Sighting.objects.bulk_create(rows.values(), batch_size=1_000)
    # What took its place ("changed") is other material.
    online = [row for row in rows.values() if row.outcome == Sighting.Outcome.ONLINE]
    seen_files = ((row.notice.content_id, sha256) for row in online if (sha256 := sha256_of(row.digest)))
    remember(seen_files, source=Fingerprint.Source.SIGHTING, now=now)
    fresh: dict[int, list[Sighting]] = defaultdict(list)
    for sighting in rows.values():
        fresh[sighting.notice_id].append(sighting)
    return taken, dict(fresh)


def _history(notice_ids: Collection[int], *, now: datetime) -> dict[int, list[Sighting]]:
    looks: dict[int, list[Sighting]] = defaultdict(list)
    recent = Sighting.objects.filter(notice__in=notice_ids, seen_at__gte=now - HISTORY).order_by(
        "seen_at", "pk"
    )
    for sighting in recent.only("notice_id", "seen_at", "outcome"):
        looks[sighting.notice_id].append(sighting)
    return looks


def _conclude(notice: Notice, looks: Sequence[Sighting], *, now: datetime) -> None:
    """From what was seen to what is so, and to when to look again."""
    notice.check_leased_until = None
    if notice.notified_at is None or notice.due_at is None or notice.state == Notice.State.WITHDRAWN:
        return
    rule = removal_rule()
    online = [look.seen_at for look in looks if look.outcome == removal.ONLINE]
    if online:
        notice.last_seen_online_at = max(online[-1], notice.last_seen_online_at or online[-1])
    since = removal.gone_since(looks, rule)
    is_open = notice.state in {Notice.State.NOTIFIED, Notice.State.ESCALATED}
    if since is not None and is_open:
        notice.remove(at=now, gone_since=since)
    telling = [look for look in looks if look.outcome in removal.GONE or look.outcome == removal.ONLINE]
    notice.next_check_at = removal.next_check_at(
        now=now,
        notified_at=notice.notified_at,
        due_at=notice.due_at,
        removed_at=notice.removed_at,
        in_doubt=is_open and since is None and bool(telling) and telling[-1].outcome in removal.GONE,
        rule=rule,
        every=settings.HOST.check_every,
    )


def _is_back(notice: Notice, fresh: Sequence[Sighting]) -> bool:
    """Whether one of the new sightings saw online what was proven gone before."""
    since = notice.gone_since
    return (
        notice.state == Notice.State.REMOVED
        and since is not None
        and any(look.outcome == removal.ONLINE and look.seen_at > since for look in fresh)
    )


def _wake_reminders(notices: Sequence[Notice], *, now: datetime) -> None:
    """A reminder that waited because nobody had seen the material lately goes on when somebody has."""
    seen = [notice.pk for notice in notices if seen_lately(notice, now=now)]
    Step.objects.filter(notice__in=seen, waits_for=Step.WaitsFor.SIGHTING, taken_at__isnull=True).update(
        waits_for="", asked_at=None, pass_at=None
    )
