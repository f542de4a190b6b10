"""Second judgements on the desks: given blind, and settled by a lead who judged neither time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from cases.models import Assessment, Notice, SecondLook
from cases.services import answers
from tests.factories import SYSTEM, NoticeFactory, SecondLookFactory, UserFactory, many
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def mees(db: None) -> User:
    """An analyst who has judged nothing."""
    person: User = UserFactory(analyst=True, email="mees@hotline.example", name="Mees")
    return person


def national(at_work: Client, **said: str) -> Notice:
    """Judged by Noor on the work desk as illegal by national law."""
    notice: Notice = NoticeFactory(attributed=True, received_at=timezone.now() - HOUR)
    at_work.post(f"/staff/work/{notice.pk}/assess/", {"version": 0, "legal_class": "national"} | said)
    return Notice.objects.get(pk=notice.pk)


def judge_again(client: Client, notice: Notice, **said: Any) -> Any:
    version = Notice.objects.get(pk=notice.pk).version
    return client.post(f"/staff/work/{notice.pk}/again/", {"version": version} | said, follow=True)


def test_the_work_desk_gives_it_to_somebody_else_and_never_to_the_first(
    at_work: Client, browser: Browser, mees: User
) -> None:
    notice = national(at_work)

    assert at_work.get("/staff/work/").context.get("notice") is None
    page = browser(mees).get("/staff/work/")

    assert page.context["notice"] == notice
    text = page.content.decode()
    assert "second judgement" in text
    judge_again(browser(mees), notice, legal_class="national")
    assert Notice.objects.get(pk=notice.pk).hold == ""


def test_what_happens_at_the_provider_meanwhile_makes_no_second_judgement_late(
    browser: Browser, mees: User
) -> None:
    look = SecondLookFactory(why="dispute", notice=NoticeFactory(notified=True))
    client = browser(mees)
    shown = client.get("/staff/work/").context["notice"]
    said = [answers.Answer(shown.reference, "acknowledged")]
    answers.answer_many(provider_id=shown.provider_id, answers=said, by=SYSTEM, now=timezone.now())
    assert Notice.objects.get(pk=shown.pk).version > shown.version

    beat = client.post(
        f"/staff/work/{shown.pk}/beat/", {"version": shown.version, "work": "second", "active": "yes"}
    )
    client.post(f"/staff/work/{shown.pk}/again/", {"version": shown.version, "legal_class": "baseline"})

    assert beat.json()["claim"] == "yes"
    assert SecondLook.objects.get(pk=look.pk).second_by == mees


def test_whoever_is_late_with_the_second_judgement_hears_who_was_first(
    at_work: Client, browser: Browser, mees: User, lead: User
) -> None:
    notice = national(at_work)
    judge_again(browser(mees), notice, legal_class="national")

    answer = judge_again(browser(lead), notice, legal_class="baseline")

    assert "Mees was first" in answer.content.decode()
    assert SecondLook.objects.get(notice=notice).second_by == mees


def test_the_page_of_the_second_says_nothing_of_the_first(
    at_work: Client, browser: Browser, mees: User, analyst: User
) -> None:
    national(at_work)

    text = browser(mees).get("/staff/work/").content.decode()

    assert analyst.name not in text
    assert "econd person judges" not in text  # the reason of its hold would tell the class
    assert "national law" in text  # as one of the choices,
    assert text.count("national law") == 1  # and nowhere else
    assert 'value="national" checked' not in text


def test_the_first_is_refused_by_address_as_well(at_work: Client) -> None:
    notice = national(at_work)

    answer = judge_again(at_work, notice, legal_class="national")

    assert "You have judged this notice yourself" in answer.content.decode()
    assert Assessment.objects.count() == 1


def test_a_second_judgement_with_faults_stays_what_it_is(
    at_work: Client, browser: Browser, mees: User
) -> None:
    notice = national(at_work)

    answer = judge_again(browser(mees), notice, legal_class="not_illegal", note="half written")

    assert answer.status_code == 422
    assert answer.context["source"].code == "second"
    assert "half written" in answer.content.decode()


def test_what_keeps_a_notice_from_being_sent_goes_before_a_sample(browser: Browser, mees: User) -> None:
    now = timezone.now()
    sample = SecondLookFactory(notice=NoticeFactory(assessed=True), wanted_at=now - 5 * HOUR)
    held = SecondLookFactory(notice=NoticeFactory(assessed=True), why="national", wanted_at=now)
    client = browser(mees)

    assert client.get("/staff/work/").context["notice"] == held.notice
    judge_again(client, held.notice, legal_class="baseline")
    assert client.get("/staff/work/").context["notice"] == sample.notice


def test_the_provider_objects_and_the_second_person_reads_why(browser: Browser, mees: User) -> None:
    notice = NoticeFactory(notified=True)
    said = answers.Answer(notice.reference, "dispute", reason="This is a beach")
    answers.answer_many(provider_id=notice.provider_id, answers=[said], by=SYSTEM, now=timezone.now())

    text = browser(mees).get("/staff/work/").content.decode()

    assert "The provider disputes it" in text
    assert "This is a beach" in text


def test_the_page_of_a_notice_hides_the_first_judgement_from_who_may_give_the_second(
    at_work: Client, browser: Browser, mees: User
) -> None:
    notice = national(at_work, urgent="on")
    address = f"/staff/cases/notice/{notice.pk}/change/"

    hidden, open_ = browser(mees).get(address).content.decode(), at_work.get(address).content.decode()

    assert "you may be the one to give it" in hidden
    for words in ("illegal: national law", "Judged", "second assessment", "urgent"):
        assert words not in hidden
    assert "urgent" in open_
    assert "The judgement: illegal: national law" in open_

    judge_again(browser(mees), notice, legal_class="baseline")
    assert "illegal: baseline" in browser(mees).get(address).content.decode()


# -- the lead ---------------------------------------------------------------------------------------------


def test_the_lead_sees_both_side_by_side_and_decides(browser: Browser, lead: User) -> None:
    look = SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True))
    client = browser(lead)

    listed = client.get("/staff/cases/secondlook/").content.decode()
    text = client.get(f"/staff/cases/secondlook/{look.pk}/change/").content.decode()
    client.post(f"/staff/cases/secondlook/{look.pk}/settle/", {"stands": "second"})

    assert look.notice.reference in listed
    assert "Illegal: baseline" in text
    assert "Not illegal; adult" in text
    assert "Mees" in text
    assert Notice.objects.get(pk=look.notice_id).state == "dismissed"
    assert SecondLook.objects.get(pk=look.pk).settled_by == lead


def test_the_lead_judges_anew_with_the_same_form(browser: Browser, lead: User) -> None:
    look = SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True))
    address = f"/staff/cases/secondlook/{look.pk}/settle/"

    faulty = browser(lead).post(address, {"stands": "third", "legal_class": "cannot_judge"})
    assert faulty.status_code == 422
    browser(lead).post(address, {"stands": "third", "legal_class": "national", "age_group": "infant"})

    settled = SecondLook.objects.select_related("lead").get(pk=look.pk)
    assert settled.lead is not None
    assert (settled.outcome, settled.lead.answers) == ("third", {"age_group": "infant"})


def test_a_lead_who_judged_is_told_so_and_has_no_buttons(browser: Browser, lead: User) -> None:
    look = SecondLookFactory(notice=NoticeFactory(assessed=True))
    judge_again(browser(lead), look.notice, legal_class="cannot_judge", reason="password")
    address = f"/staff/cases/secondlook/{look.pk}/"

    text = browser(lead).get(f"{address}change/").content.decode()
    refused = browser(lead).post(f"{address}settle/", {"stands": "first"}, follow=True).content.decode()

    assert "another lead decides" in text
    assert "The first stands" not in text
    assert "You have judged this notice yourself" in refused


def test_a_supervisor_looks_and_decides_nothing(in_charge: Client) -> None:
    look = SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True))

    text = in_charge.get(f"/staff/cases/secondlook/{look.pk}/change/").content.decode()

    assert "The first stands" not in text
    assert in_charge.post(f"/staff/cases/secondlook/{look.pk}/settle/").status_code == 403


def test_the_list_of_what_waits_says_nothing_of_the_first_judgement(browser: Browser, lead: User) -> None:
    SecondLookFactory(why="national", notice=NoticeFactory(assessed=True, legal_class="national"))

    text = browser(lead).get("/staff/cases/secondlook/?show=unread").content.decode()

    assert "national" not in text


def test_the_start_page_counts_what_differs(browser: Browser, lead: User) -> None:
    SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True))

    counters = {str(each.name): each.count for each in browser(lead).get("/staff/").context["counters"]}

    assert counters["judgements that differ"] == 1
    assert counters["second judgements late"] == 0


def test_agreement_is_told_by_cause_and_not_by_person(browser: Browser, lead: User) -> None:
    now = timezone.now()
    for number, notice in enumerate(many(12, assessed=True)):
        SecondLookFactory(
            notice=notice,
            wanted_at=now - 2 * HOUR,
            **({"differing": True} if number < 3 else {"agreed": True}),
        )

    page = browser(lead).get("/staff/cases/secondlook/agreement/")

    sample = next(cause["figures"] for cause in page.context["causes"] if cause["current"])
    assert (sample.pairs, sample.same) == (12, 9)
    text = page.content.decode()
    assert "0.750" in text
    assert "too few to say" in text  # the other causes
    assert "Mees" not in text


def test_the_desks_ask_as_often_for_many_as_for_few(browser: Browser, lead: User) -> None:
    client = browser(lead)

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        return len(asked)

    addresses = ["/staff/cases/secondlook/", "/staff/cases/secondlook/agreement/"]
    for notice in many(2, assessed=True):
        SecondLookFactory(differing=True, notice=notice)
    few = [queries(address) for address in addresses]
    for notice in many(20, assessed=True):
        SecondLookFactory(differing=True, notice=notice)

    assert [queries(address) for address in addresses] == few
    assert max(few) <= 6
