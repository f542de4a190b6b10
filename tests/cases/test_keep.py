"""What is kept first and read afterwards: nothing is lost, nothing is read twice, nothing stays."""

import io
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection

from audit.models import Event
from audit.record import Actor
from cases.formats import receipt
from cases.intake.files import keep_file, take_file
from cases.intake.way import Unreadable
from cases.models import Notice, Report, ReportLine, Unread
from cases.services import keep as services
from cases.services.receive import BATCH, Changed, Line, NoLines, receive, source_of
from tests.factories import NOON, SourceFactory

NOOR = Actor("user", "12")
LATER = NOON + timedelta(minutes=30)
A = "https://forum.example/a.jpg"


def keep(*urls: str, **more: object) -> Report:
    """Keep these addresses, brought by Noor at noon."""
    arguments = {"source": SourceFactory(), "way": Report.Way.FORM, "digest": None, "by": NOOR, "now": NOON}
    arguments["lines"] = [Line(url) for url in urls]
    return services.keep(**(arguments | more))  # type: ignore[arg-type]


def many(count: int, folder: str = "x") -> list[Line]:
    return [Line(f"https://forum.example/{folder}/{number:06d}.jpg") for number in range(count)]


def csv_of(count: int, folder: str = "x") -> io.BytesIO:
    """A file of new addresses; one line in ten repeats the one before it, one in a hundred is bad."""
    rows = (
        "no address" if n % 100 == 7 else f"https://forum.example/{folder}/{n - n % 10 // 9:06d}.jpg"
        for n in range(count)
    )
    return io.BytesIO(("url;note\r\n" + "".join(f"{row};a note\r\n" for row in rows)).encode())


def sweep() -> None:
    services.read_due(clock=lambda: LATER)


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`ticking(n)`: a pass of the sweep whose time is over after n batches."""

    def run(batches: int) -> None:
        # Once to know the end, then before each batch and at the end.
        ticks: Iterator[int] = iter([0] * (1 + batches) + [10**6])
        services.read_due(clock=lambda: LATER + timedelta(seconds=next(ticks)))

    return run


@pytest.mark.django_db
def test_what_is_kept_waits_whole_and_sealed_and_nothing_is_read_yet() -> None:
    report = keep(lines=[Line(A, referrer=A, note="words"), *many(BATCH)])

    assert (report.total, report.done, report.finished_at) == (BATCH + 1, 0, None)
    assert [(each.first, each.last) for each in report.unread.all()] == [(1, BATCH), (BATCH + 1, BATCH + 1)]
    assert not Notice.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(u)::text FROM cases_unread u")
        rows = "".join(row for (row,) in cursor.fetchall())
    assert "forum" not in rows
    assert b"forum".hex() not in rows


@pytest.mark.django_db
def test_a_sweep_reads_it_in_the_name_of_who_brought_it_and_nothing_of_it_stays() -> None:
    report = keep(A, "no address")

    sweep()

    report = Report.objects.get(pk=report.pk)
    assert (report.done, report.finished_at, report.moved_at) == (2, LATER, LATER)
    assert [line.outcome for line in receipt.lines(report)] == ["new", "rejected"]
    assert set(Event.objects.values_list("actor", flat=True)) == {str(NOOR)}
    assert not Unread.objects.exists()


@pytest.mark.django_db
def test_a_late_sweep_does_not_make_a_notice_younger_than_its_report() -> None:
    keep(A)

    sweep()

    assert Notice.objects.get().received_at == NOON
    assert Event.objects.get(subject="notice").at == LATER


@pytest.mark.django_db
def test_every_field_of_a_line_is_read_as_it_was_kept() -> None:
    said = [
        Line(A, referrer="https://forum.example/t", reference="7", category="forum", note="a\r\n\"b\";é", received_at=NOON),
        Line("http://a\ud800/"),
        Line(A, fault="bad_columns"),
        Line(A, sha256="ab" * 32),
        Line(""),
    ]  # fmt: skip

    assert services._unpacked(services._packed(said)) == said


@pytest.mark.django_db
def test_kept_or_taken_in_at_once_a_file_comes_to_the_same() -> None:
    def rows(report: Report) -> list[tuple[object, ...]]:
        return list(report.lines.order_by("number").values_list("number", "outcome", "reason"))

    def bring(verb: Callable[..., Report], folder: str) -> Report:
        stream = csv_of(2 * BATCH, folder)
        return verb(stream, name="a.csv", source=SourceFactory(), by=NOOR, now=NOON)

    kept, taken = bring(keep_file, "x"), bring(take_file, "y")
    sweep()

    assert rows(kept) == rows(taken)
    assert Counter(outcome for _number, outcome, _reason in rows(kept)) == {
        "new": BATCH * 2 * 89 // 100,
        "duplicate": BATCH * 2 // 10,
        "rejected": BATCH * 2 // 100,
    }


@pytest.mark.django_db
def test_the_same_again_finds_the_first_however_far_it_was_read(ticking: Callable[[int], None]) -> None:
    lines = many(2 * BATCH + 1)
    first = keep(lines=lines, digest=b"1" * 32)
    again = [keep(lines=lines, digest=b"1" * 32)]
    ticking(1)
    assert Report.objects.get().done == BATCH
    again.append(keep(lines=lines, digest=b"1" * 32))
    sweep()
    again.append(keep(lines=lines, digest=b"1" * 32, now=LATER))
    sweep()

    assert again == [first] * 3
    assert ReportLine.objects.count() == Notice.objects.count() == len(lines)
    assert not Unread.objects.exists()
    assert Event.objects.filter(act="receive", subject="report").count() == 1


@pytest.mark.django_db
def test_a_pass_ends_when_its_time_is_over_and_the_next_goes_on(ticking: Callable[[int], None]) -> None:
    report = keep(lines=many(2 * BATCH + 1))

    ticking(1)
    assert (Report.objects.get().done, Unread.objects.count()) == (BATCH, 2)
    ticking(5)

    assert Report.objects.get(pk=report.pk).finished_at is not None


@pytest.mark.django_db
def test_a_short_report_does_not_wait_for_a_long_one(ticking: Callable[[int], None]) -> None:
    long, short = keep(lines=many(3 * BATCH)), keep(A)

    ticking(2)

    assert Report.objects.get(pk=short.pk).finished_at is not None
    assert Report.objects.get(pk=long.pk).done == BATCH


@pytest.mark.django_db
def test_one_that_cannot_be_read_is_named_in_the_log_and_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, whole = keep(A), keep("https://forum.example/b.jpg")
    # Sealed for another row: it does not open here.
    Unread.objects.filter(report=broken).update(lines_sealed=whole.unread.get().lines_sealed)

    with caplog.at_level(logging.ERROR):
        sweep()

    assert Report.objects.get(pk=whole.pk).finished_at is not None
    assert Report.objects.get(pk=broken.pk).done == 0
    assert broken.reference in caplog.text
    assert "forum" not in caplog.text


@pytest.mark.django_db
def test_a_file_that_is_refused_leaves_nothing() -> None:
    bad = io.BytesIO(csv_of(2 * BATCH).getvalue() + b"\xff\r\n")

    with pytest.raises(Unreadable, match=f"Line {2 * BATCH + 2}"):
        keep_file(bad, name="a.csv", source=SourceFactory(), by=NOOR, now=NOON)
    with pytest.raises(NoLines):
        keep_file(io.BytesIO(b"url\n"), name="a.csv", source=SourceFactory(), by=NOOR, now=NOON)

    assert not Report.objects.exists()
    assert not Unread.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_a_report_whose_call_was_broken_off_is_completed_by_the_same_lines_again() -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    lines = many(2 * BATCH)
    with pytest.raises(KeyboardInterrupt):
        receive(
            source=SourceFactory(),
            way="file",
            lines=lines,
            digest=b"1" * 32,
            by=NOOR,
            now=NOON,
            progress=stop,
        )

    with pytest.raises(Changed):
        keep(lines=many(BATCH + 3), digest=b"1" * 32)
    report = keep(lines=lines, digest=b"1" * 32)
    assert [(each.first, each.last) for each in report.unread.all()] == [(BATCH + 1, 2 * BATCH)]
    sweep()

    assert Report.objects.get().finished_at == LATER
    assert Notice.objects.count() == 2 * BATCH


@pytest.mark.django_db
def test_taken_in_by_command_while_it_waits_it_is_read_once_and_nothing_stays() -> None:
    kept = keep_file(csv_of(BATCH + 5), name="a.csv", source=SourceFactory(), by=NOOR, now=NOON)

    taken = take_file(csv_of(BATCH + 5), name="b.csv", source=SourceFactory(), by=NOOR, now=LATER)

    assert (taken, taken.done) == (kept, BATCH + 5)
    assert not Unread.objects.exists()
    sweep()
    assert ReportLine.objects.count() == BATCH + 5


@pytest.mark.django_db
def test_what_is_short_can_be_read_at_once() -> None:
    report = services.read_on(report_id=keep(A).pk, now=NOON)

    assert (report.done, report.finished_at) == (1, NOON)
    assert services.read_on(report_id=report.pk, now=LATER) == report


@pytest.mark.django_db
def test_a_report_is_stuck_when_nothing_of_it_was_read_for_five_minutes(
    ticking: Callable[[int], None],
) -> None:
    report = keep(lines=many(BATCH + 1))
    five = timedelta(minutes=5)

    assert list(Report.objects.stuck(now=NOON + five)) == [report]
    assert not Report.objects.stuck(now=NOON + five - timedelta(microseconds=1))
    ticking(1)
    report = Report.objects.get()
    assert not report.is_stuck(now=LATER)
    assert report.is_stuck(now=LATER + five)
    sweep()
    assert not Report.objects.stuck(now=LATER + five)
    assert not Report.objects.get().is_stuck(now=LATER + five)


# -- side by side -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_file_brought_by_four_while_three_sweeps_read_is_one_report(
    together: Callable[..., None],
) -> None:
    content, partner = csv_of(2 * BATCH).getvalue(), source_of("partner")

    def bring() -> None:
        keep_file(io.BytesIO(content), name="a.csv", source=partner, by=NOOR, now=NOON)
        sweep()

    together(*[bring] * 4)
    sweep()

    report = Report.objects.get()
    assert report.done == report.total == report.lines.count() == 2 * BATCH
    assert Event.objects.filter(act="finish").count() == 1
    assert not Unread.objects.exists()
