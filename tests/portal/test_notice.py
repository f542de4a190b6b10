"""The page of one notice."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit.models import Event
from cases.clock import database_now
from cases.models import Notice, Reply
from cases.services import answers
from cases.services.withdraw import withdraw
from providers.models import Provider
from tests.factories import (
    AMONG_OWN_ROWS,
    HOUR,
    SYSTEM,
    AttributionFactory,
    DispatchFactory,
    NoticeFactory,
    SightingFactory,
    UserFactory,
)
from tests.portal.world import an_hour_ago, notified, unproven

SECRET = "https://forum.example/threads/secret-path/0001.jpg"


def at(notice: Notice, part: str = "") -> str:
    """The address of a notice's page, or of a button on it."""
    return f"/portal/notices/{notice.reference}/{part}"


def words(page: bytes) -> str:
    """What a reader sees of a page, in one line."""
    cells = re.sub(r"</t[dh]>", " ", page.decode())
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cells)))


# -- What exists for whom ----------------------------------------------------------------------------


def test_what_is_not_ones_own_looks_exactly_like_what_never_was(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    foreign, never_sent = notified(provider=beta), NoticeFactory(routed=True, provider=alfa)
    answers_404 = [
        portal.get(f"/portal/notices/{reference}/")
        for reference in (
            foreign.reference,
            never_sent.reference,
            "N-0000000000",
            "n-lower",
            "1 OR 1=1",
            "%00",
        )
    ]
    assert {answer.status_code for answer in answers_404} == {404}
    assert len({answer.content for answer in answers_404}) == 1


@pytest.mark.parametrize("button", ["address/", "answer/", "customer-reference/"])
def test_no_button_works_on_anothers_notice(portal: Client, beta: Provider, button: str) -> None:
    foreign = notified(provider=beta)
    before = Event.objects.count()
    answer = portal.post(at(foreign, button), {"answer": "removed", "text": "mine", "seen": ""})
    assert answer.status_code == 404
    assert Event.objects.count() == before


@pytest.mark.parametrize("button", ["address/", "answer/", "customer-reference/"])
def test_a_button_wants_a_post_with_our_token(contact: User, alfa: Provider, button: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(contact)
    notice = notified(provider=alfa)
    assert browser.get(at(notice, button)).status_code == 405
    assert browser.post(at(notice, button), {"answer": "removed"}).status_code == 403
    assert not Event.objects.filter(subject_id=notice.pk, subject="notice", act="reveal").exists()
    assert not Reply.objects.exists()


def test_a_leaver_is_out_at_the_next_request(portal: Client, contact: User, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    assert portal.get(at(notice)).status_code == 200
    User.objects.filter(pk=contact.pk).update(is_active=False)
    assert portal.get(at(notice)).status_code == 302


# -- What the page says ------------------------------------------------------------------------------


def test_a_claim_that_our_check_contradicts_is_said_first(portal: Client, alfa: Provider) -> None:
    now = timezone.now()
    notice = notified(
        now - 5 * HOUR,
        provider=alfa,
        claimed_removed_at=now - 3 * HOUR,
        last_seen_online_at=now - 2 * HOUR,
    )
    said = words(portal.get(at(notice)).content)
    assert re.search(r"You say removed at .+ UTC; our check at .+ UTC still sees it\.", said)
    assert said.index("You say removed") < said.index("Accepted by your server")


def test_no_contradiction_is_said_when_we_have_not_looked_since_the_claim(
    portal: Client, alfa: Provider
) -> None:
    now = timezone.now()
    notice = notified(
        now - 5 * HOUR,
        provider=alfa,
        claimed_removed_at=now - 2 * HOUR,
        last_seen_online_at=now - 3 * HOUR,
    )
    said = words(portal.get(at(notice)).content)
    assert "You say removed" not in said
    assert "our check looks now" in said


# Ahead by less than what ends a session in which nobody moves.
@pytest.mark.parametrize("skew", [HOUR / 3, -2 * HOUR], ids=["ahead", "behind"])
def test_a_clock_that_the_portal_starts_starts_by_the_databases_clock(
    portal: Client, alfa: Provider, skew: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, answered = unproven(provider=alfa), unproven(provider=alfa)
    monkeypatch.setattr(timezone, "now", lambda: database_now() + skew)

    portal.get(at(shown))
    portal.post(at(answered, "answer/"), {"answer": "acknowledged"})

    for notice in (shown, answered):
        started = Notice.objects.get(pk=notice.pk).notified_at
        assert started is not None
        assert abs(started - database_now()) < timedelta(minutes=1)


def test_the_clock_explains_itself(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    said = words(portal.get(at(notice)).content)
    number = notice.dispatch_lines.get().dispatch.number
    assert f"Your server accepted {number}: “250 OK”." in said
    assert "Rule 1: 24 hours after your server accepted, on the wall clock." in said
    assert notice.due_at is not None
    assert f"{notice.due_at:%H:%M:%S} UTC" in said


@pytest.mark.parametrize(
    ("notified_at", "due", "remark"),
    [
        (datetime(2026, 10, 24, 12, tzinfo=UTC), "12:00:00 UTC (13:00 Amsterdam)", "go back by 1 h 0 min"),
        (datetime(2027, 3, 27, 12, tzinfo=UTC), "12:00:00 UTC (14:00 Amsterdam)", "go forward by 1 h 0 min"),
    ],
    ids=["winter time begins", "summer time begins"],
)
def test_the_clock_says_when_the_clocks_in_amsterdam_change_within_the_term(
    portal: Client, alfa: Provider, notified_at: datetime, due: str, remark: str
) -> None:
    said = words(portal.get(at(NoticeFactory(notified=True, provider=alfa, notified_at=notified_at))).content)
    assert due in said
    assert f"the clocks in Amsterdam {remark}" in said
    assert "and is just as long" in said


def test_the_page_says_why_this_provider(portal: Client, alfa: Provider) -> None:
    place = AttributionFactory(provider=alfa, address="192.0.2.10", prefix="192.0.2.0/24")
    said = words(portal.get(at(notified(provider=alfa, attribution=place))).content)
    assert "192.0.2.0/24 (AS64500, ALFA-NET-1) is the most specific network of 192.0.2.10." in said


def test_what_happened_is_told_newest_first(portal: Client, alfa: Provider, contact: User) -> None:
    start = timezone.now() - 30 * HOUR
    notice = NoticeFactory(escalated=True, provider=alfa, notified_at=start)
    DispatchFactory(reminder=True, accepted=True, next_attempt_at=start + 24 * HOUR, lines_of=[notice])
    for hours in (1, 2, 3):
        SightingFactory(notice=notice, seen_at=start + hours * HOUR)
    Reply.objects.create(
        notice=notice,
        answer="forwarded",
        at=start + 5 * HOUR,
        by=f"user:{contact.pk}",
        token=notice.content_id,
    )
    said = words(portal.get(at(notice)).content)
    told = [
        "The term ended without proven removal.",
        "You answered: forwarded to our customer.",
        "Our check sees it online.",
        "3 checks since",
        "We sent notice NTD",
    ]
    places = [said.index(line) for line in told]
    assert places == sorted(places)
    assert "We sent reminder 1, NTD" in said
    assert str(contact) in said


def test_the_staff_have_no_name_here(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    supervisor = UserFactory(supervisor=True, name="Sanne de Supervisor")
    withdraw(
        notice_id=notice.pk,
        because="objection_upheld",
        by=SYSTEM.of(supervisor),
        now=timezone.now(),
    )
    said = words(portal.get(at(notice)).content)
    assert "We withdrew this notice: objection upheld." in said
    assert "Sanne" not in said


def test_what_people_wrote_is_shown_as_they_wrote_it(portal: Client, alfa: Provider, contact: User) -> None:
    nasty = "<script>alert(1)</script> {{ 7|add:1 }} ' OR 1=1 --"
    notice = notified(provider=alfa)
    portal.post(at(notice, "answer/"), {"answer": "dispute", "reason": nasty, "note": nasty})
    portal.post(at(notice, "customer-reference/"), {"text": nasty, "seen": ""})
    page = portal.get(at(notice)).content
    assert b"<script>alert" not in page
    # Twice on the time line (reason and note), twice in the form (what stands there, what was seen).
    assert page.decode().count(html.escape(nasty)) == 4


def test_a_page_asks_the_database_as_often_whatever_happened(
    portal: Client, alfa: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    start = timezone.now() - 20 * HOUR
    notice = notified(start, provider=alfa)
    for minutes in range(0, 600, 10):
        SightingFactory(notice=notice, seen_at=start + timedelta(minutes=minutes))
    portal.get(at(notice))
    assert Event.objects.filter(subject="notice", subject_id=notice.pk, act="show").count() == 1
    # Session, person and their provider, notice, whether it was seen, dispatches, replies, sightings, objections,
    # forwardings, messages, receipt, related, customers.
    with django_assert_num_queries(13 + AMONG_OWN_ROWS):
        portal.get(at(notice))
    assert Event.objects.filter(subject="notice", subject_id=notice.pk, act="show").count() == 1


# -- Looking -----------------------------------------------------------------------------------------


def test_looking_starts_the_clock_of_what_was_sent_and_not_known_to_have_arrived(
    portal: Client, alfa: Provider, contact: User
) -> None:
    notice = unproven(provider=alfa)
    said = words(portal.get(at(notice)).content)

    now_it_runs = Notice.objects.get(pk=notice.pk)
    assert now_it_runs.state == Notice.State.NOTIFIED
    assert not now_it_runs.notified_estimated
    assert "your clock starts" in said
    assert "It was shown in this portal to one of you, logged in." in said
    event = Event.objects.filter(subject="notice", subject_id=notice.pk).latest("pk")
    assert (event.act, event.actor) == ("notify", f"user:{contact.pk}")


def test_a_look_that_shows_nobody_anything_starts_nothing(portal: Client, alfa: Provider) -> None:
    notice = unproven(provider=alfa)
    portal.head(at(notice))
    portal.get(at(notice), headers={"Sec-Purpose": "prefetch;prerender"})
    assert Notice.objects.get(pk=notice.pk).notified_at is None


def test_looking_again_changes_nothing_and_the_first_look_is_kept(
    portal: Client, alfa: Provider, contact: User
) -> None:
    notice = notified(provider=alfa)
    events = Event.objects.count()
    for _ in range(3):
        assert portal.get(at(notice)).status_code == 200
    assert Event.objects.count() == events + 1
    assert Event.objects.latest("pk").actor == f"user:{contact.pk}"
    assert Notice.objects.get(pk=notice.pk).version == notice.version


# -- The address -------------------------------------------------------------------------------------


def test_the_whole_address_is_nowhere_before_somebody_asks(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa, content__url=SECRET)
    page = portal.get(at(notice)).content.decode()
    assert "secret-path" not in page
    assert "forum.example/…" in page


def test_the_whole_address_is_text_and_no_link_and_who_saw_it_is_recorded(
    portal: Client, alfa: Provider, contact: User
) -> None:
    notice = notified(provider=alfa, content__url=SECRET)
    page = portal.post(at(notice, "address/"))
    shown = page.content.decode()
    assert f'<code class="address" translate="no">{SECRET}</code>' in shown
    assert 'data-copy="hxxps://forum[.]example/threads/secret-path/0001[.]jpg"' in shown
    assert not re.search(r'(href|src|action|content)="[^"]*secret-path', shown)
    assert "secret-path" not in re.findall(r"<title>(.*?)</title>", shown, re.S)[0]
    assert "no-store" in page["Cache-Control"]
    event = Event.objects.get(act="reveal")
    assert (event.subject, event.subject_id, event.actor) == ("notice", notice.pk, f"user:{contact.pk}")
    assert event.data is None
    # It stood on that answer only.
    assert "secret-path" not in portal.get(at(notice)).content.decode()


# -- Answering ---------------------------------------------------------------------------------------


def test_an_answer_is_recorded_and_the_clock_runs_on(portal: Client, alfa: Provider, contact: User) -> None:
    notice = notified(provider=alfa)
    reply = portal.post(at(notice, "answer/"), {"answer": "acknowledged"}, follow=True)
    assert "Your answer is recorded." in words(reply.content)
    after = Notice.objects.get(pk=notice.pk)
    assert after.acknowledged_at is not None
    assert (after.state, after.due_at) == (Notice.State.NOTIFIED, notice.due_at)
    assert Reply.objects.get().by == f"user:{contact.pk}"


def test_a_second_press_adds_nothing(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    for _ in range(2):
        reply = portal.post(at(notice, "answer/"), {"answer": "acknowledged"}, follow=True)
    assert "We had that answer already." in words(reply.content)
    assert Reply.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "zone", "utc"),
    [
        ("2026-01-05T13:50", "Europe/Amsterdam", "2026-01-05 12:50"),
        ("2026-01-05T13:50", "UTC", "2026-01-05 13:50"),
        ("2026-07-05T13:50", "", "2026-07-05 11:50"),
    ],
)
def test_when_it_was_removed_is_read_in_the_zone_that_was_chosen(
    portal: Client, alfa: Provider, typed: str, zone: str, utc: str
) -> None:
    notice = notified(provider=alfa)
    portal.post(at(notice, "answer/"), {"answer": "removed", "at": typed, "zone": zone})
    claimed_at = Reply.objects.get().claimed_at
    assert claimed_at is not None
    assert f"{claimed_at:%Y-%m-%d %H:%M}" == utc
    assert f"Happened at {utc} UTC." in words(portal.get(at(notice)).content)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "2026-03-29T02:30"),  # skipped in Amsterdam
        ("at", "2025-10-26T02:30"),  # there twice
        ("at", "0001-01-01T00:00"),
        ("at", "9999-12-31T23:59"),
        ("at", "2026-02-30T10:00"),
        ("at", "yesterday"),
        ("answer", "delete"),
        ("answer", ""),
        ("note", "x" * 1_000_000),
        ("reason", "x" * 301),
        ("note", "a\0b"),
    ],
)
def test_an_answer_that_cannot_be_read_says_so_and_keeps_what_was_typed(
    portal: Client, alfa: Provider, field: str, value: str
) -> None:
    notice = notified(provider=alfa)
    typed = {"answer": "removed", "note": "We wiped the account."} | {field: value}
    reply = portal.post(at(notice, "answer/"), typed)
    assert reply.status_code in {409, 422}
    assert "errorlist" in reply.content.decode() or "message--error" in reply.content.decode()
    if field != "note":
        assert "We wiped the account." in reply.content.decode()
    assert not Reply.objects.exists()


def test_a_dispute_says_why(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    reply = portal.post(at(notice, "answer/"), {"answer": "dispute"})
    assert reply.status_code == 422
    assert "Say why you dispute it." in words(reply.content)


def test_what_was_withdrawn_meanwhile_takes_no_answer(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    assert "Record this answer" in words(portal.get(at(notice)).content)
    withdraw(notice_id=notice.pk, because="moved", by=SYSTEM, now=timezone.now())
    reply = portal.post(at(notice, "answer/"), {"answer": "removed"})
    assert reply.status_code == 409
    assert "This notice was withdrawn: there is nothing left to do." in words(reply.content)
    assert "Record this answer" not in words(reply.content)
    assert not Reply.objects.exists()


def test_an_answer_of_a_colleague_and_of_a_machine_have_their_names(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    notice = notified(provider=alfa)
    colleague = UserFactory(provider_admin=True, provider=alfa, name="Kim Collega")
    answers.answer_many(
        provider_id=alfa.pk,
        answers=[answers.Answer(notice.reference, "acknowledged")],
        by=SYSTEM.of(colleague),
        now=an_hour_ago(),
    )
    assert "Kim Collega" in words(portal.get(at(notice)).content)


# -- The own reference -------------------------------------------------------------------------------


def test_the_own_reference_is_kept_and_found_again(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    portal.post(at(notice, "customer-reference/"), {"text": " T-1 ", "seen": ""})
    assert Notice.objects.get(pk=notice.pk).customer_reference == "T-1"
    assert 'value="T-1"' in portal.get(at(notice)).content.decode()


def test_a_colleagues_reference_is_not_overwritten_unseen(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa, customer_reference="theirs")
    reply = portal.post(at(notice, "customer-reference/"), {"text": "mine", "seen": ""})
    assert reply.status_code == 409
    assert "It now says “theirs”." in words(reply.content)
    assert 'value="mine"' in reply.content.decode()
    assert Notice.objects.get(pk=notice.pk).customer_reference == "theirs"
    # The page that said so lets me insist.
    portal.post(at(notice, "customer-reference/"), {"text": "mine", "seen": "theirs"})
    assert Notice.objects.get(pk=notice.pk).customer_reference == "mine"


@pytest.mark.parametrize("text", ["x" * 101, "two\nlines", "tab\tbed", "\u202eturned"])
def test_an_own_reference_is_one_short_line(portal: Client, alfa: Provider, text: str) -> None:
    notice = notified(provider=alfa)
    reply = portal.post(at(notice, "customer-reference/"), {"text": text, "seen": ""})
    assert reply.status_code == 422
    assert Notice.objects.get(pk=notice.pk).customer_reference == ""


def test_an_address_that_came_back_leads_to_the_earlier_notice(portal: Client, alfa: Provider) -> None:
    earlier = NoticeFactory(removed=True, provider=alfa, notified_at=timezone.now() - 50 * HOUR)
    again = notified(provider=alfa, content=earlier.content, previous=earlier)
    assert f'href="{at(earlier)}"' in portal.get(at(again)).content.decode()
    assert f'href="{at(again)}"' in portal.get(at(earlier)).content.decode()
