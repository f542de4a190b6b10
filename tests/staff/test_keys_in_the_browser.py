"""Keys that lead and chords that send: what was judged before, and the quarantine."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from cases.models import Assessment, ReportLine
from tests.browsing import IN_A_BROWSER, page_of
from tests.factories import NoticeFactory, ReportFactory, ReportLineFactory

pytestmark = IN_A_BROWSER


def serious(page: Page) -> list[str]:
    """What axe calls serious or worse."""
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in {"serious", "critical"}]


def test_k_leads_to_what_was_judged_before_and_the_chord_takes_it_over(
    chromium: Browser, live_server: LiveServer, everyone: User
) -> None:
    before = NoticeFactory(removed=True)
    notice = NoticeFactory(content=before.content, previous=before)
    page = page_of(chromium, live_server, everyone)
    page.goto("/staff/work/")
    assert serious(page) == []

    page.keyboard.press("n")
    page.keyboard.type("k")
    expect(page.locator("textarea[name=note]")).to_have_value("k")  # dead while one types
    page.keyboard.press("Escape")
    page.locator("body").evaluate("document.activeElement.blur()")
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Judge as before, and next")).to_be_focused()
    assert not Assessment.objects.filter(notice=notice).exists()  # the key alone has sent nothing

    page.keyboard.press("Control+Enter")

    expect(page.locator("[data-undo-row]")).to_contain_text(f"Judged {notice.reference}: illegal: baseline")
    assert Assessment.objects.get(notice=notice).taken_from == Assessment.objects.get(notice=before)


def test_the_quarantine_is_decided_by_keys(
    chromium: Browser, live_server: LiveServer, everyone: User
) -> None:
    report = ReportFactory(total=3, done=3)
    lines: list[ReportLine] = [
        ReportLineFactory(
            report=report,
            number=number,
            quarantined=True,
            content=None,
            raw=f"w{number}.example/x",
            reason="no_scheme",
        )
        for number in (1, 2, 3)
    ]
    page = page_of(chromium, live_server, everyone)
    page.goto("/staff/quarantine/")
    assert serious(page) == []

    for key in "jxjjx":
        page.keyboard.press(key)
    page.keyboard.press("Enter")  # in a tick it presses nothing
    expect(page.get_by_text("2 of 3 chosen")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Accept what is ticked")).to_be_focused()
    assert not ReportLine.objects.filter(decided_at__isnull=False).exists()
    page.keyboard.press("Enter")

    expect(page.get_by_text("2 lines accepted: 2 new.")).to_be_visible()
    assert ReportLine.objects.get(decided_at__isnull=True) == lines[1]
