"""The look in a browser: nothing that axe calls serious, nothing wider than the screen, no complaint."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import path
from playwright.sync_api import Browser, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from takedown import styleguide, urls
from tests.browsing import IN_A_BROWSER

pytestmark = IN_A_BROWSER
# The style guide is there with DEBUG or DEMO only, and tests run with neither.
urlpatterns = [path("styleguide/", styleguide.page), *urls.urlpatterns]


@pytest.fixture(autouse=True)
def _with_the_style_guide(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_component_is_sound(
    chromium: Browser, live_server: LiveServer, width: int, scheme: str
) -> None:
    page = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    for address in ("/", "/login/", "/styleguide/", "/styleguide/?room=staff"):
        page.goto(f"{live_server.url}{address}")
        complained = list(complaints)  # before axe adds styles of its own, which the policy refuses
        findings = Axe().run(page).response["violations"]

        assert complained == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        serious = [(f["id"], f["nodes"]) for f in findings if f["impact"] in {"serious", "critical"}]
        assert serious == [], address
        complaints.clear()
    page.context.close()


def test_the_clock_counts_on_and_rows_are_counted(chromium: Browser, live_server: LiveServer) -> None:
    page = chromium.new_context(locale="en-GB").new_page()
    page.goto(f"{live_server.url}/styleguide/")
    # Four minutes left: said with its seconds, so that a second shows.
    page.evaluate(
        """() => {
          const clock = document.querySelector("time[data-due]");
          clock.dataset.due = new Date(Date.parse(clock.dataset.now) + 240_000).toISOString();
        }"""
    )
    clock = page.locator("time[data-due]").first
    expect(clock).to_contain_text("3 min")
    assert "timeleft--soon" in (clock.locator("..").get_attribute("class") or "")

    button = page.locator("[data-needs-choice]").first
    assert button.is_disabled()
    page.locator("[data-select-all] input").check()

    assert page.locator("[data-select-count]").inner_text() == "4 of 4 chosen"
    assert button.is_enabled()
    page.context.close()
