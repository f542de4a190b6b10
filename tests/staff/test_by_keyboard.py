"""The work desk in browsers: fifty notices by keyboard alone, recorded; and two people who never meet at one notice."""

import json
import statistics
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from audit.models import Event
from cases.models import Claim, Notice, PassedOn
from tests.browsing import IN_A_BROWSER, page_of
from tests.factories import NoticeFactory, UserFactory, many

pytestmark = IN_A_BROWSER
HOUR = timedelta(hours=1)
FIFTY = 50
#: Where the recording lies afterwards: every key with its time, and a picture of each tenth page.
RECORDING = Path(settings.BASE_DIR) / "var" / "fifty"
#: Counts what a mouse, a pen or a finger would do, over all pages of the tab.
WATCH = """
    for (const sign of ["pointerdown", "pointermove", "mousedown", "mousemove", "wheel", "touchstart"]) {
      addEventListener(sign, () => sessionStorage.setItem("hands", 1 + Number(sessionStorage.getItem("hands") || 0)),
        { capture: true, passive: true });
    }
"""


class Keyboard:
    """Presses keys and writes each down; nothing else reaches the page."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys, self.waited = page, list[dict[str, Any]](), list[float]()
        self._began = time.perf_counter()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self._note(key)

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)
        self._note(text)

    def on(self, *keys: str) -> None:
        """Keys of which the last leads to another page; waits until that one takes keys."""
        self.press(*keys[:-1])
        began = time.perf_counter()
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.press(keys[-1])
        self.waited.append(time.perf_counter() - began)

    def picture(self, name: str) -> None:
        self.page.screenshot(path=RECORDING / f"{name}.png")

    def keep(self) -> None:
        lines = "".join(json.dumps(each) + "\n" for each in self.keys)
        (RECORDING / "keys.jsonl").write_text(lines, encoding="utf-8")

    def _note(self, key: str) -> None:
        self.keys.append({"ms": round(1000 * (time.perf_counter() - self._began)), "key": key})


def waiting(count: int) -> list[Notice]:
    """So many notices that wait, the oldest first."""
    made = many(count, attributed=True, received_at=timezone.now() - HOUR)
    for number, notice in enumerate(made):
        Notice.objects.filter(pk=notice.pk).update(
            received_at=notice.received_at + number * timedelta(seconds=1)
        )
    return made


def listed_keys(page: Page) -> dict[str, str]:
    """The list that `?` shows: keys -> what they do."""
    page.keyboard.press("?")
    expect(page.locator("dialog[data-keys]")).to_be_visible()
    pairs = page.evaluate(
        "[...document.querySelectorAll('dialog[data-keys] dt')]"
        ".map((dt) => [dt.textContent.trim(), dt.nextElementSibling.textContent.trim()])"
    )
    page.keyboard.press("Escape")
    return dict(pairs)


def test_fifty_notices_are_judged_by_keyboard_alone(
    chromium: Browser, live_server: LiveServer, noor: User
) -> None:
    notices = waiting(FIFTY + 2)
    RECORDING.mkdir(parents=True, exist_ok=True)
    page = page_of(chromium, live_server, noor)
    page.add_init_script(WATCH)
    page.goto("/staff/work/")
    keyboard, listed = Keyboard(page), listed_keys(page)
    save = "Control+Enter"
    assert {"V", "C", "H", "S", "O", "Z"} <= listed.keys()
    classes = ["1", "2", "3", "1", "4"]

    for number in range(FIFTY):
        expect(page.locator("#subject")).to_have_text(notices[number].reference)
        if number % 10 == 0:
            keyboard.picture(f"{number:02}")
        if number == 5:
            keyboard.on("v")
            expect(page.locator("code.revealed")).to_be_focused()  # and the keys choose all the same
        if number == 7:
            # Saved too quickly: back, and once more.
            keyboard.on("1", save)
            keyboard.press("z")
            keyboard.on("Enter")
        choice = classes[number % len(classes)]
        keyboard.press(choice)
        if choice in "34":
            # The form says how its reason is chosen.
            if "R" in listed:
                keyboard.press("r", "ArrowDown")
            else:
                keyboard.press("1")
        keyboard.on(save)
    # Two are left: one is for somebody else, one is handed over.
    keyboard.press("s", "ArrowDown")
    keyboard.on(save)
    keyboard.press("o")
    keyboard.on(save)
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    keyboard.picture("end")
    keyboard.keep()

    judged = Notice.objects.exclude(assessed_at=None)
    assert judged.count() == FIFTY
    assert judged.filter(legal_class="not_illegal", state="dismissed").count() == FIFTY // 5
    assert Event.objects.filter(act="assess").count() == FIFTY + 1
    assert sorted(PassedOn.objects.values_list("reason", flat=True).order_by("pk")) == [
        "",
        PassedOn.Reason.TECHNICAL,
    ]
    assert page.evaluate("sessionStorage.getItem('hands')") is None
    assert statistics.median(keyboard.waited) < 1
    page.context.close()


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_whole_form_fits_a_laptop_with_the_last_judgement_beside_it(
    chromium: Browser, live_server: LiveServer, noor: User, language: str
) -> None:
    _first, second = waiting(2)
    page = page_of(chromium, live_server, noor)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/staff/work/")
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#subject")).to_have_text(second.reference)
    expect(page.locator("[data-undo-row]")).to_be_visible()
    page.keyboard.press("1")  # what is illegal is described: every group is there

    expect(page.locator("[data-group=victim]")).to_be_visible()
    save = page.locator("form[data-assess] .button--primary").bounding_box()
    assert save is not None
    assert save["y"] + save["height"] <= 800
    assert page.evaluate("scrollY") == 0
    page.context.close()


def test_two_people_in_two_browsers_never_have_the_same_and_a_stale_save_says_who_was_first(
    chromium: Browser, live_server: LiveServer, noor: User
) -> None:
    first, second, third = waiting(3)
    sam = UserFactory(analyst=True, email="sam@hotline.example", name="Sam")
    hers, his = (page_of(chromium, live_server, person) for person in (noor, sam))
    hers.goto("/staff/work/")
    his.goto("/staff/work/")
    expect(hers.locator("#subject")).to_have_text(first.reference)
    expect(his.locator("#subject")).to_have_text(second.reference)

    # Her page is heard of no more: after five minutes hers is his next, and he judges it.
    Claim.objects.filter(notice=first).update(until=timezone.now())
    his.keyboard.press("1")
    his.keyboard.press("Control+Enter")
    expect(his.locator("#subject")).to_have_text(first.reference)
    his.keyboard.press("1")
    his.keyboard.press("Control+Enter")
    expect(his.locator("#subject")).to_have_text(third.reference)

    hers.keyboard.press("2")
    hers.keyboard.press("Control+Enter")
    said = hers.locator(".message--error")
    expect(said).to_contain_text("Sam was first: “Judged”")
    expect(said.get_by_role("link", name="See what happened")).to_be_visible()
    # Sam has the last one before him; she is told so, and does not get it.
    expect(hers.get_by_text("Sam has one before them")).to_be_visible()
    assert Notice.objects.get(pk=first.pk).legal_class == "baseline"

    # His browser is closed: within five minutes at most his notice is hers.
    his.close()
    left = Claim.objects.filter(user=sam).first()
    assert left is None or left.until <= timezone.now() + timedelta(minutes=5)
    Claim.objects.filter(user=sam).update(until=timezone.now())
    hers.goto("/staff/work/")
    expect(hers.locator("#subject")).to_have_text(third.reference)
    hers.context.close()


def test_an_open_page_says_that_a_colleague_has_its_notice_now(
    chromium: Browser, live_server: LiveServer, noor: User
) -> None:
    (only,) = waiting(1)
    sam = UserFactory(analyst=True, email="sam@hotline.example", name="Sam")
    page = page_of(chromium, live_server, noor)
    page.clock.install()
    page.goto("/staff/work/")
    bar = page.locator("[data-claim]")

    def a_minute_later() -> None:
        with page.expect_response("**/beat/"):
            page.clock.run_for(60_000)

    a_minute_later()
    expect(bar).to_be_hidden()
    Claim.objects.filter(notice=only).update(active_at=timezone.now() - timedelta(minutes=30))
    a_minute_later()
    expect(bar).to_contain_text("You were away for a while")
    bar.get_by_role("button", name="Go on with it").press("Enter")
    expect(bar).to_be_hidden()

    Claim.objects.filter(notice=only).update(user=sam)
    a_minute_later()
    expect(bar).to_contain_text("Sam has this notice before them now.")
    page.context.close()


def test_the_address_is_copied_defanged_and_never_live(
    chromium: Browser, live_server: LiveServer, noor: User
) -> None:
    notice = NoticeFactory(attributed=True, content__url="https://forum.example/a/secret.jpg")
    page = page_of(chromium, live_server, noor)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/staff/work/")

    page.keyboard.press("c")
    expect(page.locator("[data-copied]")).to_have_text("Copied, defanged. That is written down.")

    assert page.evaluate("navigator.clipboard.readText()") == "hxxps://forum[.]example/a/secret[.]jpg"
    assert "secret" not in page.content()
    event = Event.objects.get(act="reveal", subject_id=notice.pk)
    assert event.data == {"reason": "judge", "form": "defanged"}
    page.context.close()


@pytest.fixture
def noor(db: None) -> User:
    return UserFactory(analyst=True, email="noor@hotline.example", name="Noor de Vries")
