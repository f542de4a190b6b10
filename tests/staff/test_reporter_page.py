"""How a reporter can be reached: for few, written down, and never on a page that others open."""

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Event
from cases.models import Notice, Report, Reporter
from tests.factories import ReportFactory, ReportLineFactory
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
ADDRESS = "sasha@reporter.example"


@pytest.fixture
def report() -> Report:
    """A report of the public form by somebody who wants to be reached."""
    report = ReportFactory(way=Report.Way.PUBLIC)
    ReportLineFactory(report=report, note="<b>words</b> {{ 7*7 }}")
    reporter = Reporter(report=report)
    reporter.name, reporter.email = "<i>Sasha</i>", ADDRESS
    reporter.save(force_insert=True)
    return report


def page_of(report: Report) -> str:
    return f"/staff/reports/{report.pk}/reporter/"


def test_a_look_needs_a_reason_and_is_written_down(browser: Browser, lead: User, report: Report) -> None:
    client = browser(lead)
    assert ADDRESS not in client.get(page_of(report)).text
    assert client.post(page_of(report), {"reason": "curious"}).status_code == 422
    assert not Event.objects.filter(act="reveal_reporter").exists()

    shown = client.post(page_of(report), {"reason": "question"}).text

    assert ADDRESS in shown
    assert "&lt;i&gt;Sasha" in shown
    assert f"mailto:{ADDRESS}" not in shown
    event = Event.objects.get(act="reveal_reporter")
    assert (event.actor, event.subject_id, event.data) == (
        f"user:{lead.pk}",
        report.pk,
        {"reason": "question"},
    )


def test_others_learn_that_it_is_possible_and_not_how(at_work: Client, report: Report) -> None:
    shown = at_work.get(f"/staff/cases/report/{report.pk}/change/").text

    assert "May be contacted" in shown
    assert page_of(report) not in shown
    assert ADDRESS not in shown
    assert at_work.post(page_of(report), {"reason": "question"}).status_code == 403


def test_an_anonymous_report_says_so_and_one_of_a_partner_says_nothing(in_charge: Client) -> None:
    def shown(report: Report) -> str:
        return in_charge.get(f"/staff/cases/report/{report.pk}/change/").text

    assert "Is anonymous." in shown(ReportFactory(way=Report.Way.PUBLIC))
    assert "The reporter" not in shown(ReportFactory(way=Report.Way.FILE))


def test_what_was_erased_or_never_given_is_said_to_be_gone(in_charge: Client) -> None:
    report = ReportFactory(way=Report.Way.PUBLIC)

    shown = in_charge.post(page_of(report), {"reason": "police"})

    assert "stayed anonymous, or what was kept of them has been erased" in shown.text
    assert not Event.objects.filter(act="reveal_reporter").exists()


def test_the_look_stands_in_the_history_of_the_report(in_charge: Client, report: Report) -> None:
    in_charge.post(page_of(report), {"reason": "question"})

    shown = in_charge.get(f"/staff/cases/report/{report.pk}/change/").text

    assert "Looked how the reporter can be reached" in shown
    assert "a question about the report" in shown


def test_a_notice_says_when_only_the_public_form_brought_it(at_work: Client, report: Report) -> None:
    notice = Notice.objects.get()
    hint = "So far only by the public form"

    assert hint in at_work.get(f"/staff/cases/notice/{notice.pk}/change/").text
    ReportLineFactory(report=ReportFactory(), notice=notice, outcome="duplicate")
    assert hint not in at_work.get(f"/staff/cases/notice/{notice.pk}/change/").text


def test_what_a_reporter_wrote_is_shown_literally(at_work: Client, report: Report) -> None:
    shown = at_work.get(f"/staff/cases/notice/{Notice.objects.get().pk}/change/").text

    assert "&lt;b&gt;words&lt;/b&gt; {{ 7*7 }}" in shown
