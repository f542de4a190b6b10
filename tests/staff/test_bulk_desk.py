"""Many notices at once, from the search desk: these rows or all of a filter, a look beforehand, and its page."""

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from cases.models import Bulk, Notice
from cases.services import bulk
from tests.factories import HOUR, NoticeFactory, ProviderFactory
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
PREPARE = "/staff/bulk/prepare/"


@pytest.fixture
def leading(browser: Browser, lead: User) -> Client:
    """The lead's browser."""
    return browser(lead)


def prepared(client: Client, act: str = "dismiss", **data: Any) -> Bulk:
    client.post(PREPARE, {"act": act, "query": "", **data})
    made = Bulk.objects.order_by("-pk").first()
    assert made is not None
    return made


def start(client: Client, made: Bulk, **data: Any) -> Any:
    return client.post(
        f"/staff/bulk/{made.pk}/start/", {"why": "check", "because": "duplicate", **data}, follow=True
    )


def test_these_rows_and_all_of_the_filter_are_two_choices(at_work: Client) -> None:
    beta = ProviderFactory(code="beta")
    mine = [NoticeFactory(attributed=True, provider=beta) for _ in range(3)]
    NoticeFactory()

    some = prepared(at_work, notice=[mine[0].pk], query=f"provider={beta.pk}")
    every = prepared(at_work, notice=[mine[0].pk], query=f"provider={beta.pk}", everything="yes")

    assert [line.notice_id for line in some.lines.all()] == [mine[0].pk]
    assert {line.notice_id for line in every.lines.all()} == {notice.pk for notice in mine}
    assert (some.query, every.query) == ("", f"provider={beta.pk}")


def test_the_page_of_a_filter_offers_both(at_work: Client) -> None:
    NoticeFactory()

    text = at_work.get("/staff/cases/notice/?state=received").content.decode()

    assert "The chosen ones…" in text
    assert "All that this filter finds…" in text


def test_one_looks_before_anything_happens_then_starts_it_and_finds_it_again(at_work: Client) -> None:
    notice, sent = NoticeFactory(), NoticeFactory(notified=True)
    made = prepared(at_work, everything="yes")

    page = at_work.get(f"/staff/bulk/{made.pk}/").content.decode()
    assert "It can be done with 1 notice." in page
    assert "1 cannot: sent or closed already." in page

    page = start(at_work, made).content.decode()
    assert "You may leave this page and come back." in page
    bulk.run_slice(clock=timezone.now)

    assert Notice.objects.get(pk=notice.pk).closed_because == "duplicate"
    page = at_work.get(f"/staff/bulk/{made.pk}/").content.decode()
    assert sent.reference in page
    assert f"/staff/bulk/{made.pk}/" in at_work.get("/staff/bulk/").content.decode()
    file = b"".join(at_work.get(f"/staff/bulk/{made.pk}/results/").streaming_content).decode()
    assert f"{notice.reference};done;\r\n" in file
    assert f"{sent.reference};skipped;This notice has been sent or closed already." in file


def test_a_form_that_is_not_whole_starts_nothing(at_work: Client) -> None:
    NoticeFactory()
    made = prepared(at_work, everything="yes")

    answer = at_work.post(f"/staff/bulk/{made.pk}/start/", {"why": "check"})

    assert answer.status_code == 422
    assert Bulk.objects.get(pk=made.pk).state == "prepared"


@pytest.mark.parametrize(
    "data",
    [
        {"act": "assess"},
        {"act": ""},
        {"act": "dismiss", "query": "nonsense=1"},
        {"act": "export"},
        {"act": "hold"},
    ],
)
def test_what_cannot_be_prepared_says_so(at_work: Client, data: dict[str, str]) -> None:
    NoticeFactory()

    answer = at_work.post(PREPARE, data, follow=True)

    assert "message--error" in answer.content.decode()
    assert not Bulk.objects.exists()


def test_somebody_elses_does_not_exist_but_for_a_supervisor_who_sees_it(
    at_work: Client, leading: Client, in_charge: Client
) -> None:
    NoticeFactory()
    made = prepared(at_work, everything="yes")

    for part in ("", "progress/", "results/"):
        assert leading.get(f"/staff/bulk/{made.pk}/{part}").status_code == 404
    for part in ("start/", "stop/", "retry/", "undo/", "fetch/"):
        assert (
            leading.post(
                f"/staff/bulk/{made.pk}/{part}", {"why": "check", "because": "duplicate"}
            ).status_code
            == 404
        )
    assert in_charge.get(f"/staff/bulk/{made.pk}/").status_code == 200
    # It would run in the name of who prepared it: so only that person starts it.
    assert in_charge.post(f"/staff/bulk/{made.pk}/start/", {"why": "check"}).status_code == 404


def test_an_export_is_for_leads_and_supervisors_and_each_fetch_is_written_down(
    at_work: Client, leading: Client, lead: User
) -> None:
    notice = NoticeFactory(notified=True)
    at_work.post(PREPARE, {"act": "export", "everything": "yes", "query": ""})
    assert not Bulk.objects.exists()

    made = prepared(leading, "export", everything="yes")
    start(leading, made, columns=["reference", "state"])
    answer = leading.post(f"/staff/bulk/{made.pk}/fetch/")

    assert answer["Content-Disposition"] == f'attachment; filename="notices-{made.pk}.csv"'
    assert (
        b"".join(answer.streaming_content).decode() == f"reference;state\r\n{notice.reference};notified\r\n"
    )
    assert Event.objects.get(act="fetch_export").actor == f"user:{lead.pk}"
    assert leading.get(f"/staff/bulk/{made.pk}/fetch/").status_code == 405


def test_only_a_supervisor_exports_more_than_ten_thousand(
    leading: Client, in_charge: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LARGEST", 1)
    NoticeFactory()
    NoticeFactory()

    refused = leading.post(PREPARE, {"act": "export", "everything": "yes", "query": ""}, follow=True)

    assert "These are more than 1 notices" in unescape(refused.content.decode())
    assert prepared(in_charge, "export", everything="yes").total == 2


def test_an_export_that_is_a_day_old_is_gone(leading: Client) -> None:
    NoticeFactory()
    made = prepared(leading, "export", everything="yes")
    start(leading, made, columns=["reference"])
    Bulk.objects.filter(pk=made.pk).update(erased_at=timezone.now() - HOUR)

    assert leading.get(f"/staff/bulk/{made.pk}/").status_code == 404


def test_the_page_of_a_bulk_act_asks_as_often_for_many_as_for_few(at_work: Client) -> None:
    def queries(made: Bulk) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert at_work.get(f"/staff/bulk/{made.pk}/").status_code == 200
        return len(asked)

    NoticeFactory(notified=True)
    few = prepared(at_work, everything="yes")
    start(at_work, few)
    bulk.run_slice(clock=timezone.now)
    queries(few)
    for _ in range(12):
        NoticeFactory(notified=True)
    many = prepared(at_work, everything="yes")
    start(at_work, many)
    bulk.run_slice(clock=timezone.now)

    assert queries(many) == queries(few) <= 8
