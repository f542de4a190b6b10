"""The desks in a browser: the keys of the work desk, nothing that axe calls serious, nothing wider than the screen."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Locator, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from cases.models import Notice
from cases.services import message_templates, origins, vocabulary
from cases.services.keep import read_due
from cases.services.receive import BATCH
from providers.models import RegistryQuestion
from tests.browsing import IN_A_BROWSER, page_of
from tests.factories import (
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    HostRuleFactory,
    NetworkFactory,
    NoticeFactory,
    RegistrationFactory,
    ReportFactory,
    ReportLineFactory,
    SecondLookFactory,
    SightingFactory,
    StepFactory,
    api_key,
)
from tests.returned import came_back, message, sample

pytestmark = IN_A_BROWSER
HOUR = timedelta(hours=1)


def test_the_keys_choose_and_one_chord_saves(
    chromium: Browser, live_server: LiveServer, everyone: User
) -> None:
    first = NoticeFactory(attributed=True, received_at=timezone.now() - 5 * HOUR)
    second = NoticeFactory(attributed=True, received_at=timezone.now() - 3 * HOUR)
    page = page_of(chromium, live_server, everyone)
    page.goto("/staff/work/")
    chosen = page.locator("input[name=legal_class]:checked")
    turn = page.locator(".group--turn legend")

    def answered(question: str) -> Locator:
        return page.locator(f"input[name={question}]:checked")

    # A class passes the turn on: to the reason, or to the description.
    page.keyboard.press("3")
    expect(chosen).to_have_value("not_illegal")
    expect(turn).to_have_text("Why not, or why not to be judged")
    page.keyboard.press("Backspace")
    page.keyboard.press("1")
    expect(chosen).to_have_value("baseline")
    expect(page.locator("[data-group=reason]")).to_be_hidden()
    expect(turn).to_have_text("Age group")
    page.keyboard.press("2")
    expect(answered("age_group")).to_have_value("prepubescent")
    page.keyboard.press("Enter")  # leaves a group as it is, and sends nothing
    expect(turn).to_have_text("Content type")
    expect(answered("sex")).to_have_value("")
    page.keyboard.press("Tab")
    expect(turn).to_have_text("Site type")
    for _group in range(3):
        page.keyboard.press("Enter")
    expect(turn).to_have_text("Self-generated")
    page.keyboard.press("2")
    expect(page.locator("[data-police-hint]")).to_be_visible()  # it suggests, and forces nothing
    expect(page.locator("input[name=police_first]")).not_to_be_checked()
    page.keyboard.press("u")
    expect(page.locator("input[name=urgent]")).to_be_checked()

    # Keys are dead while one types.
    page.keyboard.press("n")
    page.keyboard.type("2 3 u?")
    expect(page.locator("textarea[name=note]")).to_have_value("2 3 u?")
    expect(chosen).to_have_value("baseline")
    assert Notice.objects.get(pk=first.pk).assessed_at is None  # no single key has sent anything

    page.keyboard.press("Control+Enter")
    expect(page.locator("#subject")).to_have_text(second.reference)
    judged = Notice.objects.get(pk=first.pk)
    assert (judged.legal_class, judged.urgent) == ("baseline", True)
    assert judged.assessments.get().answers == {"age_group": "prepubescent", "self_generated": "yes"}
    page.context.close()


def test_the_keys_are_listed_and_can_be_switched_off(
    chromium: Browser, live_server: LiveServer, everyone: User
) -> None:
    NoticeFactory(attributed=True)
    page = page_of(chromium, live_server, everyone)
    page.goto("/staff/work/")
    dialog = page.locator("dialog")

    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    page.keyboard.press("1")  # dead while the list is open
    dialog.get_by_label("Switch single keys off").check()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    page.keyboard.press("2")
    expect(page.locator("input[name=legal_class]:checked")).to_have_count(0)

    page.reload()
    page.keyboard.press("2")
    expect(page.locator("input[name=legal_class]:checked")).to_have_count(0)
    page.context.close()


def test_an_address_is_shown_by_a_press_and_is_no_link(
    chromium: Browser, live_server: LiveServer, everyone: User
) -> None:
    notice = NoticeFactory(notified=True, content__url="https://forum.example/a/secret.jpg")
    page = page_of(chromium, live_server, everyone)
    page.goto(f"/staff/cases/notice/{notice.pk}/change/")

    page.get_by_label("Why do you need it?").select_option("check")
    page.get_by_role("button", name="Show it").click()

    expect(page.locator("code.revealed")).to_have_text("https://forum.example/a/secret.jpg")
    assert "secret" not in page.url
    assert page.locator("a[href*=secret]").count() == 0
    page.context.close()


def test_a_files_progress_moves_by_itself_and_ends_in_its_receipt(
    chromium: Browser, live_server: LiveServer, everyone: User
) -> None:
    page = page_of(chromium, live_server, everyone)
    page.goto("/staff/reports/add/")
    text = "url\n" + "".join(f"https://forum.example/{number}.jpg\n" for number in range(BATCH + 1))
    page.set_input_files(
        "input[name=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_role("button", name="Take it in").click()
    progress = page.locator("progress")
    expect(progress).to_have_attribute("value", "0")

    # One pass whose time is over after a batch: left, and found again on the list.
    ticks = iter([timedelta(0), timedelta(0), timedelta(hours=1)])
    read_due(clock=lambda: timezone.now() + next(ticks))
    expect(progress).to_have_attribute("value", str(BATCH), timeout=15_000)
    page.goto("/staff/cases/report/")
    expect(page.locator("[data-live] progress")).to_have_attribute("value", str(BATCH))
    page.locator("[data-live] a").click()
    read_due(clock=timezone.now)

    expect(page.locator("table tbody tr")).to_have_count(100, timeout=15_000)
    expect(progress).to_have_count(0)
    page.context.close()


@pytest.fixture
def world(everyone: User) -> dict[str, int]:
    """A row for every page."""
    now = timezone.now()
    notice = NoticeFactory(escalated=True, notified_at=now - 80 * HOUR, disputed_at=now - HOUR)
    SightingFactory(notice=notice, seen_at=now - HOUR)
    StepFactory(notice=notice, code="call", taken_at=now)
    waiting = NoticeFactory(attributed=True, received_at=now - HOUR)
    line = ReportLineFactory(notice=waiting, note="what a reporter wrote", report__their_reference="X-1")
    ReportLineFactory(quarantined=True, raw="http://a@b.test/x", report=line.report, number=2)
    NoticeFactory(attributed=True, held=True, hold_until=now + HOUR, received_at=now - HOUR)
    parked = DispatchFactory(parked=True)
    unread = DispatchFactory(needs_approval=True, contact=parked.contact)
    NoticeFactory(routed=True, provider=parked.contact.provider, dispatch=unread)
    ContactFactory(suspended=True, address="other@alfa.example")
    NetworkFactory()
    rule = HostRuleFactory()
    reading = ReportFactory(finished_at=None, total=10_000, done=4_000, received_at=now, moved_at=now)
    api_key()
    registration = RegistrationFactory(
        name="A-NETWORK-WITH-A-LONG-NAME" * 2, holder_name="Een houder met een heel lange naam " * 3
    )
    RegistryQuestion.objects.create(
        address="2001:db8::dead:beef:1", wanted_at=now, asked_at=now, trouble="elsewhere"
    )
    look = SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True))
    vocabulary.begin_draft(by=SYSTEM, now=now)
    cdn = ContactFactory(approved=True, provider__cdn=True, provider__code="shield").provider
    hidden = {"hold": "contact_review", "hold_review": "cdn_origin"}
    NoticeFactory(
        assessed=True, provider=cdn, received_at=now - 30 * HOUR, assessed_at=now - 29 * HOUR, **hidden
    )
    origins.ask_due(by=SYSTEM, now=now - 28 * HOUR)
    letter = message_templates.begin_draft(kind="first", language="en", by=SYSTEM, now=now)
    reply = came_back(sample("answer-plain", message(notice)), now)
    lost = came_back(sample("answer-own-subject", message(notice)), now)
    doubt = came_back(sample("failed-another-recipient", message(notice)), now)
    return {"notice": notice.pk, "waiting": waiting.pk, "report": line.report_id, "dispatch": parked.pk,
            "unread": unread.pk,
            "reading": reading.pk, "provider": rule.provider_id, "user": everyone.pk,
            "look": look.pk, "letter": letter.pk, "reply": reply.pk, "lost": lost.pk, "doubt": doubt.pk,
            "registration": registration.pk}  # fmt: skip


PAGES = (
    "/staff/",
    "/staff/work/",
    "/staff/work/team/",
    "/staff/cases/notice/",
    "/staff/cases/notice/{notice}/change/",
    "/staff/cases/notice/{waiting}/change/",
    "/staff/cases/secondlook/",
    "/staff/cases/secondlook/{look}/change/",
    "/staff/cases/secondlook/agreement/",
    "/staff/cases/vocabulary/",
    "/staff/cases/messagetemplate/",
    "/staff/cases/messagetemplate/{letter}/change/",
    "/staff/outbox/?show=parked",
    "/staff/cases/dispatch/",
    "/staff/cases/dispatch/{dispatch}/change/",
    "/staff/cases/originrequest/",
    "/staff/replies/",
    "/staff/replies/{reply}/",
    "/staff/replies/{lost}/",
    "/staff/replies/{doubt}/",
    "/staff/cases/dispatch/{unread}/change/",
    "/staff/contacts/?show=suspended",
    "/staff/contacts/?show=all",
    "/staff/overdue/",
    "/staff/checks/",
    "/staff/overdue/steps/?show=unacknowledged",
    "/staff/overdue/calls/",
    "/staff/quarantine/",
    "/staff/cases/report/",
    "/staff/cases/report/{report}/change/",
    "/staff/cases/report/{reading}/change/",
    "/staff/reports/add/",
    "/staff/cases/deadlinerule/",
    "/staff/providers/provider/",
    "/staff/providers/provider/{provider}/change/",
    "/staff/providers/provider/new/",
    "/staff/why/",
    "/staff/providers/registration/",
    "/staff/providers/registration/{registration}/change/",
    "/staff/accounts/user/",
    "/staff/accounts/user/{user}/change/",
    "/staff/accounts/user/new/",
    "/staff/accounts/apikey/",
    "/staff/accounts/apikey/new/",
    "/staff/audit/event/",
    "/staff/password_change/",
)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_of_the_staff_is_sound(
    chromium: Browser, live_server: LiveServer, everyone: User, world: dict[str, int], width: int, scheme: str
) -> None:
    page = page_of(chromium, live_server, everyone, width, scheme)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    unsound = []
    for address in (each.format(**world) for each in PAGES):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        # What is folded away must be sound as well.
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.name = '', d.open = true))")
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            unsound.append(
                (address, "wider than the screen", page.evaluate("document.documentElement.scrollWidth"))
            )
        unsound += [(address, "complaint", text) for text in complaints]
        found = Axe().run(page).response["violations"]
        unsound += [
            (address, each["id"], [node["html"][:160] for node in each["nodes"][:3]])
            for each in found
            if each["impact"] in {"serious", "critical"}
        ]
        complaints.clear()

    assert unsound == []
    page.context.close()
