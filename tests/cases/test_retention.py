"""What has been kept long enough is erased, once a day, with a tombstone for each."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Bucket
from audit.models import Event
from cases.models import FollowUp, Report, Reporter, ReportLine
from cases.services import retention
from cases.tasks import sweep_retention
from tests.factories import NOON, SYSTEM, NoticeFactory, ReportFactory, ReportLineFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def with_reporter(**line: Any) -> Report:
    """A report of the public form with one line, whose sender wants to be reached."""
    report = ReportFactory(received_at=NOON - DAY, finished_at=NOON - DAY)
    ReportLineFactory(report=report, **line)
    FollowUp.objects.create(report=report, code_digest=bytes(32))
    reporter = Reporter(report=report)
    reporter.name, reporter.email = "Sasha", "sasha@example.org"
    reporter.save(force_insert=True)
    return report


def day_is_done() -> bool:
    """Whether the last run left nothing."""
    last = Event.objects.filter(act="retain").latest("pk")
    return bool((last.data or {})["finished"])


def erased(*, after: timedelta) -> dict[str, int]:
    return retention.erase(by=SYSTEM, now=NOON + after)


def test_a_reporter_and_the_code_go_thirty_days_after_the_last_line_is_done_and_not_before() -> None:
    report = with_reporter(notice=NoticeFactory(dismissed=True, closed_at=NOON))
    ReportLineFactory(report=report, number=2, notice=NoticeFactory(dismissed=True, closed_at=NOON + DAY))

    assert erased(after=31 * DAY - SECOND) == {
        "reporters": 0,
        "follow_ups": 0,
        "refused_lines": 0,
        "mails": 0,
        "reply_mails": 0,
        "answer_sheets": 0,
    }
    assert erased(after=31 * DAY) == {
        "reporters": 1,
        "follow_ups": 1,
        "refused_lines": 0,
        "mails": 0,
        "reply_mails": 0,
        "answer_sheets": 0,
    }

    assert not Reporter.objects.exists()
    assert not FollowUp.objects.exists()
    assert Report.objects.get() == report
    tombstones = Event.objects.filter(act="erase", subject="report", subject_id=report.pk)
    assert [event.data for event in tombstones.order_by("pk")] == [
        {"what": "reporter"},
        {"what": "follow_up"},
    ]


@pytest.mark.parametrize(
    ("line", "goes"),
    [
        ({"notice": {"removed": True}}, True),
        ({"notice": {"withdrawn": True}}, True),
        ({"notice": {}}, False),
        ({"notice": {"notified": True}}, False),
        ({"notice": {"escalated": True}}, False),
        ({"rejected": True}, True),
        ({"quarantined": True}, False),
        ({"quarantined": True, "decided_at": NOON, "decided_by": "user:1"}, True),
    ],
)
def test_only_a_report_that_has_nothing_left_to_do_is_closed(line: dict[str, Any], goes: bool) -> None:
    if "notice" in line:
        line = {"notice": NoticeFactory(**line["notice"])}
    with_reporter(**line)
    ReportLineFactory(
        report=Report.objects.get(), number=2, notice=NoticeFactory(dismissed=True, closed_at=NOON)
    )

    assert erased(after=100 * DAY)["reporters"] == goes


def test_one_reports_open_line_keeps_nobody_else() -> None:
    with_reporter(notice=NoticeFactory(notified=True))
    with_reporter(notice=NoticeFactory(dismissed=True, closed_at=NOON))

    assert erased(after=100 * DAY)["reporters"] == 1


def test_the_text_of_a_refused_line_goes_and_its_reason_stays() -> None:
    line = ReportLineFactory(rejected=True, raw="nonsense", note="words", referrer="a group")
    waiting = ReportLineFactory(quarantined=True, raw="http://a@b.test@forum.example/")
    decided = ReportLineFactory(
        quarantined=True, raw="http://a@b.test@c.example/", decided_at=NOON, decided_by="user:1"
    )
    kept = ReportLineFactory(note="words of a notice")

    assert erased(after=100 * DAY)["refused_lines"] == 2

    line = ReportLine.objects.get(pk=line.pk)
    assert (line.raw, line.note, line.referrer, line.reason) == ("", "", "", "not_a_url")
    assert ReportLine.objects.get(pk=waiting.pk).raw
    assert not ReportLine.objects.get(pk=decided.pk).raw
    assert ReportLine.objects.get(pk=kept.pk).note
    data = Event.objects.get(act="erase", subject_id=line.report_id).data
    assert data == {"what": "refused_lines", "lines": 1}


def test_a_second_run_erases_nothing() -> None:
    with_reporter(rejected=True, raw="nonsense")

    assert sum(erased(after=100 * DAY).values()) == 3
    assert sum(erased(after=100 * DAY).values()) == 0


def test_what_waits_for_many_batches_is_erased_by_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    report = ReportFactory(received_at=NOON, finished_at=NOON)
    for number in range(1, 8):
        ReportLineFactory(report=report, number=number, rejected=True, raw="nonsense")

    # A slice of a sweep ends; the next goes on, and only then the day is done.
    assert retention.erase(by=SYSTEM, now=NOON + 100 * DAY, slices=2)["refused_lines"] == 4
    assert not day_is_done()
    retention.erase_daily(by=SYSTEM, now=NOON + 100 * DAY)
    assert not ReportLine.objects.exclude(raw_sealed=None).exists()
    assert day_is_done()


def test_the_sweep_does_it_once_a_day_and_makes_up_for_days_that_were_missed() -> None:
    def runs() -> int:
        return Event.objects.filter(act="retain").count()

    retention.erase_daily(by=SYSTEM, now=NOON)
    retention.erase_daily(by=SYSTEM, now=NOON + DAY - SECOND)
    assert runs() == 1
    retention.erase_daily(by=SYSTEM, now=NOON + DAY)
    retention.erase_daily(by=SYSTEM, now=NOON + 9 * DAY)
    assert runs() == 3


def test_the_sweep_forgets_visitors_at_once() -> None:
    Bucket.objects.create(door="report", key=bytes(32), empty_at=NOON - 9_000 * DAY)

    sweep_retention()

    assert not Bucket.objects.exists()


def test_a_dry_run_erases_nothing_and_says_what_it_would(capsys: pytest.CaptureFixture[str]) -> None:
    with_reporter(rejected=True, raw="nonsense")
    Report.objects.update(finished_at=NOON - 900 * DAY)

    call_command("retention", "--dry-run")
    said = capsys.readouterr().out
    assert [line.split()[:4] for line in said.splitlines()] == [
        ["reporters", "1", "would", "be"],
        ["follow_ups", "1", "would", "be"],
        ["refused_lines", "1", "would", "be"],
        ["mails", "0", "would", "be"],
        ["reply_mails", "0", "would", "be"],
        ["answer_sheets", "0", "would", "be"],
    ]
    assert Reporter.objects.exists()
    assert not Event.objects.filter(act__in=["erase", "retain"]).exists()

    call_command("retention")
    assert "1 erased" in capsys.readouterr().out
    assert not Reporter.objects.exists()


def test_more_rows_cost_no_more_queries() -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            erased(after=100 * DAY)
        return len(queries)

    with_reporter(rejected=True, raw="nonsense")
    one = cost()
    for _report in range(10):
        with_reporter(rejected=True, raw="nonsense")

    assert cost() == one
