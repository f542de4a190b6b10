"""Every address under /staff/ names a cell of the permission table, and opens to exactly its roles."""

import uuid
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.urls.converters import IntConverter, UUIDConverter

from accounts.models import User
from accounts.roles import STAFF_ROLES, TABLE, Role
from providers.models import Contact
from tests.factories import ContactFactory, DispatchFactory, NoticeFactory, ProviderFactory
from tests.staff.conftest import Browser

#: The site's own pages, which show nothing but the frame: for everybody who may enter.
FRAME = {
    "index", "password_change", "password_change_done", "jsi18n", "autocomplete", "view_on_site", "app_list",
}  # fmt: skip
#: For everybody: logging in, and out.
OPEN = {"login", "logout"}


def _patterns(entries: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, prefix + str(entry.pattern))
        else:
            yield prefix, entry


def _address(prefix: str, pattern: URLPattern) -> str:
    """The pattern's address, with rows that do not exist."""
    route = prefix + str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        value = "999999"
        if isinstance(converter, UUIDConverter):
            value = str(uuid.UUID(int=7))
        kind = "int" if isinstance(converter, IntConverter) else "uuid"
        for spelling in (f"<{kind}:{name}>", f"<path:{name}>", f"<str:{name}>"):
            route = route.replace(spelling, value)
    return "/staff/" + route


def _pages() -> list[tuple[str, str, str]]:
    """(name, address, cell) of every page that is neither the frame nor open."""
    found = []
    for prefix, pattern in _patterns(admin.site.get_urls()):
        name = pattern.name or ""
        if name in FRAME | OPEN or not name:  # what has no name is Django's answer to unknown addresses
            continue
        callback = pattern.callback
        cell = getattr(callback, "cell", None) or getattr(
            getattr(callback, "model_admin", None), "cell", None
        )
        found.append((name, _address(prefix, pattern), cell or ""))
    return found


def test_every_page_of_the_staff_names_a_cell_of_the_table() -> None:
    nameless = [(name, cell) for name, _address, cell in _pages() if cell not in TABLE]

    assert nameless == []
    assert len(_pages()) > 50


def test_every_model_of_the_admin_is_one_of_our_desks() -> None:
    assert {type(desk).__module__.split(".")[0] for desk in admin.site._registry.values()} <= {
        "cases", "providers", "accounts", "audit"
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(Role))
def test_a_page_opens_to_exactly_the_roles_of_its_cell(
    role: Role, everybody: dict[Role, User], browser: Browser
) -> None:
    client = browser(everybody[role])
    wrong = []
    for name, address, cell in _pages():
        for method in (client.get, client.post):
            status = method(address).status_code
            if role not in STAFF_ROLES:
                right = status == 302  # to the log-in, which sends them to their own place
            elif role in TABLE[cell]:
                right = status != 403
            else:
                right = status in {403, 301}
            if not right:
                wrong.append((name, method.__name__, status))

    assert wrong == []


@pytest.mark.django_db
def test_a_guest_is_sent_to_the_log_in_from_every_page() -> None:
    client = Client()
    for _name, address, _cell in _pages():
        answer = client.get(address)
        assert answer.status_code in {301, 302}, address
        if answer.status_code == 302:
            assert answer["Location"].startswith("/staff/login/"), address


@pytest.mark.django_db
def test_the_contact_of_a_provider_ends_in_the_portal(browser: Browser, everybody: dict[Role, User]) -> None:
    answer = browser(everybody[Role.PROVIDER_MEMBER]).get("/staff/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/portal/")


@pytest.mark.django_db
def test_whoever_is_made_inactive_is_out_at_the_next_request(browser: Browser, analyst: User) -> None:
    client = browser(analyst)
    assert client.get("/staff/work/").status_code == 200

    User.objects.filter(pk=analyst.pk).update(is_active=False)

    assert client.get("/staff/work/").status_code == 302


@pytest.mark.django_db
def test_the_notice_desk_sends_and_judges_nothing(sending: Client) -> None:
    message = DispatchFactory(accepted=True)
    notice = NoticeFactory(notified=True, provider=message.contact.provider, dispatch=message)

    page = sending.get(f"/staff/cases/notice/{notice.pk}/change/").content.decode()

    assert notice.reference in page
    assert "/reveal/" in page  # a provider asks which address it is
    assert "/assess/" not in page
    assert sending.get("/staff/work/").status_code == 403


@pytest.mark.django_db
def test_the_contact_manager_sees_messages_but_neither_their_text_nor_a_notice(keeping: Client) -> None:
    message = DispatchFactory(accepted=True, subject="[NTD] Notice")
    message.body = "hxxps://forum[.]example/secret"
    message.save()
    notice = NoticeFactory(notified=True, provider=message.contact.provider, dispatch=message)

    page = keeping.get(f"/staff/cases/dispatch/{message.pk}/change/").content.decode()

    assert notice.reference in page
    assert f"/notice/{notice.pk}/" not in page
    assert "/text/" not in page
    assert keeping.post(f"/staff/cases/dispatch/{message.pk}/text/").status_code == 403
    assert keeping.get(f"/staff/cases/notice/{notice.pk}/change/").status_code == 403


@pytest.mark.django_db
def test_the_notice_desk_suspends_a_contact_and_does_not_approve_one(
    sending: Client, keeping: Client
) -> None:
    contact = ContactFactory(approved=True)
    page = f"/staff/providers/provider/{contact.provider_id}/"
    of_contact = f"{page}contacts/{contact.pk}/"

    sending.post(f"{of_contact}suspend/", {"reason": "their server says so"})
    assert Contact.objects.get().suspended_at is not None
    assert "/resume/" not in sending.get(f"{page}change/").content.decode()
    assert sending.post(f"{of_contact}resume/").status_code == 403

    assert "/resume/" in keeping.get(f"{page}change/").content.decode()
    keeping.post(f"{of_contact}resume/")
    assert Contact.objects.get().suspended_at is None


@pytest.mark.django_db
def test_the_auditor_reads_the_record_and_nothing_else(browser: Browser, auditor: User) -> None:
    client = browser(auditor)

    assert client.get("/staff/audit/event/").status_code == 200
    assert [desk.href for desk in client.get("/staff/").context["house"].desks] == ["/staff/audit/event/"]


@pytest.mark.django_db
def test_the_functional_admin_sees_no_rule_for_a_host(browser: Browser, functional_admin: User) -> None:
    from tests.factories import HostRuleFactory

    rule = HostRuleFactory(provider=ProviderFactory(), pattern="secret-forum.example")

    page = browser(functional_admin).get(f"/staff/providers/provider/{rule.provider_id}/change/")

    assert page.status_code == 200
    assert b"secret-forum" not in page.content
