"""What became of a report: told late, by line, without anything of the content."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from cases.models import FollowUp, Notice, Report
from cases.services.follow import Outcome, follow
from cases.services.refused import NotFound
from tests.factories import NOON, NoticeFactory, ReportFactory, ReportLineFactory
from tests.public.conftest import FOLLOW, Send, ticket

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
CODE = "0123456789AB"


def reported(*, at: Any = NOON, **line: Any) -> Report:
    """A report of one line, made by the public form at `at`."""
    report = ReportFactory(received_at=at, finished_at=at)
    ReportLineFactory(report=report, **line)
    FollowUp.objects.create(report=report, code_digest=FollowUp.digest_of(report.reference, CODE))
    return report


def told(report: Report, *, after: timedelta) -> tuple[str, date | None]:
    (line,) = follow(reference=report.reference, code=CODE, now=report.received_at + after)
    return line.outcome, line.day


def test_number_and_code_open_the_outcome_of_each_line(visitor: Client, send: Send) -> None:
    page = send(addresses="https://forum.example/1\nnonsense\nhttp://10.0.0.7/x")

    answer = visitor.post(FOLLOW, ticket(page))

    assert answer.status_code == 200
    assert [line.outcome for line in answer.context["lines"]] == ["looked_at", "no_address", "looked_at"]
    assert "forum.example" not in answer.text
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]


def test_number_and_code_may_be_typed_as_people_type(visitor: Client, send: Send) -> None:
    held = ticket(send(addresses="https://forum.example/1"))
    typed = {
        "number": held["number"].lower().removeprefix("r-"),
        "code": held["code"].lower().replace("-", " "),
    }
    typed["code"] = typed["code"].replace("0", "o").replace("1", "l")

    assert visitor.post(FOLLOW, typed).status_code == 200


def test_wrong_number_wrong_code_and_code_of_another_report_get_the_same_answer(
    visitor: Client, send: Send
) -> None:
    mine = ticket(send(addresses="https://forum.example/1"))
    yours = ticket(send(addresses="https://forum.example/2"))
    staffs = ReportFactory(reference="R-STAFF00001")

    pages = [
        visitor.post(FOLLOW, asked)
        for asked in (
            mine | {"code": yours["code"]},
            mine | {"code": "0000-0000-0000"},
            mine | {"number": "R-0000000000"},
            mine | {"number": staffs.reference},
        )
    ]

    texts = {re.sub(r'(value|content)="[^"]*"|<time.*?</time>', "", page.text) for page in pages}
    assert [page.status_code for page in pages] == [422] * 4
    assert all("There is no report with this number and this code." in page.text for page in pages)
    assert len(texts) == 1


@pytest.mark.parametrize("field", ["number", "code"])
@pytest.mark.parametrize("text", ["", "x" * 5_000, "\x00", "R-" + "۱" * 10, "' OR 1=1 --", "\u202e"])
def test_odd_numbers_and_codes_are_refused(visitor: Client, send: Send, field: str, text: str) -> None:
    held = ticket(send(addresses="https://forum.example/1"))

    assert visitor.post(FOLLOW, held | {field: text}).status_code == 422


def test_guessing_is_put_off(visitor: Client, settings: Settings) -> None:
    settings.RATES = settings.RATES | {
        "follow": {"address": (3, HOUR), "network": (9, HOUR), "everybody": (9, HOUR)}
    }

    pages = [visitor.post(FOLLOW, {"number": "R-0000000000", "code": f"{n:012d}"}) for n in range(5)]

    assert [page.status_code for page in pages] == [422] * 3 + [429] * 2
    assert int(pages[-1]["Retry-After"]) > 0


def test_number_and_code_in_a_query_open_nothing(visitor: Client, send: Send) -> None:
    held = ticket(send(addresses="https://forum.example/1"))

    assert "lines" not in visitor.get(FOLLOW, held).context


def test_nothing_is_told_in_the_first_two_days_even_of_what_was_known_before() -> None:
    known = NoticeFactory(notified=True, notified_at=NOON - 500 * HOUR)
    report = reported(notice=known, outcome="duplicate")

    assert told(report, after=47 * HOUR) == (Outcome.LOOKED_AT, None)
    # The day is not that on which it was passed on either.
    assert told(report, after=48 * HOUR) == (Outcome.PASSED_ON, date(2026, 11, 26))


def test_what_is_known_and_what_is_new_is_told_at_the_same_moment() -> None:
    known = reported(notice=NoticeFactory(notified=True, notified_at=NOON - 500 * HOUR), outcome="duplicate")
    fresh = reported(notice=NoticeFactory(notified=True, notified_at=NOON + 5 * HOUR, received_at=NOON))

    for hours in (1, 24, 47, 48, 60):
        assert told(known, after=hours * HOUR) == told(fresh, after=hours * HOUR)


def test_news_is_told_a_day_late() -> None:
    report = reported(at=NOON - 300 * HOUR, notice=NoticeFactory(notified=True, notified_at=NOON))

    assert told(report, after=323 * HOUR) == (Outcome.LOOKED_AT, None)
    assert told(report, after=324 * HOUR) == (Outcome.PASSED_ON, date(2026, 11, 25))


def test_police_first_looks_like_everything_that_is_looked_at() -> None:
    held, plain = reported(notice=NoticeFactory(held=True)), reported(notice=NoticeFactory())

    assert told(held, after=1_000 * HOUR) == told(plain, after=1_000 * HOUR) == (Outcome.LOOKED_AT, None)


@pytest.mark.parametrize(
    ("because", "outcome"),
    [
        ("not_illegal", Outcome.JUDGED),
        ("cannot_judge", Outcome.JUDGED),
        ("hosted_abroad", Outcome.ABROAD),
        ("gone_before_notice", Outcome.GONE),
        ("duplicate", Outcome.LOOKED_AT),
    ],
)
def test_a_dismissal_is_told_in_words_that_say_no_more_than_needed(because: str, outcome: Outcome) -> None:
    notice = NoticeFactory(dismissed=True, closed_because=because, closed_at=NOON)

    assert told(reported(notice=notice), after=100 * HOUR)[0] == outcome


def test_proven_gone_comes_after_passed_on() -> None:
    notice = NoticeFactory(removed=True)
    report = reported(at=notice.received_at, notice=notice)

    assert told(report, after=notice.removed_at - report.received_at + 23 * HOUR)[0] in {
        Outcome.PASSED_ON, Outcome.LOOKED_AT
    }  # fmt: skip
    assert told(report, after=notice.removed_at - report.received_at + 60 * HOUR)[0] == Outcome.GONE


def test_what_moved_is_told_of_the_notice_that_goes_on() -> None:
    first = NoticeFactory(withdrawn=True, closed_because="moved")
    NoticeFactory(removed=True, content=first.content, previous=first)

    assert told(reported(notice=first), after=1_000 * HOUR)[0] == Outcome.GONE


def test_an_upheld_objection_is_told_as_judged_and_not_as_passed_on() -> None:
    notice = NoticeFactory(withdrawn=True, closed_because="objection_upheld")

    assert told(reported(notice=notice), after=1_000 * HOUR)[0] == Outcome.JUDGED


def test_a_line_that_a_person_left_aside_is_no_address() -> None:
    report = reported(quarantined=True, notice=None, decided_at=NOON, decided_by="user:1")

    assert told(report, after=20 * HOUR)[0] == Outcome.LOOKED_AT
    assert told(report, after=48 * HOUR)[0] == Outcome.NO_ADDRESS


def test_a_code_that_was_erased_opens_nothing() -> None:
    report = reported()
    FollowUp.objects.all().delete()

    with pytest.raises(NotFound):
        follow(reference=report.reference, code=CODE, now=NOON)


def test_more_lines_cost_no_more_queries() -> None:
    report = reported()
    for number in range(2, 21):
        notice = NoticeFactory(dismissed=True, closed_because="duplicate", closed_at=NOON)
        ReportLineFactory(report=report, number=number, notice=notice)

    with CaptureQueriesContext(connection) as queries:
        assert len(follow(reference=report.reference, code=CODE, now=timezone.now())) == 20

    assert len(queries) == 3
    assert Notice.objects.count() == 20
