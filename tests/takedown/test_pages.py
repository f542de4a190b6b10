"""The pages of no desk: start, home, log-in, errors; and the headers of every answer."""

import re

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from pytest_django import Settings

from takedown import pages, styleguide, urls
from takedown.middleware import DatabaseDown
from tests.factories import UserFactory

INSIDE = "the secret of the inside"


def _raise(error: Exception) -> object:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


urlpatterns = [
    # The API answers for every address under its own, so these come first.
    path("api/v1/away/", _raise(OperationalError(INSIDE))),
    path("api/v1/broken/", _raise(RuntimeError(INSIDE))),
    *urls.urlpatterns,
    path("styleguide/", styleguide.page),
    path("broken/", _raise(RuntimeError(INSIDE))),
    path("denied/", _raise(PermissionDenied(INSIDE))),
    path("odd/", _raise(SuspiciousOperation(INSIDE))),
    path("away/", _raise(OperationalError(INSIDE))),
    path("closed/", _raise(InterfaceError(INSIDE))),
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


@pytest.fixture
def site(settings: Settings) -> Client:
    """The house with doors that fail, as it answers where DEBUG is off."""
    settings.ROOT_URLCONF = __name__
    settings.DEBUG = False
    client = Client(headers={"accept-language": "en"})
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/broken/", 500),
        ("/denied/", 403),
        ("/odd/", 400),
        ("/nothing/", 404),
        ("/away/", 503),
        ("/closed/", 503),
    ],
)
def test_an_error_page_has_our_look_and_says_nothing_of_the_inside(
    site: Client, address: str, status: int
) -> None:
    answer = site.get(address)

    assert answer.status_code == status
    assert "takedown/tokens" in answer.text
    assert INSIDE not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"), [("/api/v1/broken/", 500), ("/api/v1/away/", 503), ("/api/nothing/", 404)]
)
def test_a_machine_gets_a_problem_document(site: Client, address: str, status: int) -> None:
    answer = site.get(address)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert INSIDE not in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/away/", "/api/v1/away/"])
def test_a_database_that_is_away_says_when_to_come_back(site: Client, address: str) -> None:
    assert int(site.get(address)["Retry-After"]) > 0


def test_a_fault_outside_a_view_is_a_503_too() -> None:
    request = RequestFactory().get("/")

    try:
        raise OperationalError(INSIDE)
    except OperationalError:
        answer = pages.server_error(request)

    assert answer.status_code == 503


def test_only_the_database_is_the_middleware_s_business() -> None:
    middleware = DatabaseDown(lambda request: HttpResponse())

    assert middleware.process_exception(RequestFactory().get("/"), RuntimeError()) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/", "/login/", "/nothing/", "/staff/", "/portal/", "/broken/", "/away/"]
)
def test_every_answer_has_the_headers_of_the_house(site: Client, address: str) -> None:
    answer = site.get(address)

    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert ("noindex" in answer.get("X-Robots-Tag", "")) == address.startswith(("/staff/", "/portal/"))


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/styleguide/", "/staff/"])
def test_no_page_needs_what_the_policy_forbids(site: Client, address: str) -> None:
    site.force_login(UserFactory(roles=["supervisor"]))
    answer = site.get(address, follow=True)

    assert answer.status_code == 200
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", answer.text)


@pytest.mark.django_db
def test_staff_start_at_their_desks_and_guests_at_the_start_page(client: Client) -> None:
    assert client.get("/home/")["Location"] == "/"

    client.force_login(UserFactory(roles=["analyst"]))

    assert client.get("/home/")["Location"] == "/staff/"


@pytest.mark.django_db
def test_the_bar_offers_only_what_the_role_opens(client: Client) -> None:
    client.force_login(UserFactory(roles=["functional_admin"]))
    shown = client.get("/staff/").text

    assert "/staff/work/" not in shown
    assert "/staff/overdue/" not in shown


def _bar(client: Client, address: str) -> list[tuple[str, bool, list[str]]]:
    """(name, whether the reader is there, what is behind it) of each entry of the bar."""
    return [
        (str(entry.name), entry.current, [str(desk.name) for desk in getattr(entry, "desks", [])])
        for entry in client.get(address).context["house"].bar
    ]


@pytest.mark.django_db
def test_desks_that_belong_together_stand_behind_one_word_of_the_bar(client: Client) -> None:
    client.force_login(UserFactory(roles=["functional_admin"]))

    assert _bar(client, "/staff/accounts/apikey/") == [
        ("Partners by mail", False, []),
        ("Providers", False, ["Providers", "Why this provider?"]),
        ("Settings", True, ["Terms", "Words", "People", "Invitations", "New ways in", "Keys"]),
    ]


@pytest.mark.django_db
def test_a_menu_of_one_desk_is_that_desk(client: Client) -> None:
    client.force_login(UserFactory(roles=["analyst"]))

    names = [name for name, _current, _behind in _bar(client, "/staff/work/")]

    assert "Settings" not in names
    assert names[0] == "Work"


@pytest.mark.django_db
def test_there_is_one_log_in_and_it_leads_back(client: Client) -> None:
    answer = client.get("/staff/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/login/?next=")


@pytest.mark.django_db
def test_nobody_is_logged_out_by_a_link(client: Client) -> None:
    client.force_login(UserFactory(roles=["analyst"]))

    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 200
    assert client.get("/staff/").status_code == 302


@pytest.mark.django_db
def test_a_persons_language_is_kept_with_the_person(client: Client) -> None:
    user = UserFactory(roles=["analyst"], language="nl")
    client.force_login(user)

    client.post("/i18n/", {"language": "en", "next": "/staff/"})

    assert '<html lang="en"' in client.get("/staff/").text


@pytest.mark.django_db
def test_a_language_switch_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/i18n/", {"language": "en", "next": "https://elsewhere.example/"})

    assert answer["Location"] == "/"


@pytest.mark.django_db
def test_the_dry_run_is_said_on_staff_pages(client: Client, host: object) -> None:
    host(dry_run_address="dry@hotline.example")  # type: ignore[operator]
    client.force_login(UserFactory(roles=["analyst"]))

    assert "dry@hotline.example" in client.get("/staff/").text
