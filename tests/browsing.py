"""What tests in a real browser share: the browser, whoever is logged in, and what makes a page sound."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User

CHROMIUM = os.environ.get("CHROMIUM", "")
#: What a module of such tests is marked with.
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason=os.environ.get("NO_CHROMIUM") or "say CHROMIUM=/path/to/it"),
    pytest.mark.django_db(transaction=True),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running() -> Iterator[Browser]:
    """A Chromium. Playwright's loop runs in this thread; Django would take that for asynchronous code."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def sound(page: Page) -> None:
    """Nothing that axe calls serious, nothing wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    findings = Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"]) for f in findings if f["impact"] in {"serious", "critical"}] == [], page.url


def page_with_security_key(context: BrowserContext) -> Page:
    """A page whose browser has a security key of its own in it, which says yes to whatever it is asked."""
    page = context.new_page()
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    key = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    return page


def page_of(
    chromium: Browser, live_server: LiveServer, person: User, width: int = 1280, scheme: str = "light"
) -> Page:
    """A page in which `person` is logged in; it fails when the browser complains."""
    client = Client()
    client.force_login(person)
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-GB",
    )
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    return context.new_page()
