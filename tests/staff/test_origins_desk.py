"""The desk of questions to CDNs: what waits, what is late, and what they answered."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Notice, OriginRequest
from cases.services import origins
from tests.conftest import FixedResolver
from tests.factories import SYSTEM, ContactFactory, NetworkFactory, NoticeFactory, ProviderFactory

pytestmark = pytest.mark.django_db
DESK = "/staff/cases/originrequest/"


def held(host: str = "forum.example", asked: timedelta = timedelta(hours=1)) -> Notice:
    """A notice that waits for a CDN's answer since a while."""
    cdn = ProviderFactory(code="shield", cdn=True)
    ContactFactory(provider=cdn, approved=True)
    notice: Notice = NoticeFactory(
        assessed=True,
        provider=cdn,
        hold="contact_review",
        hold_review="cdn_origin",
        content__url=f"https://{host}/img/1.jpg",
    )
    origins.ask_due(by=SYSTEM, now=timezone.now() - asked)
    return notice


def text(client: Client, address: str = DESK) -> str:
    return " ".join(client.get(address).content.decode().split())


def test_it_shows_what_waits_since_when_and_in_which_message(sending: Client) -> None:
    notice = held()
    said = text(sending)

    assert notice.reference in said
    assert "forum.example/…" in said
    assert "1 notice waits" in said
    assert "Shield Hosting" in said
    assert "NTD-" in said
    assert "late" not in said.split("<tbody>")[1]


def test_late_questions_are_counted_on_the_start_page_and_opened_from_there(sending: Client) -> None:
    held("early.example")
    held("late.example", timedelta(hours=25))

    assert "CDNs without an answer" in text(sending, "/staff/")
    late = text(sending, f"{DESK}?show=late")
    assert "late.example" in late
    assert "early.example" not in late


def test_an_answer_is_typed_in_and_the_notice_goes_on(
    sending: Client, static_resolver: FixedResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cases.admin.origins.resolver", lambda: static_resolver)
    NetworkFactory()
    notice = held()
    request = OriginRequest.objects.get()
    fields = {f"{request.pk}-server": "192.0.2.7", f"{request.pk}-reason": "Their reply"}
    answer = sending.post(f"{DESK}{request.pk}/answer/", fields, follow=True)

    assert "the notices go on" in answer.content.decode()
    after = Notice.objects.get(pk=notice.pk)
    assert (after.hold, after.attribution_id) == ("", None)


def test_what_is_refused_stays_typed_in(
    sending: Client, static_resolver: FixedResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cases.admin.origins.resolver", lambda: static_resolver)
    held()
    request = OriginRequest.objects.get()
    fields = {f"{request.pk}-server": "10.0.0.1", f"{request.pk}-reason": "Their reply"}
    answer = sending.post(f"{DESK}{request.pk}/answer/", fields)

    assert answer.status_code == 422
    assert "10.0.0.1" in answer.content.decode()
    assert "no address or host name" in answer.content.decode()


def test_they_are_asked_again_by_a_press(sending: Client) -> None:
    held(asked=timedelta(hours=25))
    request = OriginRequest.objects.get()
    sending.post(f"{DESK}{request.pk}/ask/", follow=True)

    assert OriginRequest.objects.get().round == 2
    assert "(2 times)" in text(sending)


def test_the_page_of_a_notice_says_who_was_asked_and_until_when(in_charge: Client) -> None:
    notice = held()
    said = text(in_charge, f"/staff/cases/notice/{notice.pk}/change/")

    assert "A CDN or proxy stands before the server" in said
    assert "Shield Hosting was asked" in said
    assert f'href="{DESK}"' in said


def test_analysts_see_no_questions(at_work: Client) -> None:
    assert at_work.get(DESK).status_code == 403


def test_the_list_costs_the_same_however_many_wait(sending: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert sending.get(DESK).status_code == 200
        return len(queries)

    held("a.example")
    sending.get(DESK)
    before = cost()
    for number in range(6):
        held(f"b{number}.example")

    assert cost() == before
    assert before <= 9
