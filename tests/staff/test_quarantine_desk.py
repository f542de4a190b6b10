"""The quarantine desk: what a line would become, many decided at once, by keyboard."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from cases.admin.quarantine_page import SHORT
from cases.models import ReportLine
from cases.services.quarantine import Meaning
from cases.url.reasons import QUARANTINED
from tests.factories import ContentFactory, NoticeFactory, ReportFactory, ReportLineFactory
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_work(browser: Browser, analyst: User) -> Client:
    """An analyst's browser."""
    return browser(analyst)


@pytest.fixture
def line(db: None) -> ReportLine:
    """A line that nobody can be sure of: the browsers take it for example.com, others for forum.example."""
    made: ReportLine = ReportLineFactory(
        report=ReportFactory(reference="R-0000000001", total=99, done=99),
        quarantined=True,
        content=None,
        raw="https://example.com\\@forum.example/some/secret-picture.jpg",
        reason="backslash",
    )
    return made


def aside(line: ReportLine, raw: str, number: int, reason: str = "backslash") -> ReportLine:
    """Another line of the same report."""
    made: ReportLine = ReportLineFactory(
        report=line.report, quarantined=True, content=None, raw=raw, reason=reason, number=number
    )
    return made


def test_a_line_says_what_it_would_become(at_work: Client, line: ReportLine) -> None:
    open_one = NoticeFactory(content=ContentFactory(url="http://known.example/a/picture.jpg"))
    gone = NoticeFactory(content=ContentFactory(url="http://gone.example/a/picture.jpg"), removed=True)
    lines = {
        number: aside(line, raw, number, "no_scheme")
        for number, raw in enumerate(
            ("known.example/a/picture.jpg", "gone.example/a/picture.jpg", "http://a..b.example/"), start=2
        )
    }

    rows = {row["line"].pk: row["meant"] for row in at_work.get("/staff/quarantine/").context["rows"]}

    assert rows[line.pk] == Meaning("new", "example.com/…re.jpg")
    assert rows[lines[2].pk] == Meaning("duplicate", "known.example/…re.jpg", open_one.reference)
    assert rows[lines[3].pk] == Meaning("reappeared", "gone.example/…re.jpg", gone.reference)
    assert rows[lines[4].pk] == Meaning("rejected", reason="The host name of this address is not valid.")


def test_what_is_ticked_is_decided_at_once_and_the_outcomes_are_said(
    at_work: Client, analyst: User, line: ReportLine
) -> None:
    same, refused = (aside(line, raw, number) for number, raw in ((2, line.raw), (3, "http://a..b.example/")))
    left = aside(line, "example.com/x", 4, "no_scheme")

    ids = [str(each.pk) for each in (line, same, refused)]
    answer = at_work.post(
        "/staff/quarantine/decide/", {"verdict": "accept", "line": ids, "reason": "backslash"}, follow=True
    )

    said = [str(message) for message in answer.context["messages"]]
    assert said == [
        "2 lines accepted: 1 new, 1 duplicate.",
        "1 line was decided by somebody else meanwhile, or can only be rejected.",
    ]
    assert answer.redirect_chain == [("/staff/quarantine/?reason=backslash", 302)]
    assert [row["line"] for row in answer.context["rows"]] == [refused]
    waits = ReportLine.objects.filter(decided_at__isnull=True)
    assert set(waits) == {refused, left}

    answer = at_work.post("/staff/quarantine/decide/", {"verdict": "reject", "line": ids[2:]}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["1 line rejected."]
    assert Event.objects.filter(act="decide_quarantined").count() == 3


@pytest.mark.parametrize(
    "fields", [{}, {"verdict": "accept"}, {"verdict": "accept", "line": "x"}, {"line": ""}]
)
def test_a_decision_about_nothing_changes_nothing(
    at_work: Client, line: ReportLine, fields: dict[str, str]
) -> None:
    text = at_work.post("/staff/quarantine/decide/", fields, follow=True).content.decode()

    assert "Tick the lines to decide on" in text
    assert ReportLine.objects.get(pk=line.pk).decided_at is None


def test_lines_of_one_reason_can_be_seen_together(at_work: Client, line: ReportLine) -> None:
    other = aside(line, "example.com/x", 2, "no_scheme")

    page = at_work.get("/staff/quarantine/?reason=no_scheme")

    assert [row["line"] for row in page.context["rows"]] == [other]
    assert [(tab["name"], tab["count"], tab["current"]) for tab in page.context["tabs"]] == [
        ("all", 2, False),
        ("backslash", 1, False),
        ("no http://", 1, True),
    ]
    assert len(at_work.get("/staff/quarantine/?reason=nonsense").context["rows"]) == 2


def test_every_reason_to_put_aside_has_a_short_name() -> None:
    assert SHORT.keys() == QUARANTINED.keys()


def test_a_full_page_of_quarantine_asks_as_often_as_one_line(at_work: Client, line: ReportLine) -> None:
    asked = []
    for more in (0, 30):
        for number in range(more):
            aside(line, f"x{number}.example/", number + 2)
        with CaptureQueriesContext(connection) as queries:
            at_work.get("/staff/quarantine/")
        asked.append(len(queries))

    assert asked[0] == asked[1]
