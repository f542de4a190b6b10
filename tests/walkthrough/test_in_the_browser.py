"""From a pasted address to a proven removal, and to an escalation: by hand, on the running system."""

import io
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from audit.record import Actor
from cases.models import Notice
from cases.services import rules
from local.demo.hosts import RESOLVER_FILE
from local.demo.provider import take_down
from providers.models import Contact, Provider
from tests.browsing import IN_A_BROWSER
from tests.walkthrough.system import System, eventually, running

pytestmark = IN_A_BROWSER
PASSWORD = "walk-through-2026"
TERM = timedelta(seconds=40)


@pytest.fixture
def system(transactional_db: None, tmp_path: Path) -> Iterator[System]:
    """The programs, the providers, one person of each kind, and a term that a test can wait for."""
    call_command("import_providers", str(RESOLVER_FILE.parent / "providers.csv"), stdout=io.StringIO())
    call_command("import_networks", str(RESOLVER_FILE.parent / "networks.csv"), stdout=io.StringIO())
    Contact.objects.update(known_since=timezone.now())
    for email, role, code in (
        ("analyst@hotline.example", "analyst", ""),
        ("supervisor@hotline.example", "supervisor", ""),
        ("desk@alfa.test", "provider_member", "alfa"),
    ):
        provider = Provider.objects.get(code=code) if code else None
        User.objects.create_user(email, PASSWORD, name=role, roles=[role], language="en", provider=provider)
    now = timezone.now()
    rules.set_term(term=TERM, valid_from=now, by=Actor.system("walkthrough"), now=now)
    with running(tmp_path) as started:
        yield started


def log_in(chromium: Browser, system: System, email: str) -> Page:
    """A window of one person."""
    page = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB").new_page()
    page.goto(f"{system.base}/login/")
    page.get_by_label("E-mail address").fill(email)
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("input[type=password]")).to_have_count(0)
    assert "/login" not in page.url, page.locator("main").inner_text()
    return page


def judged_are(count: int) -> bool:
    """So many judgements are recorded."""
    return Notice.objects.exclude(assessed_at=None).count() == count


def nothing_serious(page: Page) -> None:
    """axe finds nothing serious here."""
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []


def test_an_address_is_pasted_judged_sent_answered_and_removed_and_its_neighbour_escalates(
    system: System, chromium: Browser
) -> None:
    analyst = log_in(chromium, system, "analyst@hotline.example")
    analyst.goto(f"{system.base}/staff/reports/add/")
    analyst.locator("textarea[name=text]").fill(
        "hxxp://alfa[.]live[.]example/one.html\nhttp://bravo.live.example/two.html"
    )
    analyst.get_by_role("button", name="Take it in").click()
    eventually(lambda: Notice.objects.exclude(provider=None).count() == 2, "a provider was found for both")

    analyst.goto(f"{system.base}/staff/work/")
    for judged in (1, 2):
        nothing_serious(analyst)
        assert "live.example/one.html" not in analyst.content()
        analyst.keyboard.press("1")
        expect(analyst.locator("input[name=legal_class][value=baseline]")).to_be_checked()
        with analyst.expect_navigation():  # save and next
            analyst.keyboard.press("Control+Enter")
        eventually(
            partial(judged_are, judged),
            "the judgement is recorded",
        )
    eventually(
        lambda: Notice.objects.exclude(notified_at=None).count() == 2, "both providers' servers accepted"
    )
    letters = system.letters()
    assert sorted(letter["rcpt"] for letter in letters) == [["abuse@alfa.test"], ["abuse@bravo.test"]]
    assert len({letter["message_id"] for letter in letters}) == 2

    provider = log_in(chromium, system, "desk@alfa.test")
    alfa = Notice.objects.get(provider__code="alfa")
    provider.goto(f"{system.base}/portal/")
    nothing_serious(provider)
    expect(provider.get_by_text(alfa.reference)).to_be_visible()
    assert Notice.objects.get(provider__code="bravo").reference not in provider.content()
    provider.goto(f"{system.base}/portal/notices/{alfa.reference}/")
    nothing_serious(provider)
    system.start_checker()
    eventually(lambda: Notice.objects.get(pk=alfa.pk).last_seen_online_at, "the checker saw the page online")
    take_down(system.site, "http://alfa.live.example/one.html")
    provider.locator("[name=answer][value=removed]").check()
    provider.get_by_role("button", name="Record this answer").click()
    eventually(lambda: Notice.objects.get(pk=alfa.pk).claimed_removed_at, "the claim is recorded")
    eventually(lambda: Notice.objects.get(pk=alfa.pk).state == "removed", "three looks prove the removal")
    provider.goto(f"{system.base}/portal/notices/{alfa.reference}/")
    expect(provider.get_by_role("heading", name="Nothing is left to do")).to_be_visible()

    bravo = eventually(
        lambda: Notice.objects.filter(provider__code="bravo", state="escalated").first(), "24 h passed"
    )
    assert bravo.escalated_at == bravo.due_at == bravo.notified_at + TERM
    supervisor = log_in(chromium, system, "supervisor@hotline.example")
    supervisor.goto(f"{system.base}/staff/overdue/")
    nothing_serious(supervisor)
    expect(supervisor.get_by_text("Bravo Networks B.V.").first).to_be_visible()
    eventually(lambda: len(system.letters()) == 3, "the reminder went out, because it was seen online")
    firsts = [letter["message_id"] for letter in system.letters()[:2]]
    assert system.letters()[2]["message_id"] not in firsts
    call_command("verify", stdout=io.StringIO())
