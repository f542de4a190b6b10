"""W1: a CSV of 10,000 lines comes in, 20 % of them duplicates and 3 % bad, into a table of many.

Limit: COPY, in one piece, of the very bytes that the import wrote, into the same tables with their unique
indexes and foreign keys; reading, encrypting, looking up and the guards of the state cost it nothing.
Naive: parse, look up and save line by line, in a transaction each. Ours: from the bytes of the file to the
last commit, in batches, with audit rows and every guard awake.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import BinaryIO

from django.db import connection, transaction

from audit.record import Actor, record
from bench import world
from bench.measure import RUNS, Ratio, Workload, measure, measure_in_turn
from cases import url as urls
from cases.formats import receipt
from cases.intake import csv_file
from cases.intake.files import keep_file
from cases.models import Content, Notice, Report, ReportLine, Source
from cases.models.notice import new_reference
from cases.services.keep import read_on
from cases.services.placing import OPEN
from cases.services.receive import digest_of

BY = Actor.system("bench")
LINES = 10_000
NAIVE_LINES = 1_000
#: What an import wrote: (table, bytes for COPY).
Copies = list[tuple[str, bytes]]
#: What an import writes, in an order that foreign keys allow: table, and which rows are the import's.
_WRITTEN = (
    ("cases_content", "created_at = %s"),
    ("cases_notice", "received_at = %s"),
    ("cases_report", "received_at = %s"),
    ("cases_reportline", "report_id IN (SELECT id FROM cases_report WHERE received_at = %s)"),
    ("audit_event", "at = %s"),
)


def run(rows: int) -> Workload:
    """Measure at `rows` notices, and ours also at a tenth of them."""
    made = Workload(1, "intake", {"notices": rows, "lines": LINES})
    first, *others = _written(RUNS + 1)
    _fill(rows // 10, first)
    few = measure(_ours(range(1, 9)), before=world.vacuum)
    _fill(rows, first)
    peak = _peak_mb()
    ours, limit = measure_in_turn((_ours(range(11, 19)), world.vacuum), (_limit(others), world.vacuum))
    began = time.perf_counter()
    _naive(_file(NAIVE_LINES, seed=21))
    naive_line = (time.perf_counter() - began) / NAIVE_LINES
    _take(_file(10 * LINES, seed=22))
    made.times |= {"limit: COPY of the same bytes": limit, "ours": ours, "ours among a tenth": few}
    made.ratios["limit / ours"] = Ratio(limit.median / ours.median, 0.25)
    made.ratios["naive / ours"] = Ratio(naive_line * LINES / ours.median, 15)
    made.ratios["seconds"] = Ratio(ours.median, 30, at_most=True)
    made.ratios["ours / ours among a tenth"] = Ratio(ours.median / few.median, 1.2, at_most=True)
    made.ratios["memory, 10 times the lines"] = Ratio(_peak_mb() / peak, 1.2, at_most=True)
    made.notes.append(f"ours: {LINES / ours.median:,.0f} lines/s; limit: {LINES / limit.median:,.0f} lines/s")
    answered, whole = _whole_job(_file(LINES, seed=23))
    made.notes.append(f"from upload to answer {answered:.1f} s, to the end of its receipt {whole:.1f} s")
    made.notes.append(f"naive: {1 / naive_line:,.0f} lines/s, measured on {NAIVE_LINES:,} lines")
    return made


def _fill(rows: int, first: Copies) -> None:
    """The world, and in it the file that later ones repeat in part."""
    world.fill(rows, due=0)
    _copy_in(first)


def _ours(seeds: Iterable[int]) -> Callable[[], Report]:
    # Every run brings other addresses, as real files do; the table grows by one in a hundred at most.
    files = iter([_file(LINES, seed=seed) for seed in seeds])
    return lambda: _take(next(files))


def _file(lines: int, *, seed: int) -> BinaryIO:
    """A file: 10 % are lines of the file of seed 0, 10 % are twice in it in another spelling, 3 % are bad."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - gone with its last reader
    file.write(b"url;referrer;reference;received_at;category;note\r\n")
    for number in range(lines):
        page = f"https://www.forum.example/t/{number}"
        row = f'{_reported(number, seed)};{page};EXT-{number};2026-10-31T10:00:00Z;forum;"a note; quoted"\r\n'
        file.write(row.encode())
    return file


def _reported(number: int, seed: int) -> str:
    match number % 100:
        case 3:
            return "javascript:alert(1)"
        case 4:
            return "http://127.0.0.1/x"
        case 5:
            return "not an address"
    match number % 10:
        case 1:
            return _address(number - 1, 0)
        case 2:
            return _address(number - 2, seed).replace("https://img", "HTTPS://IMG")
    return _address(number, seed)


def _address(number: int, seed: int) -> str:
    return f"https://img{number % 500}.forum.example/g/{seed}/{number:07d}.jpg?id={number * 7919 % 9973}"


def _keep(file: BinaryIO, now: datetime = world.NOW) -> Report:
    source = Source.objects.get(code="partner")
    return keep_file(file, name="bench.csv", source=source, by=BY, now=now)


def _take(file: BinaryIO, now: datetime = world.NOW) -> Report:
    """As the form and the sweep do it: keep the file, then read what is kept to its end."""
    return read_on(report_id=_keep(file, now).pk, now=now)


def _whole_job(file: BinaryIO) -> tuple[float, float]:
    """Seconds from a file to the answer of the form, and to the last line of its receipt."""
    began = time.perf_counter()
    report = _keep(file)
    answered = time.perf_counter() - began
    read_on(report_id=report.pk, now=world.NOW)
    written = sum(text.count("\r\n") for text in receipt.as_csv(receipt.lines(report)))
    if written != LINES + 1:
        raise RuntimeError(f"the receipt has {written} lines")
    return answered, time.perf_counter() - began


def _written(files: int) -> list[Copies]:
    """What the imports of the file of seed 0 and of `files` others write. The tables are empty afterwards.

    It is copied into a table that never saw those addresses, as an import is: their places in the indexes
    are cold. The ids lie far above all others.
    """
    world.fill(0, due=0)
    with connection.cursor() as cursor:
        for table in ("cases_notice", "cases_report", "audit_event"):
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH 1000000000")
    return [_dumped(seed and 100 + seed, world.NOW + timedelta(seconds=seed)) for seed in range(files + 1)]


def _dumped(seed: int, at: datetime) -> Copies:
    """What one import writes, by table, in the form that COPY takes."""
    _take(_file(LINES, seed=seed), now=at)
    copies = []
    with connection.cursor() as cursor:
        for table, own in _WRITTEN:
            condition = own % f"'{at.isoformat()}'"
            with cursor.copy(
                f"COPY (SELECT * FROM {table} WHERE {condition}) TO STDOUT (FORMAT BINARY)"
            ) as copy:
                copies.append((table, b"".join(bytes(part) for part in copy)))
    return copies


def _limit(dumps: list[Copies]) -> Callable[[], None]:
    fresh = iter(dumps)
    return lambda: _copy_in(next(fresh))


def _copy_in(copies: Copies) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        world.guards(cursor, "DISABLE")
        for table, content in copies:
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(content)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        world.guards(cursor, "ENABLE")


def _naive(file: BinaryIO) -> None:
    """As one would write it at first: each line for itself."""
    report = Report.objects.create(
        reference=new_reference("R-"),
        source=Source.objects.get(code="partner"),
        way=Report.Way.FILE,
        digest=digest_of("naive"),
        received_at=world.NOW,
        total=NAIVE_LINES,
        by=str(BY),
    )
    file.seek(0)
    for number, line in enumerate(csv_file.lines(file), start=1):
        with transaction.atomic():
            row = ReportLine(
                report=report, number=number, their_reference=line.reference, category=line.category
            )
            row.raw, row.referrer, row.note = line.url, line.referrer, line.note
            try:
                _place(row, urls.parse(line.url))
            except urls.Refusal as refusal:
                row.outcome, row.reason = ReportLine.Outcome.REJECTED, refusal.code
            except urls.Quarantine as quarantine:
                row.outcome, row.reason = ReportLine.Outcome.QUARANTINED, quarantine.code
            row.save()
            report.done = number
            report.save()


def _place(row: ReportLine, parsed: urls.Parsed) -> None:
    content = Content.objects.filter(url_key=Content.key_of(parsed.canonical)).first()
    if content is None:
        content = Content.of(parsed, now=world.NOW)
        content.save()
    notice = Notice.objects.filter(content=content, state__in=OPEN).first()
    row.outcome = ReportLine.Outcome.DUPLICATE
    if notice is None:
        notice = Notice.objects.create(content=content, received_at=world.NOW)
        record("receive", "notice", notice.pk, by=BY, at=world.NOW, became=notice.state)
        row.outcome = ReportLine.Outcome.NEW
    row.content, row.notice = content, notice


def _peak_mb() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
