"""The public form in a browser: by keyboard alone, without JavaScript, in both languages, on a phone."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import Report, Reporter
from tests.browsing import IN_A_BROWSER, sound

pytestmark = IN_A_BROWSER


def focused(page: Page) -> str:
    """What has the focus: its name, or its class."""
    said: str = page.evaluate("document.activeElement.name || document.activeElement.className")
    return said


@pytest.mark.parametrize(
    ("locale", "width", "scheme", "heading", "told"),
    [
        ("en-GB", 1280, "light", "Your report is in", "It is being looked at."),
        ("nl-NL", 390, "dark", "Uw melding is binnen", "Hier wordt naar gekeken."),
    ],
)
def test_a_report_is_made_and_followed_by_keyboard(
    chromium: Browser, live_server: LiveServer, locale: str, width: int, scheme: str, heading: str, told: str
) -> None:
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 844},
        locale=locale,
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto("/report/")
    page.focus("[name=addresses]")
    page.keyboard.type("nonsense")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # in the field: sends the form, and does not switch the language

    expect(page.locator(".errors")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the summary leads to the field
    expect(page.locator("[name=addresses]")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("https://forum.example/1.jpg")
    page.keyboard.press("Enter")
    page.keyboard.type("magnet:?xt=urn:btih:0")
    for name in ("referrer", "", "contact"):
        page.keyboard.press("Tab")
        assert focused(page) == name
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert focused(page) == "email"
    page.keyboard.type("someone@example.org")
    complained = [text for text in complaints if "422" not in text]
    sound(page)
    page.focus("[name=email]")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert page.locator("tbody tr").count() == 2
    sound(page)
    assert Report.objects.count() == Reporter.objects.count() == 1
    number, code = page.locator(".ticket__code").all_inner_texts()

    page.goto("/report/follow/")
    page.focus("[name=number]")
    page.keyboard.type(number)
    page.keyboard.press("Tab")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").first).to_contain_text(told)
    sound(page)
    assert complained == []
    context.close()


def test_it_works_without_javascript_and_keeps_what_was_typed_in_another_language(
    chromium: Browser, live_server: LiveServer
) -> None:
    context = chromium.new_context(base_url=live_server.url, locale="nl-NL", java_script_enabled=False)
    page = context.new_page()
    page.goto("/report/")
    page.fill("[name=addresses]", "https://forum.example/1.jpg")
    assert not page.locator("[name=email]").is_visible()
    page.get_by_role("button", name="English").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Report what you have seen")
    expect(page.locator("[name=addresses]")).to_have_value("https://forum.example/1.jpg")
    page.get_by_role("button", name="Send the report").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your report is in")
    assert Report.objects.count() == 1
    context.close()
