"""What a provider's people find at /portal/."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from cases.models import Notice
from cases.services import conversation
from cases.services.answers import Answer, answer_many
from providers.models import Provider
from tests.factories import AMONG_OWN_ROWS, HOUR, SYSTEM, AttributionFactory, NoticeFactory, UserFactory
from tests.portal.world import an_hour_ago, notified, unproven

LIST = "/portal/"


def references(client: Client, query: str = "") -> list[str]:
    """The references on the page, in its order."""
    page = client.get(f"{LIST}{query}")
    assert page.status_code == 200
    return re.findall(r'href="/portal/notices/(N-[0-9A-Z]{10})/"', page.content.decode())


def test_a_guest_is_asked_to_log_in(client: Client, db: None) -> None:
    answer = client.get(LIST)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


def test_staff_have_no_business_in_the_portal(client: Client, db: None) -> None:
    client.force_login(UserFactory(analyst=True))
    assert client.get(LIST).status_code == 403


def test_the_own_open_notices_are_listed_with_what_is_due_first_on_top(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    later = notified(provider=alfa)
    sooner = notified(an_hour_ago() - HOUR, provider=alfa)
    arrived = unproven(an_hour_ago(), provider=alfa)
    NoticeFactory(notified=True, provider=beta, notified_at=an_hour_ago())
    NoticeFactory(routed=True, provider=alfa)
    NoticeFactory(removed=True, provider=alfa)

    assert references(portal) == [sooner.reference, later.reference, arrived.reference]


def test_each_tab_shows_its_own(portal: Client, alfa: Provider) -> None:
    plain = notified(provider=alfa)
    answered = notified(provider=alfa, acknowledged_at=timezone.now())
    removed = NoticeFactory(removed=True, provider=alfa, notified_at=an_hour_ago() - 30 * HOUR)
    withdrawn = NoticeFactory(withdrawn=True, provider=alfa, notified_at=an_hour_ago() - 40 * HOUR)

    assert set(references(portal, "?tab=open")) == {plain.reference, answered.reference}
    assert references(portal, "?tab=answered") == [answered.reference]
    assert references(portal, "?tab=removed") == [removed.reference]
    assert set(references(portal, "?tab=all")) == {
        each.reference for each in (plain, answered, removed, withdrawn)
    }


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("198.51.100.77", "by_address"),
        ("198.51.100.", "by_address"),
        ("198.51.100.7", None),
        ("2001:db8::7", "by_address_6"),
        ("2001:db8:", "by_address_6"),
        ("ticket 12", "by_customer"),
        ("TICKET", "by_customer"),
        ("'; DROP TABLE cases_notice; --", None),
        ("{{ 7|add:1 }}", None),
    ],
)
def test_a_notice_is_found_by_address_and_by_the_own_reference(
    portal: Client, alfa: Provider, typed: str, found: str | None
) -> None:
    at = an_hour_ago()
    notices = {
        "by_address": NoticeFactory(
            notified=True,
            provider=alfa,
            notified_at=at,
            attribution=AttributionFactory(provider=alfa, address="198.51.100.77"),
        ),
        "by_address_6": NoticeFactory(
            notified=True,
            provider=alfa,
            notified_at=at,
            attribution=AttributionFactory(provider=alfa, address="2001:db8::7"),
        ),
        "by_customer": NoticeFactory(
            notified=True, provider=alfa, notified_at=at, customer_reference="Ticket 12"
        ),
    }
    answer = portal.get(LIST, {"q": typed})
    listed = re.findall(r'href="/portal/notices/(N-[0-9A-Z]{10})/"', answer.content.decode())
    assert listed == ([notices[found].reference] if found else [])


def test_a_notice_is_found_by_its_reference_in_either_case(portal: Client, alfa: Provider) -> None:
    notice = notified(provider=alfa)
    notified(provider=alfa)
    assert references(portal, f"?q={notice.reference.lower()}") == [notice.reference]


def test_what_is_overdue_is_so_from_the_due_moment_although_no_sweep_has_run(
    portal: Client, alfa: Provider
) -> None:
    over = NoticeFactory(notified=True, provider=alfa, notified_at=timezone.now() - 25 * HOUR)
    soon = NoticeFactory(notified=True, provider=alfa, notified_at=timezone.now() - 21 * HOUR)
    notified(provider=alfa)
    assert over.state == Notice.State.NOTIFIED
    assert references(portal, "?due=over") == [over.reference]
    assert references(portal, "?due=4h") == [soon.reference]


def test_what_they_say_is_removed_and_we_still_see_stands_in_the_list(portal: Client, alfa: Provider) -> None:
    notice = NoticeFactory(
        notified=True,
        provider=alfa,
        notified_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
        claimed_removed_at=datetime(2026, 1, 5, 13, 50, tzinfo=UTC),
        last_seen_online_at=datetime(2026, 1, 5, 14, 5, tzinfo=UTC),
    )
    notified(provider=alfa)
    page = portal.get(f"{LIST}?only=contradicted").content.decode()
    assert re.findall(r'/notices/(N-[0-9A-Z]{10})/"', page) == [notice.reference]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert re.search(
        r"You say removed at 5 Jan (2026 )?13:50 UTC; our check at 5 Jan (2026 )?14:05 UTC still sees it",
        text,
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ip=198.51.100.77", {"far"}),
        ("ip=198.51.100.0/24", {"far"}),
        ("ip=198.51.100.77/24", {"far"}),
        ("ip=2001:db8::/32", {"six"}),
        ("ip=unknown", {"old"}),
        ("customer=SHOP", {"said"}),
        ("age=24h", {"old"}),
        ("age=7d", set()),
        ("given=yes", {"said"}),
        ("given=no", {"far", "six", "old"}),
        ("only=forwarded", {"said"}),
        ("given=yes&ip=198.51.100.0/24", set()),
    ],
)
def test_the_filters_let_through_what_they_say(
    portal: Client, alfa: Provider, query: str, found: set[str]
) -> None:
    placed = {
        name: notified(provider=alfa, attribution=AttributionFactory(provider=alfa, address=address))
        for name, address in (("far", "198.51.100.77"), ("six", "2001:db8::7"))
    }
    old = NoticeFactory(
        notified=True, provider=alfa, notified_at=timezone.now() - 50 * HOUR, attribution__address=None
    )
    said = notified(provider=alfa, customer_reference="Webshop 7")
    answer_many(
        provider_id=alfa.pk, answers=[Answer(said.reference, "forwarded")], by=SYSTEM, now=timezone.now()
    )
    notices = placed | {"old": old, "said": said}
    assert set(references(portal, f"?{query}")) == {notices[name].reference for name in found}


def test_a_row_for_each_address_opens_exactly_its_notices(portal: Client, alfa: Provider) -> None:
    first = an_hour_ago() - 3 * HOUR
    here, there = (AttributionFactory(provider=alfa, address=at) for at in ("192.0.2.10", "192.0.2.9"))
    for at in (first, an_hour_ago()):
        notified(at, provider=alfa, attribution=here)
    notified(provider=alfa, attribution=there)
    unproven(an_hour_ago(), provider=alfa, attribution__address=None)
    NoticeFactory(removed=True, provider=alfa, notified_at=first - 30 * HOUR, attribution=here)

    page = portal.get(f"{LIST}?by=ip").content.decode()
    assert re.findall(r'name="group" value="([^"]*)"', page) == ["192.0.2.10", "192.0.2.9", "unknown"]
    assert re.findall(r'<td class="number" data-label="Open">(\d+)</td>', page) == ["2", "1", "1"]
    links = re.findall(r'<th scope="row" data-label="IP address"><a href="(\?[^"]*)"', page)
    assert [len(references(portal, link.replace("&amp;", "&"))) for link in links] == [2, 1, 1]


def test_pages_of_addresses_lead_forward_and_back(portal: Client, alfa: Provider) -> None:
    at = an_hour_ago()
    for number in range(60):
        place = AttributionFactory(provider=alfa, address=f"192.0.2.{number}")
        notified(at - timedelta(minutes=number // 7), provider=alfa, attribution=place)

    def groups(query: str) -> tuple[list[str], dict[str, str]]:
        page = portal.get(f"{LIST}{query}").content.decode()
        ways = {
            way: link.replace("&amp;", "&") for link, way in re.findall(r'href="(\?[^"]*)" rel="(\w+)"', page)
        }
        return re.findall(r'name="group" value="([^"]*)"', page), ways

    first, ways = groups("?by=ip&size=25")
    second, on = groups(ways["next"])
    third, end = groups(on["next"])
    assert [len(first), len(second), len(third)] == [25, 25, 10]
    assert len({*first, *second, *third}) == 60
    assert "next" not in end
    assert "prev" not in ways
    assert groups(end["prev"])[0] == second
    assert groups(on["prev"])[0] == first


def test_the_page_counts_what_the_filter_finds_and_offers_it_beside_the_page(
    portal: Client, alfa: Provider
) -> None:
    place = AttributionFactory(provider=alfa, address="192.0.2.10")
    for _ in range(30):
        notified(provider=alfa, attribution=place)
    notified(provider=alfa, attribution__address="192.0.2.11")
    page = portal.get(f"{LIST}?ip=192.0.2.10&size=25").content.decode()
    assert "These 25…" in page
    assert "All 30 of this filter…" in page
    assert "All 31 of this list…" in portal.get(LIST).content.decode()


def test_pages_lead_forward_and_back_and_lose_nobody(portal: Client, alfa: Provider) -> None:
    at = an_hour_ago()
    due_together = [
        NoticeFactory(notified=True, provider=alfa, notified_at=at - timedelta(seconds=number // 3))
        for number in range(35)
    ]
    arrived = [unproven(at, provider=alfa) for _ in range(20)]
    first = references(portal, "?size=25")
    second = references(portal, f"?size=25&after={first[-1]}")
    third = references(portal, f"?size=25&after={second[-1]}")

    assert [len(first), len(second), len(third)] == [25, 25, 5]
    assert set(first + second + third) == {notice.reference for notice in due_together + arrived}
    assert references(portal, f"?size=25&before={third[0]}") == second
    assert references(portal, f"?size=25&before={second[0]}") == first


def test_a_place_of_another_provider_is_no_place(portal: Client, alfa: Provider, beta: Provider) -> None:
    foreign = NoticeFactory(notified=True, provider=beta, notified_at=timezone.now())
    own = notified(provider=alfa)
    assert references(portal, f"?after={foreign.reference}") == [own.reference]


@pytest.mark.parametrize(
    "query",
    [
        "?tab=secret",
        "?due=never",
        "?after=%00",
        "?after=N-1",
        "?q=%00",
        "?only=x",
        "?before=-1",
        "?ip=192.0.2.300",
        "?ip=fe80::1%25eth0",
        "?ip=192.0.2.0/33",
        "?size=1000000000",
        "?by=host",
        "?age=-1",
        "?given=%00",
        "?customer=%00",
        "?after=1~x",
    ],
)
def test_a_filter_that_does_not_exist_is_refused_in_words(portal: Client, query: str) -> None:
    answer = portal.get(f"{LIST}{query}")
    assert answer.status_code == 400
    assert "Please correct this" in answer.content.decode()


def test_a_page_of_the_list_asks_the_database_as_often_for_a_hundred_rows_as_for_one(
    portal: Client, alfa: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    at = an_hour_ago()
    several = [
        NoticeFactory(notified=True, provider=alfa, notified_at=at, claimed_removed_at=at) for _ in range(40)
    ]
    # Session, person and their provider, counts, page, last answers, answers to claims.
    with django_assert_num_queries(6 + AMONG_OWN_ROWS):
        assert len(references(portal)) == 40

    said = several[0].reference
    answer_many(provider_id=alfa.pk, answers=[Answer(said, "forwarded")], by=SYSTEM, now=timezone.now())
    conversation.write(notice_id=several[1].pk, text="Look here", by=SYSTEM, now=timezone.now())
    # Now also which of the page have an unread message, and by when forwarded ones are expected.
    with django_assert_num_queries(8 + AMONG_OWN_ROWS):
        assert len(references(portal)) == 40


def test_a_filter_reads_the_content_of_the_rows_of_its_page_and_of_no_others(
    portal: Client, alfa: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    place = AttributionFactory(provider=alfa, address="198.51.100.77")
    for _ in range(30):
        notified(provider=alfa, attribution=place)
    assert "198.51.100.77 · AS" in portal.get(f"{LIST}?ip=198.51.100.0/24").content.decode()
    # Besides the usual how many it finds, and the contents; nobody claims anything.
    with django_assert_num_queries(7 + AMONG_OWN_ROWS) as asked:
        assert len(references(portal, "?ip=198.51.100.0/24&size=25")) == 25
    (contents,) = (query["sql"] for query in asked.captured_queries if 'FROM "cases_content"' in query["sql"])
    assert contents.count("::uuid") == 25, contents


def test_the_list_shows_no_whole_address_and_no_link_to_one(portal: Client, alfa: Provider) -> None:
    NoticeFactory(
        notified=True,
        provider=alfa,
        notified_at=an_hour_ago(),
        content__url="https://forum.example/threads/secret-path/0001.jpg",
    )
    page = portal.get(LIST).content.decode()
    assert "secret-path" not in page
    assert "forum.example" in page
    assert not re.search(r'(href|src)="[^"]*forum\.example', page)


def test_looking_at_the_list_changes_nothing(portal: Client, alfa: Provider) -> None:
    notice = unproven(an_hour_ago(), provider=alfa)
    portal.get(LIST)
    assert Notice.objects.get(pk=notice.pk).version == notice.version
    assert Notice.objects.get(pk=notice.pk).notified_at is None


def test_the_page_speaks_the_language_of_the_person(portal: Client, contact: User) -> None:
    User.objects.filter(pk=contact.pk).update(language="nl")
    assert '<html lang="nl"' in portal.get(LIST).content.decode()
