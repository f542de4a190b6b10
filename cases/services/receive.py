"""Reports come in: each line is read once, and becomes a notice, a corroboration or a reason why not."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases import url as urls
from cases.formats.receipt import ReceiptLine
from cases.models import Content, Fingerprint, Report, ReportLine, Source, Unread
from cases.models.copying import copy_in
from cases.models.fingerprint import TRIVIAL, sha256_of
from cases.models.notice import new_reference
from cases.services import placing
from cases.services.fingerprints import remember
from cases.services.refused import Invalid
from providers.routing import host_key
from vault.sealed import new_id

#: Lines per transaction: what a crash makes us do again, and how long another import waits.
BATCH: Final = 2_000

_LONGEST: Final = {"referrer": 8_192, "reference": 200, "category": 40, "note": 10_000}
Outcome = ReportLine.Outcome


class UnknownSource(Invalid):
    """There is no source with that code."""

    code = "unknown_source"


class NoLines(Invalid):
    """There is nothing to report in it."""

    code = "no_lines"


class Changed(Invalid):
    """There are other lines than were counted before: the file changed meanwhile."""

    code = "changed"


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it came in. `fault` is a code of LINE_REASONS that the way in has found already."""

    url: str
    referrer: str = ""
    reference: str = ""
    category: str = ""
    note: str = ""
    sha256: str = ""
    received_at: datetime | None = None
    fault: str = ""


@dataclass(slots=True)
class _Reading:
    """A line that was read. `parsed` and `key` only for an address that may get a notice."""

    number: int
    line: Line
    outcome: str = ""
    reason: str = ""
    parsed: urls.Parsed | None = None
    key: bytes = b""
    sha256: bytes | None = None
    place: placing.Place | None = None


def source_of(code: str) -> Source:
    """The source with that code. Raises UnknownSource."""
    source = Source.objects.filter(code=code).first()
    if source is None:
        there_are = ", ".join(Source.objects.order_by("code", "pk").values_list("code", flat=True))
        raise UnknownSource(
            _("There is no source “%(code)s”. There are: %(sources)s.") % {"code": code, "sources": there_are}
        )
    return source


def receive(
    *,
    source: Source,
    way: str,
    lines: Iterable[Line],
    by: Actor,
    now: datetime,
    total: int | None = None,
    digest: bytes | None = None,
    their_reference: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Take in a report here and now, `BATCH` lines at a time; each batch is one transaction.

    `digest` (32 bytes) is what makes it the same report again: one that is finished is given back as it is
    and adds nothing, one that was broken off goes on where it stopped; both also when two run side by side.
    Without it every call is a report of its own. `total` must be given when `lines` is not a list, and
    `lines` must then yield the same again for the same digest. `progress` hears (done, total) after each batch,
    and before the first of what goes on. What may not come a second time is for `keep` first.
    Raises NoLines, or Changed when `lines` end before `total`.
    """
    if total is None:
        lines = list(lines)
        total = len(lines)
    if total == 0:
        raise NoLines(_("There are no lines in it."))
    # One batch is there whole or not at all.
    with transaction.atomic() if total <= BATCH else nullcontext():
        with transaction.atomic():
            report, is_new = find_or_begin(source, way, digest, total, their_reference, by=by, now=now)
            if is_new:
                record_begin(report, by=by, now=now)
        if progress is not None and report.finished_at is None and report.done:
            progress(report.done, report.total)
        numbered = islice(enumerate(lines, start=1), report.done, report.total)
        while report.finished_at is None:
            batch = list(islice(numbered, BATCH))
            if not batch:
                raise changed()
            report = take(report.pk, batch, by=by, now=now)
            if progress is not None:
                progress(report.done, report.total)
    return report


def changed() -> Changed:
    """What is said of lines that are not those of before."""
    return Changed(_("It has other lines than it had a moment ago. Please send it again."))


def preview(lines: Iterable[Line]) -> Iterator[ReceiptLine]:
    """What `receive` would make of each line now; nothing is stored. A new notice has no reference yet."""
    seen: dict[bytes, placing.Place] = {}
    numbered = enumerate(lines, start=1)
    while batch := list(islice(numbered, BATCH)):
        readings = [_read(number, line) for number, line in batch]
        _judge(readings, seen)
        for reading in readings:
            exists = reading.place is not None and reading.place.notice_id is not None
            reference = reading.place.reference if reading.place and exists else ""
            yield ReceiptLine(reading.number, reading.outcome, reference, reading.reason)


def digest_of(*parts: str) -> bytes:
    """The digest of a report that is no file: from what names the call or form it came by."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


def find_or_begin(
    source: Source,
    way: str,
    digest: bytes | None,
    total: int,
    their_reference: str,
    *,
    by: Actor,
    now: datetime,
) -> tuple[Report, bool]:
    """The report with that digest, and whether it is new. Waits for somebody who begins the same one."""
    return Report.objects.get_or_create(
        source=source,
        digest=digest or secrets.token_bytes(32),
        defaults={
            "reference": new_reference("R-"),
            "way": way,
            "their_reference": their_reference,
            "received_at": now,
            "total": total,
            "by": str(by),
        },
    )


def record_begin(report: Report, *, by: Actor, now: datetime) -> None:
    """Write down that a report came in."""
    data = {"source": report.source.code, "way": report.way, "lines": report.total}
    record("receive", "report", report.pk, by=by, at=now, data=data)


def take(report_id: int, batch: Sequence[tuple[int, Line]], *, by: Actor, now: datetime) -> Report:
    """Take in what nobody has taken yet of a batch of numbered lines: one transaction."""
    readings = [_read(number, line) for number, line in batch]
    with transaction.atomic():
        report = Report.objects.select_for_update().get(pk=report_id)
        # The same file beside us may be ahead.
        readings = [reading for reading in readings if reading.number > report.done]
        if readings:
            placing.lock_intake()
            _store(report, readings, by=by, now=now)
            report.done, report.moved_at = readings[-1].number, now
            if report.done == report.total:
                report.finished_at = now
                record("finish", "report", report.pk, by=by, at=now)
            report.save(update_fields=["done", "moved_at", "finished_at"])
            # What is read is not kept.
            Unread.objects.filter(report=report, last__lte=report.done).delete()
    return report


def _read(number: int, line: Line) -> _Reading:
    said = line.sha256.strip()
    sha256 = sha256_of(said) if said else None
    fault = line.fault or _too_long(line) or (_bad_sha256(sha256) if said else "")
    if fault:
        return _Reading(number, line, Outcome.REJECTED, fault)
    try:
        parsed = urls.parse(line.url)
    except urls.Refusal as refusal:
        return _Reading(number, line, Outcome.REJECTED, refusal.code, sha256=sha256)
    except urls.Quarantine as quarantine:
        return _Reading(number, line, Outcome.QUARANTINED, quarantine.code, sha256=sha256)
    return _Reading(number, line, parsed=parsed, key=Content.key_of(parsed.canonical), sha256=sha256)


def _bad_sha256(sha256: bytes | None) -> str:
    if sha256 is None:
        return "bad_sha256"
    return "trivial_sha256" if sha256 in TRIVIAL else ""


def _too_long(line: Line) -> str:
    for name, longest in _LONGEST.items():
        if len(getattr(line, name)) > longest:
            return f"{name}_too_long"
    return ""


def _judge(readings: Sequence[_Reading], seen: dict[bytes, placing.Place]) -> None:
    """Give every address its outcome and its place. `seen`: what was met before, in this call of the verb."""
    addresses = [reading for reading in readings if reading.key]
    seen.update(placing.known({reading.key for reading in addresses} - seen.keys()))
    for reading in addresses:
        before = seen.get(reading.key)
        if before is not None and before.is_open:
            reading.outcome, reading.place = Outcome.DUPLICATE, before
            continue
        # Whatever line comes next with this address corroborates the notice that this one opens.
        seen[reading.key] = reading.place = placing.fresh(before)
        reading.outcome = Outcome.NEW if reading.place.previous_id is None else Outcome.REAPPEARED


def _store(report: Report, readings: Sequence[_Reading], *, by: Actor, now: datetime) -> None:
    _judge(readings, {})
    # What this batch opens itself has no notice yet, and one source.
    again = [r.place.notice_id for r in readings if r.place and r.place.notice_id]
    contents, places = [], []
    for reading in readings:
        if reading.place is None or reading.parsed is None or reading.outcome == Outcome.DUPLICATE:
            continue
        if reading.place.content_id is None:
            reading.place.content_id = new_id()
            contents.append(_content(reading.place.content_id, reading.parsed, reading.key, now))
        places.append(reading.place)
    copy_in(Content, _CONTENT, contents)
    # A sweep that is late delays nobody's clock: the notice came in when its report did.
    placing.open_notices(
        places, by=by, now=now, received_at=report.received_at, data={"report": report.reference}
    )
    copy_in(ReportLine, _LINE, (_line(report.pk, reading) for reading in readings))
    placing.corroborate(again, source_id=report.source_id)
    said = ((r.place.content_id, r.sha256) for r in readings if r.sha256 and r.place and r.place.content_id)
    remember(said, source=Fingerprint.Source.REPORT, now=now)


# Rows are tuples here: tens of thousands of model instances would be half of the time of an import.
_CONTENT: Final = (
    "id", "url_sealed", "raw_sealed", "host_sealed", "url_key", "host_key", "rule_version", "created_at",
)  # fmt: skip
_LINE: Final = (
    "id", "report_id", "number", "outcome", "reason", "content_id", "notice_id", "raw_sealed", "referrer_sealed",
    "note_sealed", "their_reference", "category", "sha256", "reported_at", "decided_by",
)  # fmt: skip


def _content(content_id: UUID, parsed: urls.Parsed, key: bytes, now: datetime) -> tuple[object, ...]:
    """What `Content.of` makes, as a row of `_CONTENT`."""
    row = str(content_id)
    return (
        content_id,
        Content.url.sealed(row, parsed.canonical),
        Content.raw.sealed(row, parsed.raw),
        Content.host.sealed(row, parsed.host),
        key,
        host_key(parsed.host),
        parsed.rule_version,
        now,
    )


def _line(report_id: int, reading: _Reading) -> tuple[object, ...]:
    """A row of `_LINE`."""
    line, place, line_id = reading.line, reading.place, new_id()
    row = str(line_id)
    # A new line's text stands with its content, which it is the first to bring. Half characters (the reason
    # "bad_text") cannot be written down.
    raw = "" if reading.outcome == Outcome.NEW else line.url.encode(errors="replace").decode()
    return (
        line_id,
        report_id,
        reading.number,
        reading.outcome,
        reading.reason,
        place and place.content_id,
        place and place.notice_id,
        ReportLine.raw.sealed(row, raw),
        ReportLine.referrer.sealed(row, line.referrer),
        ReportLine.note.sealed(row, line.note),
        # What is too long to keep was the reason of the rejection.
        line.reference[: _LONGEST["reference"]],
        line.category[: _LONGEST["category"]],
        reading.sha256,
        line.received_at,
        "",
    )
