"""The work desk: the next notice, in an order that nobody chooses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from audit.record import Actor
from cases.admin import turn
from cases.models import AtWork, Claim, Notice, PassedOn
from cases.services import passing, route, wellbeing
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ReportLineFactory,
    UserFactory,
)
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def waiting(hours: float = 1, **fields: Any) -> Notice:
    """A notice that came in so many hours ago and waits to be judged."""
    return NoticeFactory(attributed=True, received_at=timezone.now() - hours * HOUR, **fields)


def offered(client: Client) -> Notice | None:
    """The notice that the desk shows."""
    notice: Notice | None = client.get("/staff/work/").context.get("notice")
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
    assert "It has waited longest." in page.content.decode()


def test_urgent_goes_before_older(at_work: Client) -> None:
    waiting(hours=5)
    urgent = waiting(hours=1, urgent=True)

    page = at_work.get("/staff/work/")

    assert page.context["notice"] == urgent
    assert "Urgent goes first." in page.content.decode()


def test_the_classes_go_before_one_another_whatever_their_age(at_work: Client) -> None:
    old = waiting(hours=9)
    several = waiting(hours=4, corroborated=True)
    back = waiting(hours=3, came_back=True)
    urgent = waiting(hours=2, urgent=True)
    ended = waiting(hours=1, held=True, hold_until=timezone.now() - HOUR)

    for expected in (ended, urgent, back, several, old):
        page = at_work.get("/staff/work/")
        assert page.context["notice"] == expected
        judge(at_work, expected, legal_class="baseline")

    page = at_work.get("/staff/work/")
    assert page.context["waiting"] == []


def test_the_reason_says_when_the_judgement_is_due(at_work: Client) -> None:
    late = waiting(hours=26.5)
    page = at_work.get("/staff/work/").content.decode()
    assert "Overdue by 2 h 30 min." in page

    judge(at_work, late, legal_class="baseline")
    waiting(hours=23)
    page = at_work.get("/staff/work/").content.decode()
    assert "Due in 59 min." in page


def test_how_many_wait_is_said_by_class(at_work: Client) -> None:
    for _ in range(3):
        waiting(corroborated=True)
    waiting(held=True, hold_until=timezone.now() + HOUR)

    page = at_work.get("/staff/work/")

    assert [(str(each.name), each.count) for each in page.context["waiting"]] == [("several sources", 3)]


def test_what_is_held_is_not_offered_until_its_hold_ends_and_then_goes_first(at_work: Client) -> None:
    older = waiting(hours=9)
    held = waiting(hours=1, held=True, hold_until=timezone.now() + HOUR)
    assert offered(at_work) == older

    Notice.objects.filter(pk=held.pk).update(hold_until=timezone.now() - timedelta(seconds=1))
    Claim.objects.all().delete()

    page = at_work.get("/staff/work/")
    assert page.context["notice"] == held
    assert "Police first: its hold has ended." in page.content.decode()


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
    assert (
        f'<a href="/staff/cases/notice/{notice.pk}/change/">See what happened</a>' in answer.content.decode()
    )
    assert notice.assessments.count() == 1


def test_two_colleagues_get_two_notices(at_work: Client, browser: Browser, supervisor: User) -> None:
    first, second = waiting(hours=5), waiting(hours=3)

    assert offered(at_work) == first
    assert offered(browser(supervisor)) == second
    assert offered(at_work) == first  # opening the desk again gives the same one


def test_what_colleagues_have_before_them_is_not_handed_out_again(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    only = waiting()
    assert offered(at_work) == only

    page = browser(supervisor).get("/staff/work/")

    assert "notice" not in page.context
    assert "Colleagues have all that waits before them" in page.content.decode()
    assert "Noor has one before them" in page.content.decode()


def test_the_page_of_a_notice_says_who_has_it_on_the_work_desk(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    only = waiting()
    at_work.get("/staff/work/")

    client = browser(supervisor)
    page = client.get(f"/staff/cases/notice/{only.pk}/change/").content.decode()

    assert "Noor has this notice on the work desk just now." in page
    (row,) = client.get("/staff/cases/notice/").context["rows"]
    assert row.looking == "Noor"


def test_a_lost_cache_changes_nothing(at_work: Client, browser: Browser, supervisor: User) -> None:
    first, second = waiting(hours=5), waiting(hours=3)
    assert offered(at_work) == first

    cache.clear()

    assert offered(browser(supervisor)) == second
    assert offered(at_work) == first


def beat(client: Client, notice: Notice, **said: Any) -> dict[str, str]:
    version = Notice.objects.get(pk=notice.pk).version
    answer = client.post(f"/staff/work/{notice.pk}/beat/", {"version": version, "work": "first"} | said)
    return answer.json()


def test_an_open_page_keeps_its_notice_and_hears_who_has_it_otherwise(
    at_work: Client, browser: Browser, analyst: User, supervisor: User
) -> None:
    only = waiting()
    at_work.get("/staff/work/")
    assert beat(at_work, only, active="yes") == {"claim": "yes", "words": ""}

    Claim.objects.update(until=timezone.now())
    assert offered(browser(supervisor)) == only

    said = beat(at_work, only, active="yes")
    assert said["claim"] == "taken"
    assert said["words"].startswith("Sam has this notice before them now.")


def test_an_open_page_hears_that_its_notice_was_changed(at_work: Client, in_charge: Client) -> None:
    only = waiting()
    at_work.get("/staff/work/")

    assert beat(at_work, only, version="7")["claim"] == "changed"


def test_who_hosts_it_may_be_found_while_it_is_judged(
    at_work: Client, static_resolver: FixedResolver
) -> None:
    only: Notice = NoticeFactory(received_at=timezone.now() - HOUR)
    shown = at_work.get("/staff/work/").context["notice"]

    route.attribute_new(resolver=static_resolver, by=SYSTEM, now=timezone.now())

    assert Notice.objects.get(pk=only.pk).attribution is not None
    assert beat(at_work, shown, active="yes")["claim"] == "yes"
    judge(at_work, only, version=shown.version, legal_class="baseline")
    assert Notice.objects.get(pk=only.pk).legal_class == "baseline"


def test_leaving_the_page_and_logging_out_give_the_notice_back(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    only = waiting()
    colleague = browser(supervisor)
    page = at_work.get("/staff/work/").context["page"]
    at_work.post(f"/staff/work/{only.pk}/close/", {"page": page})
    assert offered(colleague) == only

    colleague.post("/logout/")
    assert offered(at_work) == only


@pytest.mark.parametrize("page", ["", "\0", "-", "0" * 16])
def test_a_page_that_was_never_shown_gives_nothing_back(at_work: Client, page: str) -> None:
    only = waiting()
    at_work.get("/staff/work/")

    assert at_work.post(f"/staff/work/{only.pk}/close/", {"page": page}).status_code == 204

    assert Claim.objects.filter(notice=only).exists()


def test_what_is_skipped_does_not_come_back_to_the_same_person_today(
    at_work: Client, browser: Browser, analyst: User, supervisor: User
) -> None:
    first, second = waiting(hours=5), waiting(hours=3)
    at_work.get("/staff/work/")

    answer = at_work.post(f"/staff/work/{first.pk}/skip/", {"reason": "language"}, follow=True)

    assert answer.context["notice"] == second
    assert offered(browser(supervisor)) == first
    event = Event.objects.get(act="skip", subject_id=first.pk)
    assert (event.actor, event.data) == (f"user:{analyst.pk}", {"reason": "language"})
    # Another log-in is the same person.
    browser(supervisor).post("/logout/")
    judge(at_work, second, legal_class="baseline")
    page = browser(analyst).get("/staff/work/").content.decode()
    assert "One waits that you left for a colleague today." in page


def test_a_skip_without_a_reason_keeps_the_notice_on_the_screen(at_work: Client) -> None:
    only = waiting()
    at_work.get("/staff/work/")

    answer = at_work.post(f"/staff/work/{only.pk}/skip/", {"reason": "no idea"})

    assert answer.status_code == 422
    assert answer.context["notice"] == only
    assert not PassedOn.objects.exists()


def test_what_is_handed_over_asks_for_no_reason_and_goes_to_a_colleague(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    only = waiting()
    at_work.get("/staff/work/")

    answer = at_work.post(f"/staff/work/{only.pk}/hand-over/", follow=True)

    assert "notice" not in answer.context
    assert offered(browser(supervisor)) == only
    assert Event.objects.get(act="hand_over", subject_id=only.pk).data is None
    assert not PassedOn.objects.skipped().exists()


def test_of_what_somebody_left_no_more_is_kept_than_is_needed(analyst: User) -> None:
    at, by = timezone.now(), Actor.of(analyst)
    old, skipped, given, new = (waiting().pk for _ in range(4))
    passing.skip(notice_id=old, reason="language", by=by, now=at - 15 * 24 * HOUR)
    passing.skip(notice_id=skipped, reason="language", by=by, now=at - 3 * 24 * HOUR)
    passing.hand_over(notice_id=given, by=by, now=at - 2 * 24 * HOUR)

    passing.hand_over(notice_id=new, by=by, now=at)

    assert set(PassedOn.objects.values_list("notice_id", flat=True)) == {skipped, new}


@pytest.mark.parametrize(
    ("left", "asked", "comes"),
    [
        # Summer time: midnight in Amsterdam is 22:00 UTC.
        ("2026-07-01T21:59", "2026-07-01T22:01", True),
        ("2026-07-01T20:00", "2026-07-01T21:59", False),
        # Winter time: 23:00 UTC.
        ("2026-11-24T22:30", "2026-11-24T22:59", False),
        ("2026-11-24T22:30", "2026-11-24T23:00", True),
    ],
)
def test_today_is_a_day_in_amsterdam(analyst: User, left: str, asked: str, comes: bool) -> None:
    at, later = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (left, asked))
    only = NoticeFactory(received_at=at - HOUR)

    passing.skip(notice_id=only.pk, reason="context", by=Actor.of(analyst), now=at)

    assert (turn.next_for(analyst.pk, later) is not None) is comes


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

    assert "notice" not in page.context
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
    assert ">https://forum.example/some/where/secret-picture.jpg</code>" in text
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

    assert queries() == short <= 15


def test_the_defanged_address_is_given_to_be_copied_and_that_is_written_down(
    at_work: Client, analyst: User
) -> None:
    notice = waiting(content__url="https://forum.example/some/secret.jpg")
    address = f"/staff/work/{notice.pk}/copy/"

    by_script = at_work.post(address, headers={"accept": "application/json"})
    page = at_work.post(address)

    assert by_script.json() == {"text": "hxxps://forum[.]example/some/secret[.]jpg"}
    assert "hxxps://forum[.]example/some/secret[.]jpg</textarea>" in page.content.decode()
    assert b"https://forum.example/some" not in page.content + by_script.content
    events = Event.objects.filter(act="reveal", subject_id=notice.pk)
    assert [event.data for event in events] == [{"reason": "judge", "form": "defanged"}] * 2
    assert at_work.get(address).status_code == 405


def test_what_was_judged_is_said_and_can_be_undone_and_comes_back(at_work: Client) -> None:
    first, second = waiting(hours=5), waiting(hours=3)

    page = judge(at_work, first, legal_class="baseline")
    text = page.content.decode()
    assert page.context["notice"] == second
    assert [each["notice"] for each in page.context["undoable"]] == [first]
    assert f"{first.reference}</a>: illegal: baseline" in text

    back = at_work.post(f"/staff/work/{first.pk}/undo/", follow=True)
    assert back.context["notice"] == first
    assert back.context["undoable"] == []
    assert offered(at_work) == first  # and not the one that was before them


def test_an_undone_dismissal_is_before_the_same_person_with_what_was_reported(at_work: Client) -> None:
    first = waiting(hours=5)
    ReportLineFactory(notice=first, note="what a reporter wrote")
    judge(at_work, first, legal_class="not_illegal", reason="adult")

    back = at_work.post(f"/staff/work/{first.pk}/undo/", follow=True)

    assert back.context["notice"].previous == first
    assert "what a reporter wrote" in back.content.decode()


def test_after_the_hours_of_a_day_one_notice_may_be_finished_and_no_other_comes(
    at_work: Client, analyst: User
) -> None:
    first, _second = waiting(hours=5), waiting(hours=3)
    at_work.get("/staff/work/")
    AtWork.objects.update(worked=4 * HOUR)

    page = at_work.get("/staff/work/")
    assert page.context["notice"] == first
    assert "Your hours for today are over." in page.content.decode()

    page = judge(at_work, first, legal_class="baseline")
    assert "notice" not in page.context
    assert "Enough for today" in page.content.decode()
    assert "You have worked on this desk for 4 h 0 min today" in page.content.decode()


def test_a_lead_lets_somebody_go_on_without_seeing_a_figure(
    at_work: Client, browser: Browser, lead: User, analyst: User
) -> None:
    waiting()
    at_work.get("/staff/work/")
    AtWork.objects.update(worked=5 * HOUR, items=77)
    in_lead = browser(lead)

    page = in_lead.get("/staff/work/team/").content.decode()
    assert "Noor" in page
    assert "77" not in page
    assert "5 h" not in page

    page = in_lead.post(f"/staff/work/team/{analyst.pk}/lift/", {"because": "asked"}, follow=True)
    assert "Nobody has had their hours" in page.content.decode()
    assert at_work.get("/staff/work/team/").status_code == 403


def test_the_hint_to_take_a_break_is_calm_and_can_be_put_away(at_work: Client) -> None:
    waiting()
    at_work.get("/staff/work/")
    AtWork.objects.update(since_at=timezone.now() - 50 * timedelta(minutes=1))

    assert "You have been at it for 50 min without a break." in at_work.get("/staff/work/").content.decode()
    page = at_work.post("/staff/work/hint/", follow=True)
    assert "without a break. Get up" not in page.content.decode()


def test_single_keys_are_switched_off_for_a_person_wherever_they_log_in(
    at_work: Client, browser: Browser, analyst: User
) -> None:
    waiting()
    at_work.get("/staff/work/")

    at_work.post("/staff/work/keys/", {"off": "yes"})

    assert b"data-keys-off checked" in browser(analyst).get("/staff/work/").content


def test_what_is_skipped_often_is_on_top_of_the_leads_list_and_what_was_handed_over_is_not_on_it(
    browser: Browser, at_work: Client, supervisor: User, lead: User
) -> None:
    often, once, given = waiting(hours=5), waiting(hours=4), waiting(hours=3)
    for person in (at_work, browser(supervisor)):
        person.post(f"/staff/work/{often.pk}/skip/", {"reason": "technical"})
    at_work.post(f"/staff/work/{once.pk}/skip/", {"reason": "language"})
    at_work.post(f"/staff/work/{given.pk}/hand-over/")

    rows = browser(lead).get("/staff/work/team/").context["skipped"]

    assert [(row["notice"], row["times"]) for row in rows] == [(often, 2), (once, 1)]
    assert rows[0]["reasons"] == ["I cannot open it, for a technical reason"]


def test_the_page_of_a_notice_says_when_it_leaves_and_not_who_handed_it_over(at_work: Client) -> None:
    at = timezone.now()
    contact = ContactFactory(approved=True)
    message = DispatchFactory(contact=contact, created_at=at, next_attempt_at=at + 10 * timedelta(minutes=1))
    notice = NoticeFactory(
        routed=True, received_at=at - HOUR, assessed_at=at, routed_at=at, contact=contact, dispatch=message
    )
    waits = waiting()
    at_work.post(f"/staff/work/{waits.pk}/hand-over/")

    page = at_work.get(f"/staff/cases/notice/{notice.pk}/change/").content.decode()
    assert "It waits in the outbox and leaves with its message:" in page
    assert "Take back" in page
    handed = at_work.get(f"/staff/cases/notice/{waits.pk}/change/").context["timeline"]
    assert (handed[0]["text"], handed[0]["by"]) == ("Handed over to a colleague", "")


def test_the_team_page_asks_the_database_as_often_for_many_as_for_few(browser: Browser, lead: User) -> None:
    client, people = browser(lead), [UserFactory(email=f"a{n}@hotline.example") for n in range(6)]

    def queries(count: int) -> int:
        for person in people[:count]:
            notice = waiting()
            passing.skip(notice_id=notice.pk, reason="context", by=Actor.of(person), now=timezone.now())
            wellbeing.sign(user_id=person.pk, now=timezone.now())
        AtWork.objects.update(worked=5 * HOUR)
        with CaptureQueriesContext(connection) as asked:
            client.get("/staff/work/team/")
        return len(asked)

    queries(1)
    assert queries(1) == queries(6) <= 8
