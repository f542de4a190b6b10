"""The search desk: by reference, by whole address, by filters; an address is never in a URL of ours."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest import LogCaptureFixture

from accounts.models import User
from audit import counting
from audit.models import Event
from cases.models import Notice
from tests.factories import DispatchFactory, NoticeFactory, ProviderFactory, ReportFactory

pytestmark = pytest.mark.django_db
ADDRESS = "https://forum.example/some/where/secret-picture.jpg"
LIST = "/staff/cases/notice/"


def find(client: Client, text: str, reason: str = "provider") -> Any:
    return client.post(f"{LIST}find/", {"text": text, "reason": reason})


def listed(client: Client, query: str) -> set[Notice]:
    return set(client.get(f"{LIST}?{query}").context["cl"].result_list)


def test_a_reference_leads_to_its_page_however_it_is_typed(at_work: Client) -> None:
    notice, dispatch = NoticeFactory(), DispatchFactory(number="NTD-2026-000123")
    report = ReportFactory(reference="R-0123456789")

    pages = [find(at_work, text)["Location"] for text in (
        notice.reference, f"  {notice.reference.lower()} ", dispatch.number, report.reference,
    )]  # fmt: skip

    assert pages == [
        f"/staff/cases/notice/{notice.pk}/change/",
        f"/staff/cases/notice/{notice.pk}/change/",
        f"/staff/cases/dispatch/{dispatch.pk}/change/",
        f"/staff/cases/report/{report.pk}/change/",
    ]
    assert not Event.objects.filter(act="find").exists()  # a reference says nothing that must be written down


def test_an_unknown_reference_is_said_to_be_unknown(at_work: Client) -> None:
    answer = at_work.post(f"{LIST}find/", {"text": "N-0000000000", "reason": "check"}, follow=True)

    assert "There is nothing with this reference." in answer.content.decode()


@pytest.mark.parametrize("spelling", [ADDRESS, "hxxps://FORUM[.]example/some/./where/secret-picture.jpg#x"])
def test_an_address_leads_to_its_notice_and_the_search_is_written_down(
    at_work: Client, analyst: User, spelling: str
) -> None:
    notice = NoticeFactory(content__url=ADDRESS)

    answer = find(at_work, spelling)

    assert answer["Location"] == f"/staff/cases/notice/{notice.pk}/change/"
    event = Event.objects.get(act="find")
    assert event.actor == f"user:{analyst.pk}"
    assert event.data == {"reason": "provider", "found": [notice.reference]}


def test_an_address_with_several_notices_lists_them_by_a_key_that_is_not_the_address(at_work: Client) -> None:
    removed = NoticeFactory(removed=True, content__url=ADDRESS)
    again = NoticeFactory(content__url=ADDRESS, previous=removed)
    NoticeFactory()

    answer = at_work.post(f"{LIST}find/", {"text": ADDRESS, "reason": "check"}, follow=True)

    assert set(answer.context["cl"].result_list) == {removed, again}
    assert "secret-picture" not in answer.redirect_chain[-1][0]


def test_an_address_is_in_no_url_and_no_log(at_work: Client, caplog: LogCaptureFixture) -> None:
    NoticeFactory(content__url=ADDRESS)

    with caplog.at_level(logging.DEBUG):
        answer = at_work.post(f"{LIST}find/", {"text": ADDRESS, "reason": "check"}, follow=True)
        at_work.post(f"{LIST}find/", {"text": ADDRESS + "/no/such", "reason": "check"}, follow=True)

    assert "secret-picture" not in caplog.text
    assert all("secret-picture" not in url for url, _status in answer.redirect_chain)
    assert at_work.get(f"{LIST}find/").status_code == 405


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        (ADDRESS, "", "Type a reference or an address."),
        ("", "check", "Type a reference or an address."),
        ("what is this", "check", "This is not a web address"),
        ("https://forum.example/never/seen", "check", "Nothing is known of this address."),
    ],
)
def test_a_search_that_finds_nothing_says_why(at_work: Client, text: str, reason: str, said: str) -> None:
    answer = at_work.post(f"{LIST}find/", {"text": text, "reason": reason}, follow=True)

    assert said in answer.content.decode()


def test_filters_narrow_the_list(at_work: Client) -> None:
    now = timezone.now()
    beta = ProviderFactory(code="beta")
    overdue = NoticeFactory(notified=True, notified_at=now - timedelta(hours=25), provider=beta)
    soon = NoticeFactory(notified=True, notified_at=now - timedelta(hours=22))
    later = NoticeFactory(notified=True, notified_at=now - timedelta(hours=1))
    held = NoticeFactory(held=True, attributed=True, urgent=True, received_at=now)
    dismissed = NoticeFactory(dismissed=True)

    assert listed(at_work, "due=over") == {overdue}
    assert listed(at_work, "due=4h") == {soon}
    assert listed(at_work, "due=24h") == {soon, later}
    assert listed(at_work, "state__exact=dismissed") == {dismissed}
    assert listed(at_work, "hold=police_first") == {held}
    assert listed(at_work, "urgent__exact=1") == {held}
    assert listed(at_work, "class=not_illegal") == {dismissed}
    assert listed(at_work, f"provider={beta.pk}") == {overdue}
    assert listed(at_work, f"provider={beta.pk}&due=4h") == set()
    assert listed(at_work, "fact=silent&due=over") == {overdue}


@pytest.mark.parametrize(
    "query",
    ["due=nonsense", "waits=x", "hold=x", "fact=x", "class=x", "provider=x", "provider=9999999", "p=-1"],
)
def test_a_filter_that_does_not_exist_breaks_nothing(at_work: Client, query: str) -> None:
    NoticeFactory()

    assert at_work.get(f"{LIST}?{query}", follow=True).status_code == 200


def test_overdue_is_true_by_the_clock_whether_or_not_a_sweep_recorded_it(at_work: Client) -> None:
    notice = NoticeFactory(notified=True, notified_at=timezone.now() - timedelta(hours=24, seconds=1))

    assert notice.state == "notified"
    assert listed(at_work, "due=over") == {notice}


def test_no_count_goes_over_the_whole_table(at_work: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 3)
    for _ in range(5):
        NoticeFactory()

    with CaptureQueriesContext(connection) as asked:
        page = at_work.get(LIST)

    counts = [query["sql"] for query in asked if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 4" in sql for sql in counts)
    assert "There are more than a thousand" in page.content.decode()


def test_the_list_asks_the_database_as_often_for_many_rows_as_for_few(at_work: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert at_work.get(LIST).status_code == 200
        return len(asked)

    NoticeFactory(notified=True)
    queries()
    few = queries()
    for _ in range(20):
        NoticeFactory(notified=True)

    assert queries() == few <= 6
