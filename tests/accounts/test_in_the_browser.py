"""Coming in, in a real browser with a virtual passkey: no page of it is drawn by the library."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from audit.models import Event
from tests.accounts.apps import code_of
from tests.browsing import IN_A_BROWSER, page_of, page_with_security_key, sound
from tests.factories import UserFactory

pytestmark = IN_A_BROWSER
PASSWORD = "a long enough pass phrase"


@pytest.fixture
def robin(transactional_db: None, host: Callable[..., None]) -> User:
    """Manages people and keys, and has a password so far."""
    host(second_factor=True)
    person: User = UserFactory(functional_admin=True, password=PASSWORD)
    return person


def fresh_page(chromium: Browser, live_server: LiveServer, width: int, locale: str = "en-GB") -> Page:
    """A browser that nobody has logged in from, with a security key in it; it collects its complaints."""
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 900},
        locale=locale,
        color_scheme="dark" if width < 500 else "light",
    )
    return page_with_security_key(context)


def give_password(page: Page, person: User) -> None:
    """The first step of the log-in."""
    page.goto("/login/")
    page.locator("[name=username]").fill(person.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def log_out(page: Page) -> None:
    """By the menu."""
    page.locator("details.menu summary.tool").click()
    page.locator("form[action='/logout/'] button").click()


def test_a_password_leads_to_a_passkey_and_then_passkey_app_and_recovery_code_open(
    robin: User, chromium: Browser, live_server: LiveServer, host: Callable[..., None]
) -> None:
    page = fresh_page(chromium, live_server, 1280)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)

    give_password(page, robin)
    expect(page.get_by_role("heading", name="Set up a second step")).to_be_visible()
    page.goto("/staff/")
    assert "/login/" in page.url, "a password alone opens nothing"
    page.goto("/login/enrol/")
    sound(page)
    page.get_by_role("button", name="Set up a passkey").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    sound(page)
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(f"{live_server.url}/staff/")

    log_out(page)
    page.goto("/login/?next=/account/")
    sound(page)
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    sound(page)

    page.get_by_role("link", name="Set up a passkey or an app").click()
    secret = page.locator(".way__key").inner_text().replace(" ", "")
    now = timezone.now()
    page.locator("[name=code]").fill(code_of(secret, now))
    page.get_by_role("button", name="Set up the app").click()
    expect(page.get_by_text("Authenticator app", exact=True)).to_be_visible()

    for code in (code_of(secret, now + timedelta(seconds=30)), codes[0]):
        log_out(page)
        give_password(page, robin)
        expect(page.get_by_role("heading", name="One more step")).to_be_visible()
        sound(page)
        page.locator("[name=code]").fill(code)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{live_server.url}/staff/")

    host(step_up=timedelta(0))
    page.goto("/staff/accounts/apikey/new/")
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    sound(page)
    host(step_up=timedelta(minutes=10))
    page.get_by_role("button", name="Use your passkey").click()
    expect(page).to_have_url(f"{live_server.url}/staff/accounts/apikey/new/")
    assert complaints == []
    acts = Event.objects.filter(subject="user", subject_id=robin.pk).order_by("pk")
    assert [(event.act, *(event.data or {}).values()) for event in acts] == [
        ("enrol", "webauthn"),
        ("log_in", "webauthn"),
        ("log_out",),
        ("log_in", "webauthn"),
        ("enrol", "totp"),
        ("log_out",),
        ("log_in", "totp"),
        ("log_out",),
        ("log_in", "recovery_codes"),
        ("step_up", "webauthn"),
    ]


def test_on_a_phone_in_dutch_an_app_is_set_up_and_asked_for(
    robin: User, chromium: Browser, live_server: LiveServer
) -> None:
    User.objects.update(language="nl")
    page = fresh_page(chromium, live_server, 390, "nl-NL")
    give_password(page, robin)
    expect(page.locator(".way__key")).to_be_visible()
    sound(page)
    secret = page.locator(".way__key").inner_text().replace(" ", "")
    page.locator("[name=code]").fill("000 000")
    page.get_by_role("button", name="De app instellen").click()
    expect(page.locator(".message--error").first).to_be_visible()
    sound(page)
    now = timezone.now()
    page.locator("[name=code]").fill(code_of(secret, now))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Uw herstelcodes")).to_be_visible()
    page.goto("/account/")
    expect(page.get_by_role("heading", name="Beveiliging")).to_be_visible()
    sound(page)


def test_a_colleague_is_invited_on_one_screen_and_comes_in_on_another(
    robin: User, chromium: Browser, live_server: LiveServer, settings: Settings
) -> None:
    settings.BASE_URL = live_server.url
    ada = UserFactory(provider_admin=True, password=PASSWORD)
    theirs = fresh_page(chromium, live_server, 1280)
    give_password(theirs, ada)
    theirs.get_by_role("button", name="Set up a passkey").click()
    theirs.get_by_role("link", name="I have kept them").click()
    theirs.get_by_text("Your organisation").click()
    theirs.get_by_role("link", name="Colleagues").click()
    theirs.get_by_label("E-mail address of your colleague").fill("bo@alfa.example")
    theirs.keyboard.press("Enter")
    link = theirs.locator(".revealed").inner_text()
    sound(theirs)

    mine = fresh_page(chromium, live_server, 390, "nl-NL")
    mine.goto(link)
    expect(mine.get_by_role("heading", name="U bent uitgenodigd")).to_be_visible()
    sound(mine)
    mine.locator("[name=name]").fill("Bo")
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("heading", name="Hoe u inlogt")).to_be_visible()
    sound(mine)
    mine.get_by_role("button", name="Een passkey instellen").click()
    mine.get_by_role("link", name="Ik heb ze bewaard").click()
    expect(mine).to_have_url(f"{live_server.url}/portal/")
    mine.goto("/portal/colleagues/")
    expect(mine.get_by_role("cell", name="bo@alfa.example")).to_be_visible()
    sound(mine)

    bo = User.objects.get(email="bo@alfa.example")
    assert (bo.name, bo.language, bo.has_usable_password()) == ("Bo", "nl", False)


def test_two_of_the_staff_give_a_new_way_in_by_the_buttons_of_the_list(
    robin: User, chromium: Browser, live_server: LiveServer, host: Callable[..., None]
) -> None:
    host(second_factor=False)
    lost = UserFactory(analyst=True)
    page = page_of(chromium, live_server, robin)
    page.goto("/staff/accounts/recovery/")
    page.get_by_role("link", name="Ask for somebody").click()
    page.get_by_label("E-mail address").fill(lost.email)
    page.locator("[name=reason]").fill("lost the telephone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("waits for a colleague")).to_be_visible()
    sound(page)

    page = page_of(chromium, live_server, UserFactory(supervisor=True), 390)
    page.goto("/staff/accounts/recovery/")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(".revealed")).to_contain_text("/join/")
    sound(page)
    page.goto("/staff/accounts/recovery/")
    expect(page.get_by_text("confirmed", exact=True)).to_be_visible()
