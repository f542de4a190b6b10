"""The portal as a person uses it: log in, look, reveal, answer; on a desk and on a phone."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import Message, Notice, Reply
from cases.services import conversation
from tests.browsing import IN_A_BROWSER, sound
from tests.factories import HOUR, SYSTEM, NoticeFactory, ProviderFactory, UserFactory
from tests.portal.test_message_page import message, url
from tests.portal.world import notified

pytestmark = IN_A_BROWSER

PASSWORD = "a long password for one test"
SECRET = "https://forum.example/threads/secret-path/0001.jpg"


@pytest.fixture
def notice() -> Notice:
    """Claimed removed, and seen after it; beside it one that is overdue and one that is gone."""
    alfa, now = ProviderFactory(code="alfa"), timezone.now()
    UserFactory(provider_contact=True, provider=alfa, password=PASSWORD)
    NoticeFactory(escalated=True, provider=alfa, notified_at=now - 30 * HOUR)
    NoticeFactory(removed=True, provider=alfa, notified_at=now - 30 * HOUR)
    notice = notified(
        now - 5 * HOUR,
        provider=alfa,
        content__url=SECRET,
        claimed_removed_at=now - 3 * HOUR,
        last_seen_online_at=now - 2 * HOUR,
    )
    conversation.write(notice_id=notice.pk, text="Please look again.", by=SYSTEM, now=now)
    return notice


@pytest.mark.parametrize("width", [1280, 390])
def test_a_contact_logs_in_looks_and_answers(
    chromium: Browser,
    live_server: LiveServer,
    notice: Notice,
    width: int,
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, locale="en-GB")
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{live_server.url}/portal/")
    page.get_by_label("E-mail address").fill("contact@alfa.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    expect(page).to_have_url(f"{live_server.url}/portal/")
    expect(page.get_by_text("our check at")).to_be_visible()
    sound(page)

    page.get_by_role("link", name=notice.reference).click()
    expect(page.get_by_role("alert")).to_contain_text("You say removed at")
    sound(page)
    # What is new counts as read once it was in sight, and not before.
    read = page.get_by_role("button", name="I have read what is new")
    expect(read).to_be_visible()
    assert Message.objects.unread().exists()
    page.get_by_text("Please look again.").scroll_into_view_if_needed()
    expect(read).to_be_hidden()
    assert not Message.objects.unread().exists()

    page.get_by_role("button", name="Show the address").click()
    expect(page.locator("code.address")).to_have_text(SECRET)
    expect(page.get_by_role("link", name=re.compile("forum"))).to_have_count(0)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy it, defanged").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "hxxps://forum[.]example/threads/secret-path/0001[.]jpg"
    sound(page)

    # By keyboard, and only the fields that this answer needs.
    expect(page.get_by_label("Reason")).to_be_hidden()
    page.get_by_label("we dispute it").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Reason")).to_be_visible()
    page.get_by_label("Reason").fill("It is a painting.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your answer is recorded.")).to_be_visible()
    assert Reply.objects.get().reason == "It is a painting."
    # Nothing of the content was asked for, by whatever part of the page.
    assert all(url.startswith(live_server.url) for url in asked)
    assert not any("secret-path" in url for url in asked)
    context.close()


def test_without_scripts_everything_still_works(
    chromium: Browser,
    live_server: LiveServer,
    notice: Notice,
) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{live_server.url}/portal/")
    page.get_by_label("E-mail address").fill("contact@alfa.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label(f"Choose {notice.reference}").check()
    page.get_by_role("button", name="Another answer").click()
    page.get_by_label("we need information").check()
    page.get_by_label("Note to the hotline").fill("Which file?")
    page.get_by_role("button", name="Record this answer").click()
    expect(page.get_by_text("Recorded for 1 notice.")).to_be_visible()
    assert Reply.objects.get().note == "Which file?"
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_whoever_has_the_mail_answers_on_its_page_by_keyboard(
    chromium: Browser, live_server: LiveServer, width: int
) -> None:
    link, (first, second) = message(ProviderFactory(code="alfa"), 2)
    context = chromium.new_context(viewport={"width": width, "height": 844}, locale="en-GB")
    page = context.new_page()

    page.goto(f"{live_server.url}{url(link)}")
    sound(page)
    page.get_by_label(f"Choose {second.reference}").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Reason")).to_be_hidden()
    page.get_by_role("radio", name="made inaccessible").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Record this answer").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Recorded for 1 notice.")).to_be_visible()
    expect(page.get_by_text("our check looks now")).to_be_visible()
    sound(page)
    assert list(Reply.objects.values_list("notice", "answer")) == [(first.pk, "removed")]
    context.close()
