"""The search desk and bulk acts in a browser: by keyboard alone, and nothing that axe calls serious."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.roles import STAFF_ROLES
from audit.record import Actor
from cases.models import Bulk, Notice
from cases.services import bulk, figures, saved_filters
from tests.browsing import IN_A_BROWSER, page_of
from tests.factories import NoticeFactory, ProviderFactory, UserFactory

pytestmark = IN_A_BROWSER


def test_rows_are_chosen_by_keyboard_and_dismissed_after_a_look(
    chromium: Browser, live_server: LiveServer
) -> None:
    for _ in range(5):
        NoticeFactory()
    page = page_of(chromium, live_server, UserFactory(lead=True))
    page.goto("/staff/cases/notice/?state=received")
    ticks = page.locator('tbody input[name="notice"]')
    button = page.get_by_role("button", name="The chosen ones…")
    expect(button).to_be_disabled()

    ticks.first.focus()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("[data-select-count]")).to_have_text("3 of 5 chosen")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-select-count]")).to_have_text("2 of 5 chosen")

    page.get_by_label("With the chosen notices").focus()
    page.keyboard.press("ArrowDown")  # nothing is chosen before somebody chooses it
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It can be done with 2 notices.")).to_be_visible()
    assert not Notice.objects.filter(state="dismissed").exists()
    page.get_by_label("Because it is").select_option("duplicate")
    page.get_by_role("button", name="Start").press("Enter")
    expect(page.get_by_text("You may leave this page and come back.").first).to_be_visible()

    bulk.run_slice(clock=timezone.now)
    # The page asks for itself how far it is, and is loaded anew when all is done.
    expect(page.get_by_text("2 done")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_have_count(0, timeout=10_000)
    assert Notice.objects.filter(state="dismissed").count() == 2


def test_a_provider_is_chosen_by_typing_a_part_of_its_name(
    chromium: Browser, live_server: LiveServer
) -> None:
    NoticeFactory(notified=True, provider=ProviderFactory(code="beta", name="Beta Hosting"))
    page = page_of(chromium, live_server, UserFactory(lead=True))
    page.goto("/staff/cases/notice/")

    field = page.get_by_label("Provider", exact=True)
    field.focus()
    expect(page.locator("#providers option")).to_have_count(1)
    field.fill("beta")
    page.keyboard.press("Enter")

    expect(page.locator(".chip")).to_contain_text("Beta Hosting")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_of_search_and_bulk_have_nothing_serious_and_fit(
    chromium: Browser, live_server: LiveServer, width: int
) -> None:
    person, now = UserFactory(lead=True, roles=sorted(STAFF_ROLES)), timezone.now()
    by = Actor.of(person)
    NoticeFactory(notified=True)
    saved_filters.save(name="Mine", query="due=over", role="analyst", by=by, now=now)
    figures.keep(now=now)
    every = {"notices": Notice.objects.all(), "query": "", "language": "en", "by": by, "now": now}
    prepared, run, export = (bulk.prepare(act=act, **every) for act in ("dismiss", "hold", "export"))
    arguments = {"kind": "police_first", "reason": "new victim", "hours": 24}
    bulk.start(bulk_id=run.pk, reason="check", arguments=arguments, by=by, now=now)
    bulk.run_slice(clock=timezone.now)
    assert Bulk.objects.get(pk=run.pk).state == "done"
    page = page_of(chromium, live_server, person, width)
    faults = []
    for address in (
        "/staff/",
        "/staff/cases/notice/?fact=open&urgent=0",
        "/staff/cases/notice/?nonsense=1",
        "/staff/filters/",
        "/staff/bulk/",
        *(f"/staff/bulk/{each.pk}/" for each in (prepared, run, export)),
    ):
        page.goto(address)
        found = Axe().run(page).response["violations"]
        faults += [(address, each["id"]) for each in found if each["impact"] in {"serious", "critical"}]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append((address, "too wide"))

    assert faults == []
