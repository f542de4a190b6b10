"""Reports and quarantine: looked at, taken in, receipted, decided on."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import Settings

from accounts.models import User
from audit.models import Event
from cases.admin.intake import AT_ONCE
from cases.admin.quarantine_page import as_written
from cases.admin.report import READING
from cases.admin.report_page import left
from cases.models import Notice, Report, ReportLine, Source
from cases.models.report import STUCK
from cases.services.keep import read_due
from tests.factories import ReportFactory, ReportLineFactory

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
ADD = "/staff/reports/add/"
LIST = (
    "https://forum.example/1.jpg\nhxxp://forum[.]example/2.jpg\nno address\nhttp://a@b.test@forum.example/3"
)


def fill(client: Client, *, press: str = "", **fields: Any) -> Any:
    """Fill the form in as it was shown, and press `preview` or the other button."""
    token = re.search(r'name="token" value="([^"]+)"', client.get(ADD).content.decode())
    assert token
    data = {"source": Source.objects.get(code="staff").pk, "token": token[1]} | fields
    return client.post(ADD, data | ({press: "1"} if press else {}), follow=True)


def page_of(report: Report) -> str:
    """Where a report is shown."""
    return f"/staff/cases/report/{report.pk}/change/"


def csv_file(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("reports.csv", text.encode())


def test_a_preview_stores_nothing_and_says_what_would_become_of_each_line(at_work: Client) -> None:
    answer = fill(at_work, press="preview", text=LIST)

    assert [line.line for line in answer.context["receipt"]] == [3, 4, 1, 2], "the exceptions first"
    assert answer.context["outcomes"] == [("new", 2), ("rejected", 1), ("quarantined", 1)]
    assert "This is not a web address" in answer.content.decode()
    assert not Report.objects.exists()
    assert not Notice.objects.exists()


def test_a_pasted_list_is_taken_in_and_receipted(at_work: Client, analyst: User) -> None:
    answer = fill(at_work, text=LIST)

    report = Report.objects.get()
    assert answer.redirect_chain[-1][0] == f"/staff/cases/report/{report.pk}/change/"
    assert answer.context["outcomes"] == [("new", 2), ("rejected", 1), ("quarantined", 1)]
    assert report.by == f"user:{analyst.pk}"
    assert Event.objects.filter(act="receive", subject="report", subject_id=report.pk).exists()


def test_the_same_form_pressed_twice_is_one_report(at_work: Client) -> None:
    data = {"source": Source.objects.get(code="staff").pk, "token": "the-same-token", "text": LIST}

    at_work.post(ADD, data)
    at_work.post(ADD, data)

    assert Report.objects.count() == 1
    assert Notice.objects.count() == 2


def test_a_csv_file_is_previewed_and_then_taken_in(at_work: Client) -> None:
    text = "url;note\r\nhttps://forum.example/1.jpg;one\r\nhttps://forum.example/1.jpg;again\r\n"

    answer = fill(at_work, press="preview", file=csv_file(text))
    assert [line.outcome for line in answer.context["receipt"]] == ["duplicate", "new"]
    assert "choose reports.csv again" in answer.content.decode()

    fill(at_work, file=csv_file(text))
    assert Report.objects.get().way == "file"
    assert Notice.objects.count() == 1


def test_the_same_file_again_adds_nothing(at_work: Client) -> None:
    text = "url\r\nhttps://forum.example/1.jpg\r\n"

    fill(at_work, file=csv_file(text))
    answer = fill(at_work, file=csv_file(text))

    assert "This was taken in before: nothing was added." in answer.content.decode()
    assert Report.objects.count() == Notice.objects.count() == 1


def long_file(count: int = AT_ONCE + 1) -> str:
    """A file that is not read before the answer."""
    return "url\r\n" + "".join(f"https://forum.example/{number}.jpg\r\n" for number in range(count))


def test_a_long_file_is_kept_and_its_page_tells_how_far_it_is(at_work: Client) -> None:
    answer = fill(at_work, file=csv_file(long_file()))
    report = Report.objects.get()

    text = answer.content.decode()
    assert answer.redirect_chain[-1][0] == page_of(report)
    assert "It is kept, and being read." in text
    assert f'value="0" max="{AT_ONCE + 1}"' in text
    assert not Notice.objects.exists()
    for path in (page_of(report), f"/staff/cases/report/{report.pk}/progress/", "/staff/cases/report/"):
        again = at_work.get(path).content.decode()
        assert f'value="0" max="{AT_ONCE + 1}"' in again
        assert "forum" not in again

    read_due(clock=timezone.now)

    assert "data-live-done" in at_work.get(f"/staff/cases/report/{report.pk}/progress/").content.decode()
    assert "data-live-done" in at_work.get("/staff/cases/report/reading/").content.decode()
    answer = at_work.get(page_of(report))
    assert answer.context["outcomes"] == [("new", AT_ONCE + 1)]
    assert "<progress" not in answer.content.decode()


def test_the_sweep_is_woken_for_a_long_file_and_the_answer_names_no_address(
    at_work: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(current_app, "send_task", lambda *name, **options: sent.append((name, options)))

    with django_capture_on_commit_callbacks(execute=True):
        fill(at_work, file=csv_file(long_file()))

    assert sent == [(("cases.tasks.sweep_intake",), {"retry": False, "expires": 60})]


def test_without_a_broker_a_long_file_is_kept_all_the_same(
    at_work: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def away(*_name: str, **_options: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", away)

    with django_capture_on_commit_callbacks(execute=True):
        answer = fill(at_work, file=csv_file(long_file()))

    assert answer.status_code == 200
    assert Report.objects.get().unread.exists()


def test_the_same_file_again_while_it_is_read_leads_to_the_same_page(at_work: Client) -> None:
    fill(at_work, file=csv_file(long_file()))
    answer = fill(at_work, file=csv_file(long_file()))

    assert answer.redirect_chain[-1][0] == page_of(Report.objects.get())
    assert "It is kept, and being read." in answer.content.decode()


def test_one_that_is_stuck_says_so_in_plain_words_and_can_be_tried_again(at_work: Client) -> None:
    fill(at_work, file=csv_file(long_file()))
    Report.objects.update(received_at=timezone.now() - STUCK)
    report = Report.objects.get()

    assert "Nothing is lost" in at_work.get(page_of(report)).content.decode()
    start = at_work.get("/staff/")
    (counter,) = [each for each in start.context["counters"] if each.href.endswith("?read=no")]
    assert (counter.count, counter.tone) == (1, "bad")
    assert [row["report"] for row in at_work.get(counter.href).context["rows"]] == [report]

    answer = at_work.post(f"/staff/cases/report/{report.pk}/nudge/", follow=True)
    assert "The reading was asked to go on." in answer.content.decode()


def test_one_whose_lines_went_with_a_broken_command_asks_for_the_file_again(at_work: Client) -> None:
    report = ReportFactory(total=10_000, done=4_000, finished_at=None)

    text = at_work.get(page_of(report)).content.decode()

    assert "Bring the same file again" in text
    assert "/nudge/" not in text


def test_time_left_is_told_from_the_pace_and_not_when_that_would_be_a_guess() -> None:
    began = timezone.now()
    report = ReportFactory.build(
        total=10_000, done=4_000, finished_at=None, received_at=began, moved_at=began + 4 * SECOND
    )

    assert left(report, began + 5 * SECOND) == 6 * SECOND
    assert left(report, began + 60 * SECOND) is None
    report.received_at = began - 3_600 * SECOND
    assert left(report, began + 5 * SECOND) is None
    report.moved_at = None
    assert left(report, began + 5 * SECOND) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Paste at least one address, or choose a file of at most 20 MB."),
        ({"text": "   \n "}, "Paste at least one address, or choose a file"),
        ({"text": "x", "file": csv_file("url\r\nx")}, "Paste a list or choose a file, not both."),
        ({"file": csv_file("link\r\nx")}, "no column “link”"),
        ({"file": SimpleUploadedFile("reports.xlsx", b"PK\x03\x04")}, "must end in one of"),
        ({"file": csv_file("PK\x03\x04")}, "spreadsheet or a ZIP"),
        ({"source": "999", "text": "x"}, "Please correct this"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_with_its_reason(
    at_work: Client, fields: dict[str, Any], said: str
) -> None:
    for value in fields.values():
        if isinstance(value, io.IOBase | SimpleUploadedFile):
            value.seek(0)

    answer = fill(at_work, **fields)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Report.objects.exists()


def test_a_file_that_is_too_large_never_touches_the_disk(
    at_work: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_disk(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("a temporary file was made")

    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000
    monkeypatch.setattr("tempfile.NamedTemporaryFile", on_disk)

    answer = fill(at_work, file=csv_file("url\r\n" + "https://forum.example/1.jpg\r\n" * 100))

    assert answer.status_code == 422
    assert "of at most 20 MB" in answer.content.decode()


def test_the_receipt_is_downloaded_as_csv_without_addresses(at_work: Client) -> None:
    fill(at_work, text=LIST)
    report, notice = Report.objects.get(), Notice.objects.order_by("pk")[0]

    answer = at_work.get(f"/staff/cases/report/{report.pk}/receipt/")

    lines = b"".join(answer).decode().splitlines()
    assert lines[:2] == ["line;outcome;notice;reason", f"1;new;{notice.reference};"]
    assert len(lines) == 5
    assert "forum" not in "".join(lines)
    assert answer["Content-Disposition"] == f'attachment; filename="{report.reference}.csv"'


def test_the_page_of_a_report_shows_masked_addresses_only(at_work: Client) -> None:
    fill(at_work, text="https://forum.example/some/where/secret-picture.jpg")

    text = at_work.get(f"/staff/cases/report/{Report.objects.get().pk}/change/").content.decode()

    assert "forum.example/…re.jpg" in text
    assert "secret-picture" not in text


def test_the_list_counts_outcomes_with_one_query_for_all(at_work: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page = at_work.get("/staff/cases/report/")
        assert all(row["outcomes"] == [("new", 1)] for row in page.context["rows"])
        return len(asked)

    ReportLineFactory()
    queries()
    few = queries()
    for _ in range(10):
        ReportLineFactory()

    assert queries() == few <= 7


def test_the_page_of_a_report_asks_as_often_for_a_thousand_lines_as_for_one(at_work: Client) -> None:
    def queries(count: int) -> int:
        fill(at_work, text="".join(f"https://forum.example/{count}/{n}.jpg\n" for n in range(count)))
        report = Report.objects.latest("pk")
        read_due(clock=timezone.now)
        with CaptureQueriesContext(connection) as asked:
            at_work.get(page_of(report))
        return len(asked)

    queries(1)
    assert queries(1) == queries(1_000) <= 13


def test_the_lines_of_a_report_are_shown_by_outcome_and_from_any_number(at_work: Client) -> None:
    bad = {150, 350}
    text = "".join(f"{'bad' if n in bad else f'https://forum.example/{n}.jpg'}\n" for n in range(1, 401))
    fill(at_work, text=text)
    read_due(clock=timezone.now)
    path = page_of(Report.objects.get())

    def shown(query: str) -> tuple[list[int], int | None, int | None]:
        context = at_work.get(f"{path}?{query}").context
        return [line.number for line in context["lines"]], context["previous_line"], context["next_line"]

    assert shown("") == (list(range(1, 101)), None, 101)
    assert shown("line=101") == (list(range(101, 201)), 1, 201)
    assert shown("line=351") == (list(range(351, 401)), 251, None)
    assert shown("outcome=rejected") == ([150, 350], None, None)
    assert shown("outcome=rejected&line=151") == ([350], 150, None)
    assert shown("outcome=new&line=330") == ([*range(330, 350), *range(351, 401)], 230, None)
    assert shown("outcome=reappeared") == ([], None, None)
    for query in ("line=-1", "line=x", "line=٣", "line=" + "9" * 30, "outcome=x"):
        assert shown(query)[0] == list(range(1, 101))
    assert shown("line=999")[0] == []


def test_reports_are_found_by_source_way_and_what_became_of_their_lines(at_work: Client) -> None:
    plain = ReportLineFactory().report
    waiting = ReportLineFactory(quarantined=True, report__way="form").report
    decided = ReportLineFactory(quarantined=True, decided_at=timezone.now()).report
    rejected = ReportLineFactory(rejected=True, report__source__code="partner").report
    running = ReportFactory(finished_at=None, done=0, received_at=timezone.now())
    stuck = ReportFactory(finished_at=None, done=0)

    def found(query: str) -> set[Report]:
        return {row["report"] for row in at_work.get(f"/staff/cases/report/?{query}").context["rows"]}

    assert found("lines=waiting") == {waiting}
    assert found("lines=quarantined") == {waiting, decided}
    assert found("lines=rejected") == {rejected}
    assert found("read=no") == {running, stuck}
    assert found("read=stuck") == {stuck}
    assert found("read=yes") == {plain, waiting, decided, rejected}
    assert found("way__exact=form") == {waiting}
    assert found(f"source__id__exact={rejected.source_id}") == {rejected}
    assert found("read=x&lines=y") == {plain, waiting, decided, rejected, running, stuck}


def test_what_is_read_stands_on_top_and_costs_one_query(at_work: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            at_work.get("/staff/cases/report/reading/")
        return len(asked)

    ReportFactory(finished_at=None, done=0)
    few = queries()
    for _ in range(20):
        ReportFactory(finished_at=None, done=0)

    assert queries() == few
    assert len(at_work.get("/staff/cases/report/").context["reading"]) == READING


def test_a_preview_looks_at_ten_thousand_lines_and_reads_the_file_to_its_end(
    at_work: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cases.admin.intake.LOOKED_AT", 10)

    answer = fill(at_work, press="preview", file=csv_file(long_file(11)))
    assert (answer.context["total"], answer.context["more"]) == (10, True)
    assert "The first 10 lines were looked at." in answer.content.decode()

    answer = fill(at_work, press="preview", file=csv_file(long_file(11) + '"'))
    assert "Line 13: A quotation mark that opens here is not closed" in answer.content.decode()
    answer = fill(at_work, press="preview", file=csv_file(long_file(10)))
    assert answer.context["more"] is False


@pytest.mark.parametrize(
    "name", ["../../etc/reports.csv", "re%0D%0Aports.csv", "re\u202eports.csv", "<b>.csv", "..\\reports.csv"]
)
def test_a_files_name_is_shown_clean_and_its_ending_alone_counts(at_work: Client, name: str) -> None:
    body, kind = upload(name)

    answer = at_work.post(ADD, body, content_type=kind)

    shown = answer.content.decode()
    assert answer.context["total"] == 1
    assert ".." not in answer.context["from_file"]
    assert not {"\u202e", "\r", "\n", "/", "\\"} & set(answer.context["from_file"])
    assert "<b>.csv" not in shown


def test_a_line_end_in_a_files_name_ends_the_header_and_brings_no_file(at_work: Client) -> None:
    body, kind = upload("re\r\nports.csv")

    answer = at_work.post(ADD, body, content_type=kind)

    assert answer.status_code == 422
    assert not Report.objects.exists()


def upload(name: str) -> tuple[bytes, str]:
    """The body of a preview of a file with that name, as a program sends it that cleans nothing."""
    end = "a-boundary"
    fields = {"source": str(Source.objects.get(code="staff").pk), "token": "t", "preview": "1"}
    parts = [
        f'--{end}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    parts.append(f'--{end}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
    parts.append(f"url\r\nhttps://forum.example/1.jpg\r\n--{end}--\r\n")
    return "".join(parts).encode(), f"multipart/form-data; boundary={end}"


def test_an_import_that_was_broken_off_shows_how_far_it_came(at_work: Client) -> None:
    report = ReportFactory(total=10_000, done=4_000, finished_at=None)

    text = at_work.get(f"/staff/cases/report/{report.pk}/change/").content.decode()

    assert '<progress aria-labelledby="reading-label" value="4000" max="10000">' in text


# -- quarantine ---------------------------------------------------------------------------------------------


@pytest.fixture
def line(db: None) -> ReportLine:
    """A line that nobody can be sure of."""
    made: ReportLine = ReportLineFactory(
        quarantined=True,
        content=None,
        raw="https://example.com\\@forum.example/some/secret-picture.jpg",
        reason="backslash",
    )
    return made


def decide(client: Client, line: ReportLine, verb: str, **fields: str) -> str:
    return client.post(f"/staff/quarantine/{line.pk}/{verb}/", fields, follow=True).content.decode()


def test_a_quarantined_line_says_why_and_is_defanged_and_masked(at_work: Client, line: ReportLine) -> None:
    text = at_work.get("/staff/quarantine/").content.decode()

    assert "There is a backslash in it: programs differ on which host is meant." in text
    assert "hxxps://example[.]com\\@forum[.]example/…re.jpg" in text
    assert "secret-picture" not in text


def test_an_accepted_line_gets_its_notice(at_work: Client, analyst: User, line: ReportLine) -> None:
    decide(at_work, line, "accept")

    line = ReportLine.objects.get(pk=line.pk)
    assert line.outcome == "new"
    assert line.notice is not None
    assert line.decided_by == f"user:{analyst.pk}"
    assert Event.objects.filter(act="decide_quarantined", subject_id=line.report_id).exists()


def test_a_rejected_line_is_out_of_the_way(at_work: Client, line: ReportLine) -> None:
    decide(at_work, line, "reject")

    assert ReportLine.objects.get(pk=line.pk).outcome == "quarantined"
    assert "Nothing is in quarantine" in at_work.get("/staff/quarantine/").content.decode()
    assert not Notice.objects.exists()


def test_a_line_is_decided_on_once(at_work: Client, line: ReportLine) -> None:
    decide(at_work, line, "reject")

    assert "This line was decided already." in decide(at_work, line, "accept")


def test_the_whole_line_is_shown_once_and_written_down(
    at_work: Client, analyst: User, line: ReportLine
) -> None:
    text = decide(at_work, line, "reveal", why="judge")

    assert '<code class="revealed">https://example.com\\@forum.example/some/secret-picture.jpg</code>' in text
    event = Event.objects.get(act="reveal", subject="report")
    assert (event.actor, event.data) == (f"user:{analyst.pk}", {"line": 1, "reason": "judge"})
    assert "secret-picture" not in decide(at_work, line, "reveal", why="")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("http://user:pw@evil.test/long/path/x.jpg", "hxxp://user:pw@evil[.]test/…/x.jpg"),
        ("www.forum.example/abc", "www[.]forum[.]example/…bc"),
        ("http:///forum.example/", "hxxp:///forum[.]example"),
        ("\thttp://10.0.0.7/1234567890", "hxxp://10[.]0[.]0[.]7/…567890"),
        ("", ""),
        ("https://" + "a" * 500 + ".test/1234567", "hxxps://" + "a" * 200 + "/…234567"),
    ],
)
def test_a_line_is_shown_in_its_own_spelling_but_never_whole(raw: str, shown: str) -> None:
    assert as_written(raw) == shown
