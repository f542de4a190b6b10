"""Reading stored texts again by a newer rule of the canonical form (cases/url), and taking what it makes of them.

Two addresses are never joined and nobody who was told is changed without a person: such contents keep their form
and are marked (Rereading). ADR 0016.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Q

from audit.record import Actor, event, record, record_many
from cases import url as urls
from cases.models import Content, Notice, ReportLine, Rereading
from cases.services import placing
from cases.services.moving import moving_many
from providers.routing import host_key
from vault.keys import CannotUnseal

#: Contents per transaction. Intake waits while one is written: a fraction of a second.
BATCH: Final = 500
UNCHANGED: Final = "unchanged"
CHANGED: Final = "changed"
Outcome = Rereading.Outcome


@dataclass(slots=True)
class Left:
    """A content that keeps its old form. `other_id`: the content that it would join."""

    content_id: UUID
    outcome: str
    reason: str = ""
    other_id: UUID | None = None


@dataclass(slots=True)
class Tally:
    """What became of the contents of an older rule: a count per outcome, and those that were left."""

    counts: Counter[str] = field(default_factory=Counter)
    left: list[Left] = field(default_factory=list)


@dataclass(slots=True)
class _Reading:
    """A content and what the rule of today makes of its text."""

    content: Content
    parsed: urls.Parsed | None = None
    key: bytes = b""
    left: Left | None = None

    @property
    def outcome(self) -> str:
        if self.left is not None:
            return self.left.outcome
        return UNCHANGED if self.key == bytes(self.content.url_key) else CHANGED

    @property
    def means_other_host(self) -> bool:
        return self.parsed is not None and host_key(self.parsed.host) != bytes(self.content.host_key)

    def leave(self, outcome: str, *, reason: str = "", other_id: UUID | None = None) -> None:
        """Let it keep its old form."""
        self.left = Left(self.content.pk, outcome, reason, other_id)


def outdated() -> int:
    """How many contents were read by an older rule. Counts the table: for a command, not for a page."""
    return _outdated().count()


def recanonicalise(
    *, by: Actor, now: datetime, dry_run: bool = False, progress: Callable[[int], None] | None = None
) -> Tally:
    """Read every text of an older rule again, in batches of one transaction each.

    Broken off, it goes on where it stopped, because what is done carries the version of today; what was left is
    tried again every time. A dry run changes nothing. `progress` hears how many are done.
    """
    tally, done = Tally(), 0
    taken: dict[bytes, UUID] = {}
    for contents in _batches():
        if dry_run:
            readings = [_read(content) for content in contents]
            _judge(readings, taken)
        else:
            readings = _take([content.pk for content in contents], by=by, now=now)
        tally.counts.update(reading.outcome for reading in readings)
        tally.left += [reading.left for reading in readings if reading.left is not None]
        done += len(contents)
        if progress is not None:
            progress(done)
    return tally


def references(content_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The reference of the last notice about each content: by that a person finds it."""
    notices = Notice.objects.filter(content__in=content_ids).order_by("content_id", "-pk")
    return dict(notices.distinct("content_id").values_list("content_id", "reference"))


def _outdated() -> models.QuerySet[Content]:
    return Content.objects.filter(rule_version__lt=urls.RULE_VERSION)


def _batches() -> Iterator[list[Content]]:
    """In order of id, so that what is left behind is not met again."""
    rest = Q()
    while contents := list(_outdated().filter(rest).order_by("pk")[:BATCH]):
        yield contents
        rest = Q(pk__gt=contents[-1].pk)


def _take(content_ids: Sequence[UUID], *, by: Actor, now: datetime) -> list[_Reading]:
    """Judge a batch and write what comes of it. Who was quicker has left less of it."""
    with transaction.atomic():
        # Nobody may bring in the address that one of these is about to get.
        placing.lock_intake()
        locked = _outdated().filter(pk__in=content_ids).order_by("pk").select_for_update()
        readings = [_read(content) for content in locked]
        _judge(readings, {})
        changed = [reading for reading in readings if reading.outcome == CHANGED]
        _write(changed)
        settled = [reading.content.pk for reading in readings if reading.left is None]
        Content.objects.filter(pk__in=settled).update(rule_version=urls.RULE_VERSION)
        Rereading.objects.filter(content__in=settled).delete()
        _mark([reading.left for reading in readings if reading.left is not None], now=now)
        _tell(changed, by=by, now=now)
        if readings:
            data = dict(Counter(reading.outcome for reading in readings))
            record("recanonicalise", "rule", urls.RULE_VERSION, by=by, at=now, data=data)
    return readings


def _read(content: Content) -> _Reading:
    reading = _Reading(content)
    try:
        reading.parsed = urls.parse(content.raw)
    except CannotUnseal:
        reading.leave(Outcome.SEALED)
    except urls.Refusal as refusal:
        reading.leave(Outcome.REFUSED, reason=refusal.code)
    except urls.Quarantine as quarantine:
        reading.parsed = quarantine.parsed
        reading.leave(Outcome.QUARANTINED, reason=quarantine.code)
    if reading.parsed is not None:
        reading.key = Content.key_of(reading.parsed.canonical)
    return reading


def _judge(readings: Sequence[_Reading], taken: dict[bytes, UUID]) -> None:
    """Leave what only a person can decide. `taken`: addresses that contents before these would get."""
    accepted = _accepted([r.content.pk for r in readings if r.left and r.left.outcome == Outcome.QUARANTINED])
    for reading in readings:
        if reading.content.pk in accepted:
            reading.left = None
    changed = [reading for reading in readings if reading.outcome == CHANGED]
    there = placing.known({reading.key for reading in changed})
    told = _told([reading.content.pk for reading in changed if reading.means_other_host])
    for reading in changed:
        place = there.get(reading.key)
        other_id = place.content_id if place else taken.get(reading.key)
        if other_id is not None:
            reading.leave(Outcome.JOINS, other_id=other_id)
        elif reading.content.pk in told:
            reading.leave(Outcome.OTHER_HOST)
        else:
            taken[reading.key] = reading.content.pk


def _accepted(content_ids: Sequence[UUID]) -> set[UUID]:
    """Those that came out of quarantine by a person's yes: they need no second one."""
    lines = ReportLine.objects.filter(content__in=content_ids, decided_at__isnull=False, notice__isnull=False)
    return set(lines.values_list("content_id", flat=True))


def _told(content_ids: Sequence[UUID]) -> set[UUID]:
    """Those about which a message was put in the outbox or sent."""
    notices = Notice.objects.filter(content__in=content_ids, routed_at__isnull=False)
    return set(notices.values_list("content_id", flat=True))


def _write(changed: Sequence[_Reading]) -> None:
    """The new form of each, by one statement."""
    columns: list[list[object]] = [[], [], [], [], []]
    for reading in changed:
        if reading.parsed is not None:
            row = str(reading.content.pk)
            sealed_url = Content.url.sealed(row, reading.parsed.canonical)
            sealed_host = Content.host.sealed(row, reading.parsed.host)
            values = (reading.content.pk, sealed_url, sealed_host, reading.key, host_key(reading.parsed.host))
            for column, value in zip(columns, values, strict=True):
                column.append(value)
    statement = """
        UPDATE cases_content c
        SET url_sealed = v.url_sealed, host_sealed = v.host_sealed, url_key = v.url_key, host_key = v.host_key
        FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[])
            AS v (id, url_sealed, host_sealed, url_key, host_key)
        WHERE c.id = v.id
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)


def _mark(left: Sequence[Left], *, now: datetime) -> None:
    Rereading.objects.bulk_create(
        (
            Rereading(
                content_id=one.content_id,
                outcome=one.outcome,
                reason=one.reason,
                other_id=one.other_id,
                rule_version=urls.RULE_VERSION,
                at=now,
            )
            for one in left
        ),
        update_conflicts=True,
        unique_fields=["content"],
        update_fields=["outcome", "reason", "other", "rule_version", "at"],
    )


def _tell(changed: Sequence[_Reading], *, by: Actor, now: datetime) -> None:
    """Write it down with every notice, and let who hosts it be looked up anew where the host is another."""
    moved = {reading.content.pk for reading in changed if reading.means_other_host}
    data = {"rule": urls.RULE_VERSION}
    notices = Notice.objects.filter(content__in=[reading.content.pk for reading in changed]).order_by("pk")
    placed: list[int] = []
    others: list[int] = []
    for notice in notices.only("content_id", "state", "attribution_id"):
        is_placed = (
            notice.content_id in moved and notice.state == Notice.State.RECEIVED and notice.attribution_id
        )
        (placed if is_placed else others).append(notice.pk)
    with moving_many(placed, "recanonicalise", by=by, now=now, data=data) as unplaced:
        for notice in unplaced:
            notice.attribution_id = notice.provider_id = None
    record_many(event("recanonicalise", "notice", pk, by=by, at=now, data=data) for pk in others)
