"""What waits for a person, counted in one go."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit import counting
from audit.counting import Counted, up_to_each
from cases.models import Notice
from tests.factories import HOUR, ContactFactory, NoticeFactory
from tests.staff.conftest import Browser


def test_many_counts_are_one_question_and_come_back_in_their_order(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    for hours in (1, 3, 2):
        NoticeFactory(received_at=now - hours * HOUR)
    urgent = NoticeFactory(received_at=now - 9 * HOUR, urgent=True)
    with django_assert_num_queries(1):
        found = up_to_each(
            [
                (Notice.objects.filter(urgent=False), "received_at"),
                (Notice.objects.none(), "received_at"),
                (Notice.objects.filter(urgent=True), ""),
                (Notice.objects.filter(pk=urgent.pk), "due_at"),
            ]
        )
    assert found == [Counted(3, now - 3 * HOUR), Counted(0), Counted(1), Counted(1)]


def test_nothing_to_count_asks_nothing(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert up_to_each([]) == []
        assert up_to_each([(Notice.objects.none(), "")]) == [Counted(0)]


def test_no_count_goes_further_than_it_must(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 2)
    now = timezone.now()
    for hours in range(5):
        NoticeFactory(received_at=now - hours * HOUR)
    (found,) = up_to_each([(Notice.objects.all(), "received_at")])
    assert (found.found, found.count, found.more) == (3, 2, True)
    assert found.oldest == now - 4 * HOUR


def test_the_start_page_asks_the_database_as_often_when_much_waits(
    supervisor: User, browser: Browser
) -> None:
    page, spent = browser(supervisor), []
    page.get("/staff/")
    for _turn in range(2):
        with CaptureQueriesContext(connection) as asked:
            waits = page.get("/staff/").context["counters"]
        spent.append(len(asked))
        now = timezone.now()
        for _ in range(3):
            NoticeFactory(notified=True, notified_at=now - timedelta(hours=30), disputed_at=now)
            NoticeFactory(received_at=now - timedelta(days=3))
            ContactFactory(suspended=True, suspended_at=now - timedelta(hours=2))
    assert spent[0] == spent[1] <= 8
    assert len(waits) > 20
    assert sum(counter.count for counter in waits) > 10
