"""A file of answers: looked at line by line, then recorded once."""

import re
import zipfile
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import Event
from cases.models import AnswerSheet, Notice, Reply
from cases.services import answer_sheets, retention
from providers.models import Provider
from tests.factories import AMONG_OWN_ROWS, HOUR, SYSTEM, AttributionFactory, NoticeFactory
from tests.portal.test_notice import words
from tests.portal.world import an_hour_ago, notified

URL = "/portal/answers/file/"


def sent(portal: Client, content: bytes | str, name: str = "answers.csv") -> str:
    """Upload it; returns where its sheet is."""
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    answer = portal.post(URL, {"file": file, "once": "one"})
    assert answer.status_code == 302, words(answer.content)
    return str(answer["Location"])


def outcome(portal: Client, sheet: str) -> list[list[str]]:
    """The lines of the sheet's file."""
    file = portal.get(f"{sheet}outcome.csv").content.decode("utf-8-sig")
    return [line.split(";") for line in file.split("\r\n")[1:-1]]


def test_a_file_is_shown_first_and_recorded_when_somebody_says_so(portal: Client, alfa: Provider) -> None:
    one, two = notified(provider=alfa), notified(provider=alfa)
    lines = (
        "answer;note;Reference;reason;at;customer_reference",
        f"removed;wiped;{one.reference.lower()};;2026-01-05T13:50:00+01:00;T-1",
        f'not_ours;;{two.reference};"Beta; the reseller";;',
    )
    sheet = sent(portal, "\ufeff" + "\r\n".join(lines))

    said = words(portal.get(sheet).content)
    assert "2 answers are recorded." in said
    assert "Nothing is recorded yet." in said
    assert not Reply.objects.exists()
    assert Notice.objects.get(pk=one.pk).version == one.version

    page = portal.post(f"{sheet}record/", follow=True)
    assert "Recorded for 2 notices." in words(page.content)
    claim, objection = Reply.objects.order_by("notice_id")
    assert claim.claimed_at is not None
    assert (claim.answer, claim.note, f"{claim.claimed_at:%H:%M}") == ("removed", "wiped", "12:50")
    assert (objection.answer, objection.reason) == ("not_ours", "Beta; the reseller")
    assert Notice.objects.get(pk=one.pk).customer_reference == ""


def test_a_bad_line_names_its_column_and_loses_no_other(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    good, foreign = notified(provider=alfa), notified(provider=beta)
    gone = NoticeFactory(removed=True, provider=alfa, notified_at=an_hour_ago() - 30 * HOUR)
    lines = (
        "reference;answer;at;reason;note",
        "N-1;removed;;;",
        f"{good.reference};deleted;;;",
        f"{good.reference};removed;yesterday;;",
        f"{good.reference};removed;2026-02-30T10:00:00Z;;",
        f"{good.reference};removed;2026-01-05T10:00:00;;",
        f"{good.reference};removed;2999-01-05T10:00:00Z;;",
        f"{good.reference};dispute;;;",
        f"{good.reference};forwarded;;{'x' * 301};",
        f"{good.reference};forwarded;;;{'x' * 4001}",
        f"{good.reference};removed",
        f"{foreign.reference};removed;;;",
        f"{gone.reference};removed;;;",
        f"{good.reference};;;;",
        ";;;;",
        "",
        f"=1+1{good.reference};removed;;;",
        f"{good.reference};acknowledged;;;",
    )
    sheet = sent(portal, "\n".join(lines))
    portal.post(f"{sheet}record/")

    told = {int(line[0]): (line[3], line[4]) for line in outcome(portal, sheet)}
    assert told == {
        2: ("refused", "reference"),
        3: ("refused", "answer"),
        4: ("refused", "at"),
        5: ("refused", "at"),
        6: ("refused", "at"),
        7: ("refused", "at"),
        8: ("refused", "reason"),
        9: ("refused", "reason"),
        10: ("refused", "note"),
        11: ("refused", ""),
        12: ("refused", "reference"),
        13: ("refused", ""),
        17: ("refused", "reference"),
        18: ("recorded", ""),
    }
    assert Reply.objects.get().answer == "acknowledged"
    page = words(portal.get(sheet).content)
    assert "Column answer: It must be one of: acknowledged, removed" in page


def test_the_same_file_again_adds_nothing(portal: Client, alfa: Provider) -> None:
    notices = [notified(provider=alfa) for _ in range(3)]
    content = "reference;answer;reason\n" + "".join(
        f"{notice.reference};{answer};why\n"
        for notice, answer in zip(notices, ("removed", "dispute", "forwarded"), strict=True)
    )
    sheet = sent(portal, content)
    for _ in range(2):
        page = portal.post(f"{sheet}record/", follow=True)
        assert "Recorded for 3 notices." in words(page.content)
    # The same page pressed twice is the same sheet; a later upload is one that has nothing new.
    assert sent(portal, content) == sheet
    file = SimpleUploadedFile("answers.csv", content.encode())
    later = portal.post(URL, {"file": file, "once": "two"}, follow=True)
    assert "3 we have already: nothing changes." in words(later.content)
    assert "Record these" not in words(later.content)
    assert Reply.objects.count() == 3


def test_a_claim_of_the_same_moment_is_not_repeated_after_we_saw_it_again(
    portal: Client, alfa: Provider
) -> None:
    notice = notified(provider=alfa)
    content = f"reference;answer;at\n{notice.reference};removed;2026-01-05T10:00:00Z\n"
    portal.post(f"{sent(portal, content)}record/")
    Notice.objects.filter(pk=notice.pk).update(claim_answer=Notice.ClaimAnswer.STILL_REACHABLE)
    again = portal.post(URL, {"file": SimpleUploadedFile("a.csv", content.encode()), "once": "two"})
    assert [line[3] for line in outcome(portal, again["Location"])] == ["unchanged"]
    # A later moment is a new claim.
    new = content.replace("T10:", "T11:")
    assert [line[3] for line in outcome(portal, sent(portal, new))] == ["recorded"]


def _zip() -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    return made.getvalue()


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_file_is_read_whatever_a_spreadsheet_puts_between_its_columns(
    portal: Client, alfa: Provider, separator: str
) -> None:
    notice = notified(provider=alfa)
    rows = (("reference", "answer", "note"), (notice.reference, "need_information", '"Which one, a; or b?"'))
    text = "\r\n".join(separator.join(row) for row in rows)
    sheet = portal.post(
        URL, {"file": SimpleUploadedFile("answers.csv", text.encode()), "once": "one"}, follow=True
    )
    assert "1 answer in your file" in words(sheet.content)

    (kept,) = AnswerSheet.objects.all()
    portal.post(f"/portal/answers/{kept.token}/record/")
    assert [(reply.answer, reply.note) for reply in Reply.objects.all()] == [
        ("need_information", "Which one, a; or b?")
    ]


HEAD = "reference;answer\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\n\n", "The column “reference” is missing."),
        (HEAD.encode(), "There is no answer in it"),
        (b"reference answer\nN-0123456789 removed\n", "There is no column “reference answer”."),
        (b"reference\nN-0123456789\n", "The column “answer” is missing."),
        (b"reference;answer;answer\n", "there twice"),
        (b"reference;answer;url\n", "There is no column “url”."),
        ((HEAD + "N-0123456789;removed\n").encode("utf-16"), "UTF-16"),
        ((HEAD + "N-0123456789;café\n").encode("cp1252"), "Line 2: It is not in UTF-8"),
        ((HEAD + "N-0123456789;\0\n").encode(), "Line 2: There is a NUL"),
        (
            (HEAD + "N-0123456789;removed\n" + 'N-1;"open\n' + "x;y\n" * 50).encode(),
            "Line 3: A quotation mark",
        ),
        ((HEAD + f"N-0123456789;{'x' * 200_000}\n").encode(), "longer than 131,072"),
        ((HEAD + "a;b\rc;d\n").encode(), "carriage return"),
        ((HEAD + "N-0123456789;removed\n" * 5_001).encode(), "more than 5,000 answers"),
        (_zip(), "spreadsheet or a ZIP"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\xd0\xcf\x11\xe0", "spreadsheet"),
        (b"", "empty"),
    ],
)
def test_what_is_no_file_of_answers_is_refused_in_words_and_nothing_is_kept(
    portal: Client, alfa: Provider, content: bytes, why: str
) -> None:
    file = SimpleUploadedFile("../../\u202eanswers.csv", content)
    page = portal.post(URL, {"file": file, "once": "one"})
    assert page.status_code == 422
    assert why in words(page.content)
    assert not AnswerSheet.objects.exists()


@pytest.mark.parametrize("form", [{}, {"once": "one"}, {"file": "text", "once": "one"}])
def test_no_file_is_said(portal: Client, form: dict[str, str]) -> None:
    assert portal.post(URL, form).status_code == 422


def test_the_open_list_is_a_file_to_fill_in_and_it_is_recorded_who_took_it(
    portal: Client, alfa: Provider, beta: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    place = AttributionFactory(provider=alfa, address="192.0.2.10")
    notice = notified(
        provider=alfa,
        attribution=place,
        customer_reference="=HYPERLINK(1)",
        content__url="https://forum.example/threads/secret-path/0001.jpg",
    )
    notified(provider=alfa, attribution__address="192.0.2.11")
    notified(provider=beta, attribution=place)
    # Session, person, notices, the event.
    with django_assert_num_queries(4 + AMONG_OWN_ROWS):
        file = portal.post("/portal/answers/to-fill-in/", {"back": "ip=192.0.2.10"})
    text = file.content.decode("utf-8-sig")
    header, line, end = text.split("\r\n")
    assert header.startswith("reference;answer;at;reason;note;customer_reference;ip;")
    assert line.startswith(f"{notice.reference};;;;;'=HYPERLINK(1);192.0.2.10;")
    assert "secret-path" not in text
    assert "forum.example" in text
    assert end == ""
    event = Event.objects.get(act="export", subject="provider")
    assert (event.subject_id, event.data) == (alfa.pk, {"notices": 1})

    # What is filled in goes back as it is.
    filled = text.replace(f"{notice.reference};;", f"{notice.reference};acknowledged;")
    assert [line[3] for line in outcome(portal, sent(portal, filled))] == ["recorded"]


def test_a_sheet_that_was_only_looked_at_is_gone_after_a_day(portal: Client, alfa: Provider) -> None:
    sheet = sent(portal, f"reference;answer\n{notified(provider=alfa).reference};removed\n")
    before, after = (timezone.now() + answer_sheets.KEPT + minutes * HOUR / 60 for minutes in (-1, 1))
    assert retention.erase(by=SYSTEM, now=before)["answer_sheets"] == 0
    assert retention.erase(by=SYSTEM, now=after)["answer_sheets"] == 1
    assert portal.get(sheet).status_code == 404
    assert portal.post(f"{sheet}record/").status_code == 404


def test_of_many_files_that_nobody_records_the_oldest_are_let_go(portal: Client, alfa: Provider) -> None:
    reference = notified(provider=alfa).reference
    sheets = [
        sent(portal, f"reference;answer;note\n{reference};need_information;{number}\n")
        for number in range(answer_sheets.MOST_WAITING + 1)
    ]
    assert [portal.get(sheet).status_code for sheet in sheets] == [404, *[200] * answer_sheets.MOST_WAITING]


def test_the_pages_of_a_sheet_say_first_what_was_not_taken(
    portal: Client, alfa: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    notice = notified(provider=alfa)
    good = f"{notice.reference};need_information"
    content = (
        "reference;answer;note\n" + "".join(f"{good};{number}\n" for number in range(105)) + "N-1;removed;\n"
    )
    sheet = sent(portal, content)
    # Session, person and their provider, sheet, notices, earlier answers.
    with django_assert_num_queries(5 + AMONG_OWN_ROWS):
        page = portal.get(sheet)
    rows = re.findall(r'data-label="Line">(\d+)<', page.content.decode())
    assert (len(rows), rows[0]) == (100, "107")
    assert portal.get(f"{sheet}?page=2").content.decode().count('data-label="Line">') == 6
    for nonsense in ("-1", "x", "%00", "1" * 400):
        assert portal.get(f"{sheet}?page={nonsense}").status_code == 200
