"""A provider's own figures, and its word on them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from cases.measures.measured import Measured
from cases.measures.quarter import Quarter
from cases.models import Fingerprint, Notice, ScorecardComment
from cases.services import scorecard
from providers.models import Provider
from tests.factories import (
    AMONG_OWN_ROWS,
    HOUR,
    NOON,
    ContentFactory,
    NoticeFactory,
    SightingFactory,
    UserFactory,
    many,
)
from tests.portal.test_notice import words

PAGE = "/portal/scorecard/"
#: Within the quarter of NOON.
NOW = NOON + 20 * 24 * HOUR


def figures(provider: Provider, now: datetime = NOW, quarter: str = "2026-Q4") -> Measured:
    found = scorecard.scorecard(provider_id=provider.pk, now=now)
    return next(each for each in found if str(each.quarter) == quarter)


def gone(provider: Provider, after: timedelta, count: int = 1, **fields: Any) -> list[Notice]:
    at = fields.pop("notified_at", NOON)
    return many(count, removed=True, provider=provider, notified_at=at, gone_since=at + after, **fields)


# -- Which notices count, and for how long -------------------------------------------------------------


def test_the_figures_of_a_quarter_worked_by_hand(alfa: Provider) -> None:
    gone(alfa, 2 * HOUR, 6)
    gone(alfa, 24 * HOUR)
    gone(alfa, 24 * HOUR + timedelta(microseconds=1))
    still = NoticeFactory(escalated=True, provider=alfa, last_seen_online_at=NOON + 10 * HOUR)
    lost = NoticeFactory(escalated=True, provider=alfa)
    young = NoticeFactory(notified=True, provider=alfa, notified_at=NOW - HOUR, last_seen_online_at=NOW)

    found = figures(alfa)
    assert (found.notices, found.ripe, found.within, found.open, found.overdue) == (11, 10, 7, 3, 2)
    assert found.share is not None
    assert found.share.value == 0.7
    # The lost one was never seen and the young one last after 1 h: 9 are at risk at 2 h, and 6 of them go. One more was
    # last seen after 10 h: of the 2 that are left, one goes at 24 h.
    assert found.km24 == pytest.approx(1 - (1 - 6 / 9) * (1 - 1 / 2))
    assert found.median == 2 * HOUR
    assert (
        found.exposure == 6 * 2 * HOUR + 24 * HOUR + 24 * HOUR + timedelta(microseconds=1) + 10 * HOUR + HOUR
    )
    assert {still.state, lost.state, young.state} == {"escalated", "notified"}


def test_what_was_taken_back_estimated_or_gone_before_is_no_unit_and_is_said(alfa: Provider) -> None:
    gone(alfa, HOUR)
    NoticeFactory(withdrawn=True, provider=alfa)
    NoticeFactory(notified=True, provider=alfa, notified_estimated=True)
    gone(alfa, -HOUR)
    found = figures(alfa)
    assert found.notices == 1
    assert found.left_out == {"withdrawn": 1, "estimated": 1, "gone_before": 1}


def test_what_moved_counts_up_to_its_move(alfa: Provider) -> None:
    NoticeFactory(
        withdrawn=True, provider=alfa, closed_because=Notice.Withdrawal.MOVED, closed_at=NOON + 5 * HOUR
    )
    found = figures(alfa)
    assert (found.notices, found.open, found.exposure) == (1, 0, 5 * HOUR)
    assert found.counts == [(300, False, 1)]


def test_at_a_cut_off_only_what_was_known_then_counts(alfa: Provider) -> None:
    notice = NoticeFactory(
        removed=True, provider=alfa, gone_since=NOON + 50 * HOUR, last_seen_online_at=NOON + 49 * HOUR
    )
    SightingFactory(notice=notice, seen_at=NOON + 3 * HOUR)
    SightingFactory(notice=notice, seen_at=NOON + 49 * HOUR)
    then = figures(alfa, now=NOON + 25 * HOUR)
    assert (then.counts, then.open, then.overdue) == ([(180, False, 1)], 1, 1)
    assert figures(alfa).counts == [(50 * 60, True, 1)]
    assert figures(alfa, now=NOON - HOUR).notices == 0


def test_a_notice_belongs_to_the_quarter_of_its_t0_in_utc(alfa: Provider) -> None:
    gone(alfa, HOUR, notified_at=datetime(2026, 9, 30, 23, 30, tzinfo=UTC))  # 01:30 on 1 October in Amsterdam
    assert (figures(alfa, quarter="2026-Q3").notices, figures(alfa).notices) == (1, 0)


def test_what_comes_back_to_the_same_provider_within_90_days_counts_once(
    alfa: Provider, beta: Provider
) -> None:
    at = NOON - 40 * 24 * HOUR
    same, file, late, elsewhere = gone(alfa, HOUR, 4, notified_at=at)
    for notice, provider, days in (
        (same, alfa, 30),
        (same, alfa, 35),
        (late, alfa, 91),
        (elsewhere, beta, 10),
    ):
        back = at + timedelta(days=days)
        NoticeFactory(withdrawn=True, provider=provider, content=notice.content, notified_at=back + 3 * HOUR)
    copy = NoticeFactory(
        notified=True, provider=alfa, notified_at=at + 20 * 24 * HOUR, content=ContentFactory()
    )
    for content in (file.content, copy.content):
        Fingerprint.objects.create(content=content, sha256=b"x" * 32, source="sighting", at=at)
    assert figures(alfa, now=NOON + 80 * 24 * HOUR, quarter="2026-Q4").back == 2


def test_of_fewer_than_ten_there_is_no_percentage_and_no_median(portal: Client, alfa: Provider) -> None:
    gone(alfa, HOUR, 9, notified_at=timezone.now() - 30 * HOUR)
    quarter = str(Quarter.of(timezone.now() - 30 * HOUR))
    said = words(portal.get(f"{PAGE}?quarter={quarter}").content)
    assert "%" not in said.split("What each figure means")[0].replace("95 %", "")
    assert "Of fewer than 10 notices there is no percentage" in said
    (line,) = [each for each in exported(portal)["quarters"] if each["quarter"] == quarter]
    assert (line["within_24h"], line["share"], line["km24"], line["median_s"]) == (9, None, None, None)


# -- The page ------------------------------------------------------------------------------------------


def exported(client: Client) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(client.get(f"{PAGE}scorecard.json").content)
    return data


def test_the_page_says_each_figure_and_what_it_means(portal: Client, alfa: Provider) -> None:
    at = timezone.now() - 30 * HOUR
    gone(alfa, 2 * HOUR, 8, notified_at=at)
    many(2, escalated=True, provider=alfa, notified_at=at, last_seen_online_at=at + 29 * HOUR)
    said = words(portal.get(PAGE).content)
    assert "80.0 %" in said
    assert "95 %: 49.0 to 94.3" in said
    assert "2 h 0 minmedian" in said
    assert "2overdueof 2 open" in said
    assert "Kaplan and Meier" in said
    data = exported(portal)
    assert set(data["definitions"]["figures"]) >= {"within", "km24", "median", "exposure", "back"}
    (line,) = [each for each in data["quarters"] if each["notices"]]
    assert (line["share"], line["median_s"], line["overdue"]) == (0.8, 7200, 2)
    csv = portal.get(f"{PAGE}scorecard.csv").content.decode()
    assert csv.startswith("quarter;notices;ripe;within_24h;share;")
    assert f"\r\n{line['quarter']};10;10;8;0.8;" in csv


def test_it_asks_the_database_as_often_for_many_as_for_few(portal: Client, alfa: Provider) -> None:
    spent = []
    for count in (3, 60):
        gone(alfa, HOUR, count, notified_at=timezone.now() - 30 * HOUR)
        with CaptureQueriesContext(connection) as queries:
            assert portal.get(PAGE).status_code == 200
        spent.append(len(queries))
    assert spent[0] == spent[1] <= 8 + AMONG_OWN_ROWS


def test_nothing_of_another_provider_is_in_any_figure_or_file(
    portal: Client, alfa: Provider, beta: Provider
) -> None:
    empty = [portal.get(PAGE).content, exported(portal)["quarters"]]
    at = timezone.now() - 30 * HOUR
    gone(beta, HOUR, 12, notified_at=at)
    admin = Client()
    admin.force_login(UserFactory(provider_admin=True, provider=beta))
    said = {"text": "Beta's own words"}
    assert admin.post(f"{PAGE}{Quarter.of(at)}/comment/", said).status_code == 302
    assert exported(portal)["quarters"] == empty[1]
    page = portal.get(f"{PAGE}?quarter={Quarter.of(at)}").content.decode()
    assert "own words" not in page
    assert ">12<" not in page


@pytest.mark.parametrize(
    "path", ["?quarter=2026-Q9", "?quarter=%00", "?quarter=2001-Q1", "2026-Q7/comment/", "scorecard.xml"]
)
def test_what_is_no_quarter_or_file_is_not_there(portal: Client, path: str) -> None:
    assert portal.get(f"{PAGE}{path}").status_code == 404


# -- The right of reply --------------------------------------------------------------------------------


@pytest.fixture
def admin(alfa: Provider) -> Client:
    client = Client()
    client.force_login(UserFactory(provider_admin=True, provider=alfa, name="Ada"))
    return client


def test_a_comment_keeps_its_author_its_instant_and_the_figures_as_they_stood(
    admin: Client, portal: Client, alfa: Provider
) -> None:
    at = timezone.now() - 30 * HOUR
    gone(alfa, HOUR, 10, notified_at=at)
    address = f"{PAGE}{Quarter.of(at)}/comment/"
    assert admin.post(address, {"text": "  Half of it was a customer of ours. "}).status_code == 302
    gone(alfa, HOUR, 1, notified_at=at)
    assert admin.post(address, {"text": "Half of it was a customer of ours."}).status_code == 302
    kept = ScorecardComment.objects.get()
    assert (kept.text, kept.figures["notices"], kept.version) == ("Half of it was a customer of ours.", 10, 1)
    assert b"customer" not in bytes(kept.text_sealed)
    assert Event.objects.filter(act="comment", subject="provider", subject_id=alfa.pk).count() == 1

    admin.post(address, {"text": "A third, to be exact."})
    page = words(portal.get(f"{PAGE}?quarter={Quarter.of(at)}").content)
    assert page.index("Ada") < page.index("A third, to be exact.") < page.index("Half of it")
    with pytest.raises(DatabaseError), transaction.atomic():
        ScorecardComment.objects.update(quarter="2026-Q1")


def test_staff_read_it_beside_the_same_figures(admin: Client, alfa: Provider) -> None:
    at = timezone.now() - 30 * HOUR
    gone(alfa, HOUR, 10, notified_at=at)
    admin.post(f"{PAGE}{Quarter.of(at)}/comment/", {"text": "<script>alert(1)</script>"})
    staff = Client()
    staff.force_login(UserFactory(supervisor=True))
    provider_page = staff.get(f"/staff/providers/provider/{alfa.pk}/change/").content.decode()
    assert f'href="/staff/scorecards/{alfa.pk}/"' in provider_page
    page = staff.get(f"/staff/scorecards/{alfa.pk}/").content.decode()
    assert "100.0 %" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Ada" in page
    staff.force_login(UserFactory(functional_admin=True))
    assert staff.get(f"/staff/scorecards/{alfa.pk}/").status_code == 403


@pytest.mark.parametrize("text", ["", "   ", "x" * 4_001, "a\0b"])
def test_a_comment_that_cannot_be_kept_is_refused_where_it_was_typed(admin: Client, text: str) -> None:
    answer = admin.post(f"{PAGE}{Quarter.of(timezone.now())}/comment/", {"text": text})
    assert answer.status_code == 422
    assert not ScorecardComment.objects.exists()


def test_a_quarter_that_is_not_shown_takes_no_comment(admin: Client, db: None) -> None:
    for quarter in ("2030-Q1", "2001-Q1"):
        assert admin.post(f"{PAGE}{quarter}/comment/", {"text": "Words"}).status_code == 422
    assert not ScorecardComment.objects.exists()


def test_members_read_and_only_admins_comment(portal: Client, contact: User) -> None:
    assert "Keep this comment" not in portal.get(PAGE).content.decode()
    address = f"{PAGE}{Quarter.of(timezone.now())}/comment/"
    assert portal.post(address, {"text": "Words"}).status_code == 403
    assert portal.get(address).status_code == 403
