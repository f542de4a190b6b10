"""The thread of a notice in the portal: messages both ways, forwarding with its own clock, where an objection stands."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit.record import Actor
from cases.models import Dispute, Forwarding, Message, Notice
from cases.services import conversation, disputes, forwarding, second
from providers.models import Provider, Relation
from tests.factories import AMONG_OWN_ROWS, HOUR, SYSTEM, ProviderFactory, SightingFactory, UserFactory
from tests.portal.test_notice import at, words
from tests.portal.world import notified

ADDRESS = "https://forum.example/threads/secret-path/0001.jpg"


def desk(text: str, notice: Notice) -> Message:
    """Somebody of the notice desk writes."""
    by = Actor.of(UserFactory(notice_desk=True, name="Noor van het Meldpunt"))
    return conversation.write(notice_id=notice.pk, text=text, by=by, now=timezone.now())


def picked(browser: Client, notice: Notice, **fields: str) -> str:
    """What a reader sees after an answer, with a typed time in UTC."""
    return words(browser.post(at(notice, "answer/"), {"zone": "UTC", **fields}, follow=True).content)


def marked(browser: Client) -> list[str]:
    """The notices of which the list says that something new was written."""
    page = browser.get("/portal/?tab=all&only=unread").content.decode()
    assert page.count("new message</span>") == page.count('data-label="Reference"')
    return re.findall(r'href="/portal/notices/(N-[0-9A-Z]{10})/"', page)


# -- Messages ----------------------------------------------------------------------------------------


def test_what_is_written_stands_in_the_thread_with_who_of_ours_and_nobody_of_theirs(
    portal: Client, alfa: Provider, contact: User
) -> None:
    notice = notified(provider=alfa)
    said = words(portal.post(at(notice, "messages/"), {"text": "Which server?"}, follow=True).content)
    assert "Your message is with us." in said
    desk("The second one.", notice)

    said = words(portal.get(at(notice)).content)
    assert "You wrote: Which server?" in said
    assert str(contact) in said
    assert "The hotline wrote: new The second one." in said
    assert "Noor" not in said


def test_what_is_new_is_marked_on_the_page_and_in_the_list_until_it_was_read(
    portal: Client, alfa: Provider
) -> None:
    notice, other = notified(provider=alfa), notified(provider=alfa)
    desk("Look here", notice)
    assert marked(portal) == [notice.reference]
    assert "1 with a new message from us" in words(portal.get("/portal/").content)
    assert "There is 1 new message from the hotline below." in words(portal.get(at(notice)).content)
    assert "new message" not in words(portal.get(at(other)).content)
    # Looking, by whatever program, marks nothing.
    assert Message.objects.unread().count() == 1

    # By the button, and by the page itself once it was in sight.
    assert portal.post(at(other, "messages/read/")).status_code == 302
    assert portal.post(at(notice, "messages/read/"), headers={"X-Unattended": "yes"}).status_code == 204

    assert not Message.objects.unread().exists()
    assert marked(portal) == []
    assert "0 with a new message from us" in words(portal.get("/portal/").content)


def test_addresses_in_what_people_wrote_are_left_out_and_nothing_is_a_link(
    portal: Client, alfa: Provider
) -> None:
    notice = notified(provider=alfa)
    portal.post(at(notice, "messages/"), {"text": f"See {ADDRESS} <b>now</b>"})
    portal.post(at(notice, "answer/"), {"answer": "need_information", "note": f"And {ADDRESS}?"})
    desk(f"No: {ADDRESS}", notice)

    page = portal.get(at(notice)).content.decode()
    assert "secret-path" not in page
    assert page.count("[…]") == 3
    assert html.escape("<b>now</b>") in page
    assert not re.search(r'(href|src)="[^"]*forum', page)


@pytest.mark.parametrize("text", ["", "   ", "x" * 4_001, "a\x00b", "\x1b[31m"])
def test_a_message_that_cannot_be_kept_is_refused_on_the_page(
    portal: Client, alfa: Provider, text: str
) -> None:
    notice = notified(provider=alfa)
    answer = portal.post(at(notice, "messages/"), {"text": text})
    assert answer.status_code in {409, 422}
    assert b'class="field field--wide field--error"' in answer.content or b"field--error" in answer.content
    assert not Message.objects.exists()


@pytest.mark.parametrize("button", ["messages/", "messages/read/"])
def test_anothers_thread_does_not_exist(portal: Client, beta: Provider, button: str) -> None:
    foreign = notified(provider=beta)
    desk("For beta only", foreign)
    refused = portal.post(at(foreign, button), {"text": "Mine"})
    missing = portal.post(f"/portal/notices/N-0000000000/{button}", {"text": "Mine"})
    assert refused.status_code == missing.status_code == 404
    assert refused.content == missing.content
    assert Message.objects.count() == Message.objects.unread().count() == 1
    assert marked(portal) == []
    assert "0 with a new message from us" in words(portal.get("/portal/").content)


# -- Forwarding --------------------------------------------------------------------------------------


def test_a_forwarding_has_a_clock_of_its_own_and_the_notices_stays(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    by = timezone.now() + 3 * HOUR
    said = picked(
        portal, notice, answer="forwarded", forwarded_to="Klant BV", expected_by=f"{by:%Y-%m-%dT%H:%M}"
    )
    assert "Forwarded: Klant BV. You expect them to act by" in said
    assert "Your own clock runs on beside it:" in said
    assert f"To Klant BV. Expected to act by {by:%Y-%m-%d %H:%M} UTC." in said
    assert "forwarded, expected by" in words(portal.get("/portal/").content)
    assert Notice.objects.get(pk=notice.pk).due_at == notice.due_at

    # A question to us ends nothing, another answer does.
    picked(portal, notice, answer="need_information", question="Which of the two files?")
    assert "forwarded, expected by" in words(portal.get("/portal/").content)
    picked(portal, notice, answer="removed")
    assert "forwarded, expected by" not in words(portal.get("/portal/").content)


def test_later_than_ones_own_due_moment_is_taken_once_one_says_that_one_knows(
    portal: Client, alfa: Provider
) -> None:
    notice = notified(provider=alfa)
    late = {
        "answer": "forwarded",
        "expected_by": f"{timezone.now() + 40 * HOUR:%Y-%m-%dT%H:%M}",
        "zone": "UTC",
    }
    refused = portal.post(at(notice, "answer/"), late)
    assert refused.status_code == 409
    assert "after your own due moment" in words(refused.content)
    assert not Forwarding.objects.exists()

    assert "That is after your own due moment." in picked(portal, notice, **late, knows_late="on")


def test_only_ones_own_customers_can_be_chosen(portal: Client, alfa: Provider, beta: Provider) -> None:
    reseller = ProviderFactory(code="reseller", name="Doorverkoper BV")
    Relation.objects.create(
        provider=reseller,
        kind="reseller_of",
        other=alfa,
        valid_from=timezone.now().date() - timedelta(days=9),
        reason="told",
        by="user:1",
    )
    notice = notified(provider=alfa)
    page = words(portal.get(at(notice)).content)
    assert "Doorverkoper BV" in page
    assert str(beta) not in page
    assert portal.post(at(notice, "answer/"), {"answer": "forwarded", "customer": beta.pk}).status_code == 422
    assert "To Doorverkoper BV." in picked(portal, notice, answer="forwarded", customer=str(reseller.pk))


def test_that_a_customers_time_is_over_stands_in_the_thread_as_new(portal: Client, alfa: Provider) -> None:
    now = timezone.now()
    notice = notified(provider=alfa)
    picked(portal, notice, answer="forwarded", expected_by=f"{now + HOUR:%Y-%m-%dT%H:%M}")
    Notice.objects.filter(pk=notice.pk).update(last_seen_online_at=now + 2 * HOUR)
    forwarding.remind_due(by=SYSTEM, now=now + 2 * HOUR)

    said = words(portal.get(at(notice)).content)
    assert "Our check has seen it online since. Your own clock runs on. new" in said


# -- Objections --------------------------------------------------------------------------------------


def test_an_objection_says_who_decides_and_by_when_and_a_second_one_is_refused(
    portal: Client, alfa: Provider
) -> None:
    notice = notified(provider=alfa)
    said = picked(portal, notice, answer="dispute", ground="not_illegal", reason="A beach")
    assert "Your objection is with us: the material is not illegal." in said
    assert "Somebody who has not judged it before judges it again." in said
    assert "You have our decision by" in said

    again = portal.post(at(notice, "answer/"), {"answer": "dispute", "reason": "Another beach"})
    assert again.status_code == 409
    assert "still waits for its decision" in words(again.content)


def test_a_ground_says_why_unless_it_is_another_reason(portal: Client, alfa: Provider) -> None:
    for ground, status in (("", 422), ("other", 422), ("shredded", 422), ("not_illegal", 302)):
        notice = notified(provider=alfa)
        answer = portal.post(at(notice, "answer/"), {"answer": "dispute", "ground": ground})
        assert answer.status_code == status, ground


def test_what_was_decided_is_said_in_one_sentence_and_by_nobody(portal: Client, alfa: Provider) -> None:
    place, material = notified(provider=alfa), notified(provider=alfa)
    picked(portal, place, answer="not_ours", reason="Beta has it")
    picked(portal, material, answer="dispute", ground="not_illegal")
    desk_person = UserFactory(notice_desk=True, name="Noor van het Meldpunt")
    other = UserFactory(email="other@hotline.example", name="Olga Beoordelaar")
    disputes.reject(
        dispute_id=Dispute.objects.get(notice=place).pk,
        why="192.0.2.10 is in your network.",
        by=Actor.of(desk_person),
        now=timezone.now(),
    )
    second.judge_again(notice_id=material.pk, legal_class="baseline", by=Actor.of(other), now=timezone.now())

    said = words(portal.get(at(place)).content)
    assert said.count("Your objection was rejected. 192.0.2.10 is in your network.") == 2
    judged = words(portal.get(at(material)).content)
    assert "Somebody who had not judged it before has judged it again, and found it illegal" in judged
    assert "Noor" not in said
    assert "Olga" not in judged


def test_a_page_costs_as_many_queries_with_a_long_thread(
    portal: Client, alfa: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    start = timezone.now() - 20 * HOUR
    notice = notified(start, provider=alfa)
    for number in range(12):
        SightingFactory(notice=notice, seen_at=start + number * HOUR)
        picked(portal, notice, answer="forwarded", forwarded_to=f"Klant {number}")
        portal.post(at(notice, "messages/"), {"text": f"Question {number}"})
        desk(f"Answer {number}", notice)
    # As a bare page: the names of the provider's people, and not whether it was seen, for it was answered.
    with django_assert_num_queries(13 + AMONG_OWN_ROWS):
        portal.get(at(notice))
