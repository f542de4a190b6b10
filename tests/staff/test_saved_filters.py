"""Saved filters: somebody's own or a role's, on the search desk and the start page, and honest when they break."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit import counting
from audit.models import Event
from cases.models import Figure, Notice, SavedFilter
from cases.services import figures
from tests.factories import HOUR, NoticeFactory, ProviderFactory
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
LIST = "/staff/cases/notice/"


def save(client: Client, name: str, query: str, **data: Any) -> SavedFilter | None:
    client.post("/staff/filters/save/", {"name": name, "query": query, **data})
    return SavedFilter.objects.filter(name=name).first()


def names(client: Client, address: str = "/staff/") -> list[tuple[str, str | None]]:
    return [(each.name, each.count) for each in client.get(address).context["saved"]]


def test_a_filter_is_kept_under_its_name_with_only_what_we_know(at_work: Client) -> None:
    beta = ProviderFactory(code="beta")

    saved = save(at_work, "Beta late", "provider=beta&due=over&order=due&after=1.1")

    assert saved is not None
    assert saved.query == f"due=over&provider={beta.pk}&order=due"
    assert names(at_work, f"{LIST}?state=received") == [("Beta late", None)]


@pytest.mark.parametrize(
    ("name", "query"),
    [("", "due=over"), ("a\x1fb", "due=over"), ("x", ""), ("x", "due=nonsense"), ("x", "nonsense=1")],
)
def test_what_is_no_filter_or_has_no_name_is_not_kept(at_work: Client, name: str, query: str) -> None:
    save(at_work, name, query)

    assert not SavedFilter.objects.exists()


def test_the_same_name_takes_the_place_of_the_old_one(at_work: Client) -> None:
    save(at_work, "Mine", "due=over")
    save(at_work, "Mine", "due=4h")

    assert [saved.query for saved in SavedFilter.objects.all()] == ["due=4h"]


def test_it_is_nobody_elses_unless_it_is_shared_with_their_role(
    at_work: Client, browser: Browser, lead: User, in_charge: Client
) -> None:
    leading = browser(lead)
    save(leading, "For analysts", "waits=to_judge", role="analyst")
    save(leading, "My own", "due=over")

    assert names(at_work) == [("For analysts", None)]
    assert names(in_charge) == []
    assert [name for name, _count in names(leading)] == ["For analysts", "My own"]
    assert Event.objects.get(act="share_filter").data == {"role": "analyst", "filter": "waits=to_judge"}


def test_an_analyst_shares_with_nobody(at_work: Client) -> None:
    saved = save(at_work, "Mine", "due=over", role="supervisor")

    assert saved is not None
    assert saved.role == ""


def test_only_its_owner_tends_it(at_work: Client, browser: Browser, lead: User) -> None:
    shared = save(browser(lead), "For analysts", "waits=to_judge", role="analyst")
    assert shared is not None

    for button in ("up", "begin", "forget"):
        answer = at_work.post(f"/staff/filters/{shared.pk}/{button}/", follow=True)
        assert "There is no such filter." in answer.content.decode()

    assert SavedFilter.objects.get(pk=shared.pk).opens is False


def test_the_desk_begins_with_the_one_that_was_chosen_and_shows_all_when_asked(at_work: Client) -> None:
    saved = save(at_work, "Mine", "due=over")
    assert saved is not None
    at_work.post(f"/staff/filters/{saved.pk}/begin/")

    assert at_work.get(LIST)["Location"] == f"{LIST}?due=over"
    assert at_work.get(f"{LIST}?order=").status_code == 200

    at_work.post(f"/staff/filters/{saved.pk}/begin/")
    assert at_work.get(LIST).status_code == 200


def test_they_stand_in_the_order_that_was_given_and_one_can_be_forgotten(at_work: Client) -> None:
    for name in ("a", "b", "c"):
        save(at_work, name, "due=over")
    last = SavedFilter.objects.get(name="c")

    at_work.post(f"/staff/filters/{last.pk}/up/")
    assert [name for name, _count in names(at_work)] == ["a", "c", "b"]

    at_work.post(f"/staff/filters/{last.pk}/forget/")
    assert [name for name, _count in names(at_work)] == ["a", "b"]


def test_one_that_is_no_filter_any_more_says_so_and_lists_nothing(at_work: Client) -> None:
    beta = ProviderFactory(code="beta")
    saved = save(at_work, "Mine", f"provider={beta.pk}")
    assert saved is not None
    NoticeFactory()
    beta.delete()
    figures.keep(now=timezone.now())

    assert "This is no filter any more" in at_work.get("/staff/filters/").content.decode()
    assert at_work.get(f"{LIST}?{saved.query}").context["rows"] == []
    assert names(at_work) == [("Mine", None)]


# -- Figures ------------------------------------------------------------------------------------------------


def test_a_saved_filter_shows_what_the_sweep_counted(
    at_work: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(at_work, "Mine", "state=received")
    now = timezone.now()
    for _ in range(3):
        NoticeFactory()
    figures.keep(now=now)
    assert names(at_work) == [("Mine", "3")]

    NoticeFactory()
    figures.keep(now=now + timedelta(seconds=10))  # it is fresh enough
    assert names(at_work) == [("Mine", "3")]

    monkeypatch.setattr(counting, "COUNTED", 2)
    figures.keep(now=now + timedelta(seconds=60))
    assert SavedFilter.objects.get().count == 3


def counter(client: Client, name: str) -> counting.Counter:
    found: list[counting.Counter] = client.get("/staff/").context["counters"]
    return next(each for each in found if str(each.name) == name)


def test_a_small_queue_is_counted_as_it_is_and_a_large_one_says_when_it_was_counted(
    at_work: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    for number in range(4):
        NoticeFactory(received_at=now - number * HOUR)
    figures.keep(now=now)
    NoticeFactory(received_at=now)
    live = counter(at_work, "to judge")
    assert (live.count, live.counted_at, live.more) == (5, None, False)

    monkeypatch.setattr(counting, "COUNTED", 3)
    kept = counter(at_work, "to judge")
    assert (kept.count, kept.counted_at, kept.oldest) == (4, now, now - 3 * HOUR)
    assert "counted" in at_work.get("/staff/").content.decode()

    Figure.objects.all().delete()
    unknown = counter(at_work, "to judge")
    assert (unknown.count, unknown.counted_at, unknown.more) == (3, None, True)
    assert "3+" in at_work.get("/staff/").content.decode()


def test_the_overdue_desk_says_when_its_figures_were_counted_once_they_are_many(
    in_charge: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cases.admin import overdue

    now = timezone.now()
    late = NoticeFactory(notified=True, notified_at=now - 30 * HOUR)
    NoticeFactory(notified=True, notified_at=now - 25 * HOUR, acknowledged_at=now)
    figures.keep(now=now)
    Notice.objects.filter(pk=late.pk).update(disputed_at=now)

    (live,) = in_charge.get("/staff/overdue/").context["rows"]
    monkeypatch.setattr(overdue, "LIVE", 1)
    page = in_charge.get("/staff/overdue/")
    (kept,) = page.context["rows"]

    columns = ("provider__name", "open", "overdue", "silent", "disputed", "oldest")
    assert [live[name] for name in columns] == ["Alfa Hosting", 2, 2, 1, 1, now - 6 * HOUR]
    assert [kept[name] for name in columns] == ["Alfa Hosting", 2, 2, 1, 0, now - 6 * HOUR]
    assert page.context["counted_at"] == now
    assert "By provider, counted at" in page.content.decode()


def test_a_provider_without_anything_overdue_leaves_the_figures(in_charge: Client) -> None:
    from cases.models import ProviderFigure

    now = timezone.now()
    notice = NoticeFactory(notified=True, notified_at=now - 30 * HOUR)
    figures.keep(now=now)
    assert ProviderFigure.objects.count() == 1

    Notice.objects.filter(pk=notice.pk).update(due_at=now + HOUR)
    figures.keep(now=now + timedelta(seconds=60))

    assert not ProviderFigure.objects.exists()
