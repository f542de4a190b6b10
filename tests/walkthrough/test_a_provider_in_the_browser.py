"""A provider's morning on the running system: in by a passkey, 1,200 answers, and a removal that is seen and signed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.models import Notice, Reply
from local.demo.provider import take_down
from providers.models import Provider
from tests.browsing import IN_A_BROWSER, page_with_security_key, sound
from tests.factories import (
    AttributionFactory,
    ContactFactory,
    NoticeFactory,
    ProviderFactory,
    UserFactory,
    many,
)
from tests.walkthrough.system import System, eventually, running

pytestmark = IN_A_BROWSER
PASSWORD = "walk-through-2026"
PAGE = "http://alfa.live.example/one.html"
ANSWERED_WITHIN_S = 15.0


@pytest.fixture
def system(transactional_db: None, tmp_path: Path) -> Iterator[System]:
    """The programs, and one person of a provider, who has a password and no passkey yet."""
    alfa: Provider = ProviderFactory(code="alfa")
    UserFactory(provider_contact=True, provider=alfa, email="desk@alfa.example", password=PASSWORD)
    with running(tmp_path, SECOND_FACTOR="required") as started:
        yield started


def notices_of(alfa: Provider, address: str, count: int) -> list[Notice]:
    """With the provider since an hour, at one address of its network."""
    place = AttributionFactory(provider=alfa, address=address)
    contact = ContactFactory(provider=alfa, approved=True)
    since = timezone.now() - timedelta(hours=1)
    return many(
        count,
        notified=True,
        provider=alfa,
        attribution=place,
        contact=contact,
        notified_at=since,
        next_check_at=None,
    )


def log_in_by_passkey(chromium: Browser, system: System) -> Page:
    """Sets a passkey up with the password, logs out, and comes in again by the passkey alone."""
    context = chromium.new_context(
        base_url=system.base, viewport={"width": 1280, "height": 900}, locale="en-GB", accept_downloads=True
    )
    page = page_with_security_key(context)
    page.goto("/login/")
    page.locator("[name=username]").fill("desk@alfa.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Set up a passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    page.locator("details.menu summary.tool").click()
    page.locator("form[action='/logout/'] button").click()
    page.goto("/login/?next=/portal/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("heading", name="Your notices")).to_be_visible()
    return page


def answered(notices: list[Notice], answer: str) -> int:
    """How many of them have that answer."""
    return Reply.objects.filter(notice__in=notices, answer=answer).count()


def test_a_provider_answers_1200_notices_and_sees_its_removal_confirmed_and_signed(
    system: System, chromium: Browser, tmp_path: Path
) -> None:
    alfa = Provider.objects.get(code="alfa")
    filtered, listed = notices_of(alfa, "203.0.113.10", 200), notices_of(alfa, "198.51.100.7", 1_000)
    objected, live = (
        NoticeFactory(
            notified=True,
            provider=alfa,
            notified_at=timezone.now() - timedelta(hours=2),
            content__url=url,
            next_check_at=None,
        )
        for url in ("http://alfa.live.example/ours.html", PAGE)
    )
    page = log_in_by_passkey(chromium, system)

    page.get_by_text("More filters").click()
    page.get_by_label("IP address or range").fill("203.0.113.0/24")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_role("button", name="All 200 of this filter…").click()
    page.locator("[name=answer][value=acknowledged]").check()
    page.get_by_role("button", name="Record this answer for 200 notices").click()
    expect(page.get_by_text("Recorded for 200 notices.")).to_be_visible()
    assert answered(filtered, "acknowledged") == 200

    page.goto("/portal/answers/file/")
    lines = ["reference;answer", *(f"{notice.reference};acknowledged" for notice in listed)]
    file = {"name": "answers.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Record these 1,000 answers").click()
    expect(page.get_by_role("heading", name="What became of your answer")).to_be_visible()
    assert answered(listed, "acknowledged") == 1_000

    page.goto(f"/portal/notices/{objected.reference}/")
    page.locator("[name=answer][value=dispute]").check()
    page.locator("[name=ground]").select_option(index=1)
    page.locator("[name=reason]").fill("It is a page about a court case.")
    page.get_by_role("button", name="Record this answer").click()
    eventually(lambda: Notice.objects.get(pk=objected.pk).disputed_at, "the objection is recorded")

    page.goto(f"/portal/notices/{live.reference}/")
    take_down(system.site, PAGE)
    began = time.monotonic()
    page.locator("[name=answer][value=removed]").check()
    page.get_by_role("button", name="Record this answer").click()
    said, loaded = page.locator("[data-claim]"), page.evaluate("performance.timeOrigin")
    expect(said).to_contain_text("our check looks now")
    system.start_checker()  # not before, so that the page has something to wait for
    expect(said).to_contain_text("no longer finds it", timeout=ANSWERED_WITHIN_S * 1_000)
    assert time.monotonic() - began < ANSWERED_WITHIN_S
    assert page.evaluate("performance.timeOrigin") == loaded, "by itself: nobody loaded the page again"

    page.reload()
    sound(page)
    assert receipt_is_genuine(page, tmp_path)["sub"] == live.reference
    eventually(lambda: Notice.objects.get(pk=live.pk).state == "removed", "three looks prove the removal")


def receipt_is_genuine(page: Page, folder: Path) -> dict[str, object]:
    """Download the first receipt, the keys and the script; what the script prints, run apart from us."""
    names = {}
    for name, link in (
        ("receipt", page.locator(".receipts a[download]").last),
        ("keys", page.locator("#receipts a[download='jwks.json']")),
        ("script", page.locator("#receipts a[download='verify_receipt.py']")),
    ):
        answer = page.request.get(link.get_attribute("href") or "")
        assert answer.ok, name
        names[name] = folder / name
        names[name].write_bytes(answer.body())
    command = [sys.executable, "-I", *(str(names[name]) for name in ("script", "receipt", "keys"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=folder)
    assert done.returncode == 0, done.stderr
    said, _newline, verdict = done.stdout.rstrip().rpartition("\n")
    assert verdict.startswith("GENUINE.")
    told: dict[str, object] = json.loads(said)
    assert told["verdict"] == "confirmed"
    return told
