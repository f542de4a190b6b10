"""The work desk offers what was judged before, and takes it over with one press."""

import pytest
from django.test import Client

from accounts.models import User
from cases.models import Assessment, Fingerprint, Notice
from cases.services.fingerprints import remember
from tests.factories import (
    NOON,
    ContentFactory,
    NoticeFactory,
    ReportFactory,
    ReportLineFactory,
    SourceFactory,
)
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
FILE = bytes(range(32))


@pytest.fixture
def at_work(browser: Browser, analyst: User) -> Client:
    """An analyst's browser."""
    return browser(analyst)


def test_a_press_judges_as_before_and_shows_the_next(at_work: Client, analyst: User) -> None:
    before = NoticeFactory(removed=True)
    notice = NoticeFactory(content=before.content, previous=before)
    page = at_work.get("/staff/work/")
    text = page.content.decode()
    assert "Judged before" in text
    assert before.reference in text
    assert "this very address" in text
    assert page.context["known"]["earlier"][0]["words"].startswith("illegal: baseline")
    form = page.context["known"]["form"]

    answer = at_work.post(f"/staff/work/{notice.pk}/known/", form.initial, follow=True)

    assert [each["notice"] for each in answer.context["undoable"]] == [notice]  # said with its undo
    taken = Assessment.objects.get(notice=notice)
    assert (taken.assessor, taken.legal_class, taken.taken_from) == (
        analyst, "baseline", Assessment.objects.get(notice=before),
    )  # fmt: skip
    assert answer.context.get("notice") is None


def test_a_page_that_is_out_of_date_changes_nothing(at_work: Client) -> None:
    before = NoticeFactory(removed=True)
    notice = NoticeFactory(content=before.content, previous=before)
    form = at_work.get("/staff/work/").context["known"]["form"]
    Notice.objects.filter(pk=notice.pk).update(version=notice.version + 1)

    at_work.post(f"/staff/work/{notice.pk}/known/", form.initial, follow=True)

    assert not Assessment.objects.filter(notice=notice).exists()


def test_judgements_that_contradict_each_other_are_shown_without_an_offer(at_work: Client) -> None:
    contents = [ContentFactory() for _ in range(3)]
    NoticeFactory(content=contents[0], dismissed=True)
    NoticeFactory(content=contents[1], removed=True)
    NoticeFactory(content=contents[2])
    remember([(each.pk, FILE) for each in contents], source=Fingerprint.Source.REPORT, now=NOON)

    text = at_work.get("/staff/work/").content.decode()

    assert "They contradict each other, so none is offered: judge it anew." in text
    assert "the same file at another address" in text
    assert "Judge as before, and next" not in text


def test_of_what_was_never_judged_nothing_is_said(at_work: Client) -> None:
    NoticeFactory()

    assert "Judged before" not in at_work.get("/staff/work/").content.decode()


@pytest.mark.parametrize("place", ["/staff/work/", "/staff/cases/notice/{pk}/change/"])
def test_how_many_have_reported_it_is_said(at_work: Client, place: str) -> None:
    notice = NoticeFactory()
    place = place.format(pk=notice.pk)
    for number, source in enumerate(("partner", "partner", "public"), start=1):
        ReportLineFactory(
            report=ReportFactory(source=SourceFactory(code=source)),
            number=number,
            outcome="duplicate",
            notice=notice,
        )

    assert "In 3 reports from 2 sources." in at_work.get(place).content.decode()
