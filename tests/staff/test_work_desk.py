"""The work desk: the next notice, in an order that nobody chooses."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest import MonkeyPatch
from redis.exceptions import ConnectionError as RedisDown

from accounts.models import User
from audit.models import Event
from cases.models import Notice
from tests.factories import NOON, NoticeFactory
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def waiting(hours: float = 1, **fields: Any) -> Notice:
    """A notice that came in so many hours ago and waits to be judged."""
    return NoticeFactory(attributed=True, received_at=timezone.now() - hours * HOUR, **fields)


def offered(client: Client) -> Notice | None:
    """The notice that the desk shows."""
    notice: Notice | None = client.get("/staff/work/").context["notice"]
    return notice


def judge(client: Client, notice: Notice, **fields: Any) -> Any:
    version = fields.pop("version", Notice.objects.get(pk=notice.pk).version)
    return client.post(f"/staff/work/{notice.pk}/assess/", {"version": version} | fields, follow=True)


def test_the_oldest_comes_first_and_the_reason_is_said(at_work: Client) -> None:
    waiting(hours=1)
    oldest = waiting(hours=5)
    waiting(hours=3)

    page = at_work.get("/staff/work/")

    assert page.context["notice"] == oldest
    assert "It is the oldest that waits." in page.content.decode()


def test_urgent_goes_before_older(at_work: Client) -> None:
    waiting(hours=5)
    urgent = waiting(hours=1, urgent=True)

    page = at_work.get("/staff/work/")

    assert page.context["notice"] == urgent
    assert "Urgent goes first." in page.content.decode()


def test_what_is_held_is_not_offered_until_its_hold_ends_and_then_goes_first(at_work: Client) -> None:
    older = waiting(hours=9)
    held = waiting(hours=1, held=True, hold_until=timezone.now() + HOUR)
    assert offered(at_work) == older

    Notice.objects.filter(pk=held.pk).update(hold_until=timezone.now() - timedelta(seconds=1))
    cache.clear()

    page = at_work.get("/staff/work/")
    assert page.context["notice"] == held
    assert "Its hold has ended" in page.content.decode()


def test_saving_brings_the_next_one(at_work: Client, analyst: User) -> None:
    first, second = waiting(hours=5), waiting(hours=3)

    answer = judge(at_work, first, legal_class="national", note="see also the other one", urgent="on")

    assert answer.context["notice"] == second
    first = Notice.objects.get(pk=first.pk)
    assert (first.legal_class, first.urgent) == ("national", True)
    assessment = first.assessments.get()
    assert (assessment.assessor, assessment.note) == (analyst, "see also the other one")


def test_a_judgement_without_its_reason_keeps_the_notice_on_the_screen(at_work: Client) -> None:
    waiting(hours=5)
    chosen = waiting(hours=1)

    answer = judge(at_work, chosen, legal_class="cannot_judge", note="half written")

    assert answer.status_code == 422
    assert answer.context["notice"] == chosen
    assert "half written" in answer.content.decode()
    assert Notice.objects.get(pk=chosen.pk).assessed_at is None


def test_a_reason_chosen_before_the_class_was_changed_is_not_kept(at_work: Client) -> None:
    notice = waiting()

    judge(at_work, notice, legal_class="baseline", reason="adult")

    assert notice.assessments.get().reason == ""


def test_a_second_judgement_is_refused_with_who_was_first(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    notice = waiting()
    version = Notice.objects.get(pk=notice.pk).version
    judge(browser(supervisor), notice, legal_class="baseline")

    answer = judge(at_work, notice, version=version, legal_class="not_illegal", reason="adult")

    assert "Sam was first" in answer.content.decode()
    assert notice.assessments.count() == 1


def test_two_colleagues_get_two_notices(at_work: Client, browser: Browser, supervisor: User) -> None:
    first, second = waiting(hours=5), waiting(hours=3)

    assert offered(at_work) == first
    assert offered(browser(supervisor)) == second
    assert offered(at_work) == first  # opening the desk again gives the same one


def test_when_colleagues_have_them_all_before_them_the_oldest_is_offered_with_a_word(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    only = waiting()
    assert offered(at_work) == only

    page = browser(supervisor).get("/staff/work/")

    assert page.context["notice"] == only
    assert "Noor has it before them as well." in page.content.decode()


def test_the_page_of_a_notice_says_who_has_it_on_the_work_desk(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    only = waiting()
    at_work.get("/staff/work/")

    page = browser(supervisor).get(f"/staff/cases/notice/{only.pk}/change/").content.decode()

    assert "Noor has this notice on the work desk just now." in page


def test_without_the_cache_everybody_gets_the_oldest(at_work: Client, monkeypatch: MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> None:
        raise RedisDown("refused")

    oldest = waiting()
    for verb in ("add", "get", "touch", "delete"):
        monkeypatch.setattr(cache, verb, away)

    assert offered(at_work) == oldest


def test_what_is_skipped_does_not_come_back_to_the_same_person_today(
    at_work: Client, browser: Browser, analyst: User, supervisor: User
) -> None:
    first, second = waiting(hours=5), waiting(hours=3)

    answer = at_work.post(f"/staff/work/{first.pk}/skip/", follow=True)

    assert answer.context["notice"] == second
    assert offered(browser(supervisor)) == first
    event = Event.objects.get(act="skip", subject_id=first.pk)
    assert event.actor == f"user:{analyst.pk}"


def test_when_all_was_skipped_the_oldest_comes_again(at_work: Client) -> None:
    only = waiting()
    at_work.post(f"/staff/work/{only.pk}/skip/")

    assert offered(at_work) == only


def test_police_first_is_one_form_away(at_work: Client) -> None:
    held, following = waiting(hours=5), waiting(hours=3)
    version = Notice.objects.get(pk=held.pk).version

    answer = at_work.post(
        f"/staff/work/{held.pk}/hold/",
        {"version": version, "kind": "police_first", "reason": "A new victim", "hours": "24"},
        follow=True,
    )

    assert answer.context["notice"] == following
    held = Notice.objects.get(pk=held.pk)
    assert held.hold == "police_first"
    assert held.hold_until is not None
    assert abs(held.hold_until - timezone.now() - 24 * HOUR) < timedelta(minutes=1)


def test_the_desk_says_when_nothing_waits(at_work: Client) -> None:
    NoticeFactory(notified=True)
    NoticeFactory(dismissed=True, received_at=NOON)

    page = at_work.get("/staff/work/")

    assert page.context["notice"] is None
    assert "Nothing waits to be judged" in page.content.decode()


def test_the_address_stays_masked(at_work: Client) -> None:
    waiting(content__url="https://forum.example/some/where/secret-picture.jpg")

    text = at_work.get("/staff/work/").content.decode()

    assert "forum.example/…re.jpg" in text
    assert "secret-picture" not in text


def test_the_address_is_shown_to_judge_it_and_that_is_written_down(at_work: Client, analyst: User) -> None:
    notice = waiting(content__url="https://forum.example/some/where/secret-picture.jpg")

    page = at_work.post(f"/staff/work/{notice.pk}/reveal/")

    text = page.content.decode()
    assert '<code class="revealed">https://forum.example/some/where/secret-picture.jpg</code>' in text
    assert page.context["notice"] == notice
    event = Event.objects.get(act="reveal", subject_id=notice.pk)
    assert (event.actor, event.data) == (f"user:{analyst.pk}", {"reason": "judge"})
    assert "secret-picture" not in at_work.get("/staff/work/").content.decode()


def test_the_desk_asks_the_database_as_often_for_a_long_queue_as_for_a_short_one(at_work: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            at_work.get("/staff/work/")
        return len(asked)

    waiting()
    queries()
    short = queries()
    for hours in range(2, 22):
        waiting(hours=hours)

    assert queries() == short <= 8
