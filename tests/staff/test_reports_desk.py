"""Reports and quarantine: looked at, taken in, receipted, decided on."""

import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from audit.models import Event
from cases.admin.quarantine import as_written
from cases.models import Notice, Report, ReportLine, Source
from tests.factories import ReportFactory, ReportLineFactory

pytestmark = pytest.mark.django_db
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


def csv_file(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("reports.csv", text.encode())


def test_a_preview_stores_nothing_and_says_what_would_become_of_each_line(at_work: Client) -> None:
    answer = fill(at_work, press="preview", text=LIST)

    assert [line.outcome for line in answer.context["receipt"]] == ["new", "new", "rejected", "quarantined"]
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
    assert [line.outcome for line in answer.context["receipt"]] == ["new", "duplicate"]
    assert "choose reports.csv again" in answer.content.decode()

    fill(at_work, file=csv_file(text))
    assert Report.objects.get().way == "file"
    assert Notice.objects.count() == 1


def test_the_same_file_again_adds_nothing(at_work: Client) -> None:
    text = "url\r\nhttps://forum.example/1.jpg\r\n"

    fill(at_work, file=csv_file(text))
    fill(at_work, file=csv_file(text))

    assert Report.objects.count() == Notice.objects.count() == 1


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
    text = decide(at_work, line, "reveal", reason="judge")

    assert '<code class="revealed">https://example.com\\@forum.example/some/secret-picture.jpg</code>' in text
    event = Event.objects.get(act="reveal", subject="report")
    assert (event.actor, event.data) == (f"user:{analyst.pk}", {"line": 1, "reason": "judge"})
    assert "secret-picture" not in decide(at_work, line, "reveal", reason="")


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
