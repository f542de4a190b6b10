"""The search desk: by reference, by whole address, by filters; an address is never in a URL of ours."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest import LogCaptureFixture

from accounts.models import User
from audit import keyset
from audit.models import Event
from cases.models import Notice, Picked
from cases.services import picked
from tests.factories import (
    HOUR,
    NOON,
    SYSTEM,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    ReportFactory,
    ReportLineFactory,
)

pytestmark = pytest.mark.django_db
ADDRESS = "https://forum.example/some/where/secret-picture.jpg"
LIST = "/staff/cases/notice/"


def find(client: Client, text: str, reason: str = "provider") -> Any:
    return client.post(f"{LIST}find/", {"text": text, "reason": reason})


def listed(client: Client, query: str) -> set[Notice]:
    return set(client.get(f"{LIST}?{query}").context["rows"])


def walked(client: Client, query: str, way: str = "next_url") -> list[Any]:
    """The pages from the first to the last, or from `query` back to the first."""
    pages, address = [], query
    while True:
        pages.append(client.get(LIST + address).context)
        if not pages[-1][way]:
            return pages
        address = pages[-1][way]


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


def test_what_is_neither_a_reference_nor_an_address_is_said_to_be_neither(at_work: Client) -> None:
    page = at_work.post(f"{LIST}find/", {"text": "N-MISTYPED", "reason": "check"}, follow=True)

    assert "This is neither a reference nor an address." in page.text
    assert not Event.objects.filter(act="find").exists()


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

    assert set(answer.context["rows"]) == {removed, again}
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
        ("what is this", "check", "This is neither a reference nor an address."),
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
    assert listed(at_work, "state=dismissed") == {dismissed}
    assert listed(at_work, "hold=police_first") == {held}
    assert listed(at_work, "urgent=1") == {held}
    assert listed(at_work, "legal_class=not_illegal") == {dismissed}
    assert listed(at_work, f"provider={beta.pk}") == {overdue}
    assert listed(at_work, f"provider={beta.pk}&due=4h") == set()
    assert listed(at_work, "fact=silent&due=over") == {overdue}


def test_a_provider_is_named_by_number_code_name_or_a_part_of_it(at_work: Client) -> None:
    beta = ProviderFactory(code="beta", name="Beta Hosting")
    ProviderFactory(code="betamax", name="Betamax Hosting")
    mine = NoticeFactory(notified=True, provider=beta)

    for text in (str(beta.pk), "BETA", "beta hosting", "a hosting"):
        if text == "a hosting":
            page = at_work.get(LIST, {"provider": text})
            assert page.status_code == 200
            assert page.context["chips"][0].value == "Beta Hosting"
        assert set(at_work.get(LIST, {"provider": text}).context["rows"]) == {mine}, text
    several = at_work.get(LIST, {"provider": "hosting"})
    assert several.status_code == 400
    assert "Several providers have that in their name" in several.content.decode()


def test_periods_are_whole_days_of_the_hotline(at_work: Client) -> None:
    # The 24th of November in Amsterdam begins at 23:00 UTC on the 23rd.
    first = NoticeFactory(received_at=datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    last = NoticeFactory(received_at=datetime(2026, 11, 24, 22, 59, tzinfo=UTC))
    NoticeFactory(received_at=datetime(2026, 11, 23, 22, 59, tzinfo=UTC))
    NoticeFactory(received_at=datetime(2026, 11, 24, 23, 0, tzinfo=UTC))

    assert listed(at_work, "received_from=2026-11-24&received_to=2026-11-24") == {first, last}


def test_notices_are_found_by_the_source_that_reported_them(at_work: Client) -> None:
    line = ReportLineFactory(report__source__code="partner")
    ReportLineFactory(report__source__code="staff", report__digest=b"2" * 32)

    assert listed(at_work, "source=partner") == {line.notice}


@pytest.mark.parametrize(
    "query",
    [
        "due=nonsense", "waits=x", "hold=x", "fact=x", "legal_class=x", "provider=x", "provider=9999999999999999",
        "order=x", "received_from=9999-12-31", "received_from=2026-02-30", "urgent=2", "source=%00", "content=x",
        "picked=0194d000-0000-7000-8000-000000000000", "nonsense=1", "received_from=2026-02-02&received_to=2026-02-01",
        "p=-1", "provider=%00",
    ],
)  # fmt: skip
def test_what_is_no_filter_is_said_and_nothing_is_listed(at_work: Client, query: str) -> None:
    NoticeFactory()

    page = at_work.get(f"{LIST}?{query}")

    assert page.status_code == 400
    assert page.context["rows"] == []
    assert "message--error" in page.content.decode()


def test_a_filter_that_is_on_stands_above_the_list_with_the_way_to_take_it_off(at_work: Client) -> None:
    beta = ProviderFactory(code="beta")

    chips = at_work.get(f"{LIST}?due=over&provider=beta&order=due").context["chips"]

    assert [(chip.name, chip.value, chip.without) for chip in chips] == [
        ("Due", "overdue", f"?provider={beta.pk}&order=due"),
        ("Provider", "Beta Hosting", "?due=over&order=due"),
    ]


def test_a_pasted_list_of_references_is_listed_and_what_is_unknown_is_named(at_work: Client) -> None:
    first, second, _other = NoticeFactory(), NoticeFactory(removed=True), NoticeFactory()

    # As a browser hands over what was pasted into one line: the ends of lines are gone.
    answer = at_work.post(
        f"{LIST}find/",
        {"text": f"{first.reference}{second.reference.lower()}, N-ZZZZZZZZZZ", "reason": "check"},
        follow=True,
    )

    assert set(answer.context["rows"]) == {first, second}
    assert "N-ZZZZZZZZZZ" in answer.content.decode()
    assert first.reference not in answer.redirect_chain[-1][0]


def test_a_list_of_more_than_500_references_is_refused(at_work: Client) -> None:
    many = " ".join(f"N-{number:010d}" for number in range(501))

    answer = at_work.post(f"{LIST}find/", {"text": many, "reason": "check"}, follow=True)

    assert "more than 500" in answer.content.decode()
    assert not Picked.objects.exists()


def test_a_list_of_references_is_erased_after_a_day(at_work: Client) -> None:
    picked.pick(references=[NoticeFactory().reference], by=SYSTEM, now=NOON)
    later, _unknown = picked.pick(references=[NoticeFactory().reference], by=SYSTEM, now=NOON + HOUR)

    picked.erase_old(now=NOON + 24 * HOUR)

    assert list(Picked.objects.all()) == [later]


# -- Pages --------------------------------------------------------------------------------------------------


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "SIZE", 3)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("order", ["", "oldest", "due"])
def test_the_pages_of_an_order_are_one_list_there_and_back(at_work: Client, order: str) -> None:
    now = timezone.now()
    # Two and two came at the same instant: then the number decides.
    notices = [
        NoticeFactory(
            notified=True,
            received_at=now - 30 * HOUR - number // 2 * HOUR,
            notified_at=now - number // 2 * HOUR,
        )
        for number in range(8)
    ]
    column, latest_first = ("due_at", False) if order == "due" else ("received_at", order == "")
    expected = sorted(notices, key=lambda row: (getattr(row, column), row.pk), reverse=latest_first)

    there = walked(at_work, f"?order={order}")
    back = walked(at_work, there[-1]["previous_url"], "previous_url")

    assert [row for page in there for row in page["rows"]] == expected
    assert [len(page["rows"]) for page in there] == [3, 3, 2]
    assert [row for page in reversed(back) for row in page["rows"]] == expected[:6]


@pytest.mark.usefixtures("small_pages")
def test_what_comes_in_meanwhile_moves_no_page(at_work: Client) -> None:
    now = timezone.now()
    notices = [NoticeFactory(received_at=now - number * HOUR) for number in range(1, 7)]
    second = at_work.get(LIST).context["next_url"]

    NoticeFactory(received_at=now)
    NoticeFactory(received_at=now)

    assert at_work.get(LIST + second).context["rows"] == notices[3:]


@pytest.mark.parametrize(
    "cursor", ["x", "", "1.1.1", "1", "-1.5", "99999999999999999.999999999999999999", "٣.٣", "%00"]
)
@pytest.mark.parametrize("way", ["after", "before"])
def test_a_cursor_that_is_none_is_never_a_fault(at_work: Client, way: str, cursor: str) -> None:
    notice = NoticeFactory()

    page = at_work.get(f"{LIST}?{way}={cursor}")

    assert page.status_code == 200
    assert page.context["rows"] in ([notice], [])


def test_no_page_counts_or_skips(at_work: Client) -> None:
    for _ in range(5):
        NoticeFactory(notified=True)

    with CaptureQueriesContext(connection) as asked:
        at_work.get(f"{LIST}?state=notified&fact=silent")

    assert not [query["sql"] for query in asked if "COUNT(" in query["sql"] or "OFFSET" in query["sql"]]


def test_overdue_is_true_by_the_clock_whether_or_not_a_sweep_recorded_it(at_work: Client) -> None:
    notice = NoticeFactory(notified=True, notified_at=timezone.now() - timedelta(hours=24, seconds=1))

    assert notice.state == "notified"
    assert listed(at_work, "due=over") == {notice}


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
