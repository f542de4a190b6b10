"""One answer about many notices."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from cases.models import Dispute, Forwarding, Notice, Reply
from providers.models import Provider
from tests.factories import (
    AMONG_OWN_ROWS,
    HOUR,
    AttributionFactory,
    DispatchFactory,
    NoticeFactory,
    UserFactory,
)
from tests.portal.test_notice import words
from tests.portal.world import an_hour_ago, notified, unproven

URL = "/portal/answers/"


def many(provider: Provider, count: int) -> list[Notice]:
    """Notices on one message."""
    at = an_hour_ago()
    dispatch = DispatchFactory(accepted=True, next_attempt_at=at, contact__provider=provider)
    return [notified(at, provider=provider, dispatch=dispatch) for _ in range(count)]


def named(notices: list[Notice]) -> list[str]:
    """Their references."""
    return [notice.reference for notice in notices]


def test_up_to_twenty_are_answered_at_once_and_each_has_its_line(portal: Client, alfa: Provider) -> None:
    notices = many(alfa, 20)
    page = portal.post(URL, {"notice": named(notices), "answer": "acknowledged"}, follow=True)
    assert "Recorded for 20 notices." in words(page.content)
    assert all(reference in page.content.decode() for reference in named(notices))
    assert Reply.objects.filter(answer="acknowledged").count() == 20


def test_more_than_twenty_are_shown_before_anything_is_recorded(portal: Client, alfa: Provider) -> None:
    open_ones = many(alfa, 20)
    removed = NoticeFactory(removed=True, provider=alfa, notified_at=an_hour_ago() - 30 * HOUR)
    chosen = named([*open_ones, removed])
    page = portal.post(URL, {"notice": chosen, "answer": "removed", "back": "tab=open&q=x"})
    said = words(page.content)
    assert "20 notices take your answer." in said
    assert "1 is closed already" in said
    assert not Reply.objects.exists()

    references = re.findall(r'name="references" value="([^"]*)"', page.content.decode())[0]
    assert references.split() == chosen
    page = portal.post(
        URL,
        {"references": references, "answer": "removed", "confirmed": "yes", "back": "tab=open&q=x"},
        follow=True,
    )
    said = words(page.content)
    assert "Recorded for 20 notices." in said
    assert f"{removed.reference} made inaccessible not takenWe have seen that it is gone" in said
    assert 'href="/portal/?tab=open&amp;q=x"' in page.content.decode()


def test_another_answer_asks_for_its_words_first(portal: Client, alfa: Provider) -> None:
    notices = many(alfa, 2)
    page = portal.post(URL, {"notice": named(notices), "more": "yes"})
    assert page.status_code == 200
    assert "we dispute it" in words(page.content)
    page = portal.post(URL, {"references": " ".join(named(notices)), "answer": "dispute", "confirmed": "yes"})
    assert page.status_code == 422
    assert "Say why you dispute it." in words(page.content)
    assert not Reply.objects.exists()


def test_three_hundred_are_answered_with_the_queries_of_three(portal: Client, alfa: Provider) -> None:
    spent = []
    for count in (3, 300):
        references = " ".join(named(many(alfa, count)))
        with CaptureQueriesContext(connection) as queries:
            page = portal.post(
                URL, {"references": references, "answer": "removed", "confirmed": "yes"}, follow=True
            )
        assert f"Recorded for {count} notices." in words(page.content)
        spent.append(len(queries))
    assert spent[0] == spent[1] <= 26 + 2 * AMONG_OWN_ROWS  # and the page it leads to


def test_everything_means_all_that_the_filter_finds_and_is_confirmed_by_name(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    wanted = [notified(provider=alfa, customer_reference="shop") for _ in range(3)]
    notified(provider=alfa)
    notified(provider=beta, customer_reference="shop")
    NoticeFactory(
        removed=True, provider=alfa, customer_reference="shop", notified_at=an_hour_ago() - 30 * HOUR
    )
    page = portal.post(URL, {"everything": "yes", "back": "tab=all&q=shop"})
    references = re.findall(r'name="references" value="([^"]*)"', page.content.decode())[0]
    assert set(references.split()) == set(named(wanted))
    assert not Reply.objects.exists()


def test_anothers_notice_and_nonsense_are_refused_in_the_same_words(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    foreign, own = notified(provider=beta), notified(provider=alfa)
    page = portal.post(
        URL,
        {"notice": [foreign.reference, "N-0000000000", own.reference], "answer": "acknowledged"},
        follow=True,
    )
    said = words(page.content)
    refused = "seen, we are on it not takenColumn reference: There is no such notice."
    assert f"{foreign.reference} {refused}" in said
    assert f"N-0000000000 {refused}" in said
    assert f"{own.reference} seen, we are on it recorded" in said
    assert f'href="/portal/notices/{foreign.reference}/"' not in page.content.decode()
    assert Notice.objects.get(pk=foreign.pk).acknowledged_at is None


def test_these_are_the_rows_of_the_page_whatever_is_ticked(portal: Client, alfa: Provider) -> None:
    shown, other = many(alfa, 3), many(alfa, 1)
    page = portal.post(
        URL,
        {"these": "yes", "shown": " ".join(named(shown)), "notice": named(other)},
    )
    references = re.findall(r'name="references" value="([^"]*)"', page.content.decode())[0]
    assert references.split() == named(shown)


def test_all_at_some_addresses_are_answered_in_one_action(portal: Client, alfa: Provider) -> None:
    here, there, nowhere = (
        [notified(provider=alfa, attribution=AttributionFactory(provider=alfa, address=address))]
        for address in ("192.0.2.10", "2001:db8::7", "198.51.100.4")
    )
    unplaced = [notified(provider=alfa, attribution__address=None)]
    sent = {"group": ["192.0.2.10", "2001:db8::7", "unknown", "fe80::1%eth0", "'"], "answer": "acknowledged"}
    page = portal.post(URL, sent, follow=True)
    assert "Recorded for 3 notices." in words(page.content)
    answered = Notice.objects.filter(acknowledged_at__isnull=False)
    assert {each.pk for each in answered} == {each.pk for each in (*here, *there, *unplaced)}
    assert Notice.objects.get(pk=nowhere[0].pk).acknowledged_at is None


def test_a_double_press_shows_twice_what_the_first_press_did(portal: Client, alfa: Provider) -> None:
    notice = many(alfa, 1)[0]
    pressed = {"notice": [notice.reference], "answer": "acknowledged", "once": "a-page"}
    first, second = (portal.post(URL, pressed) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert "Recorded for 1 notice." in words(portal.get(second["Location"]).content)
    assert Reply.objects.count() == 1
    # From another page it is another answer, which we had.
    again = portal.post(URL, pressed | {"once": "another"}, follow=True)
    assert "We had this answer already for 1 notice." in words(again.content)


def test_the_outcome_of_each_line_is_a_file_of_theirs_only(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    notice = many(alfa, 1)[0]
    sheet = portal.post(URL, {"notice": [notice.reference, "N-0000000000"], "answer": "removed"})[
        "Location"
    ].partition("?")[0]
    file = portal.get(f"{sheet}outcome.csv")
    assert file["Content-Disposition"] == 'attachment; filename="answers-outcome.csv"'
    assert file.content.decode("utf-8-sig").split("\r\n") == [
        "line;reference;answer;outcome;column;reason",
        f"1;{notice.reference};removed;recorded;;",
        "2;N-0000000000;removed;refused;reference;There is no such notice.",
        "",
    ]
    stranger = Client()
    stranger.force_login(UserFactory(provider_contact=True, provider=beta, email="b@beta.example"))
    for address in (sheet, f"{sheet}outcome.csv"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"{sheet}record/").status_code == 404


@pytest.mark.parametrize("chosen", [[], ["%00"], ["\0"], ["' OR 1=1"]])
def test_nothing_chosen_is_said(portal: Client, db: None, chosen: list[str]) -> None:
    page = portal.post(URL, {"notice": chosen, "answer": "acknowledged"}, follow=True)
    assert "Choose at least one notice." in words(page.content)


@pytest.mark.parametrize("back", ["//evil.test/", "tab=x", "q=%00", "next=https://evil.test/"])
def test_the_way_back_leads_nowhere_else(portal: Client, alfa: Provider, back: str) -> None:
    page = portal.post(
        URL,
        {"notice": [notified(provider=alfa).reference], "answer": "acknowledged", "back": back},
        follow=True,
    )
    assert "evil.test" not in page.content.decode()
    assert 'href="/portal/?"' in page.content.decode()


def test_an_answer_about_what_was_not_known_to_have_arrived_starts_its_clock(
    portal: Client, alfa: Provider
) -> None:
    notice = unproven(provider=alfa)
    portal.post(URL, {"notice": [notice.reference], "answer": "acknowledged"})
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.NOTIFIED
    page = portal.get(f"/portal/notices/{notice.reference}/")
    assert "You answered it, so it had reached you." in words(page.content)


def test_a_bulk_answer_wants_our_token(alfa: Provider, contact: object) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(contact)  # type: ignore[arg-type]
    notice = notified(provider=alfa)
    before = Event.objects.count()
    assert browser.post(URL, {"notice": [notice.reference], "answer": "removed"}).status_code == 403
    assert browser.get(URL).status_code == 405
    assert Event.objects.count() == before


def test_what_an_answer_about_many_says_beside_its_words_is_kept_of_each(
    portal: Client, alfa: Provider
) -> None:
    objected, passed_on = many(alfa, 2), many(alfa, 2)
    ground = {"answer": "dispute", "ground": Dispute.Ground.ALREADY_GONE, "confirmed": "yes"}
    page = portal.post(URL, ground | {"notice": named(objected)}, follow=True)
    assert "Recorded for 2 notices." in words(page.content)
    assert {*Dispute.objects.values_list("ground", "notice__reference")} == {
        (Dispute.Ground.ALREADY_GONE, reference) for reference in named(objected)
    }
    forwarded = {"answer": "forwarded", "forwarded_to": "Reseller", "confirmed": "yes"}
    portal.post(URL, forwarded | {"notice": named(passed_on)})
    assert {(row.to_name, row.notice.reference) for row in Forwarding.objects.all()} == {
        ("Reseller", reference) for reference in named(passed_on)
    }
