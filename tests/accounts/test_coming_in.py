"""Who comes in, in which language, and with which key."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import KeyHasScope
from accounts.models import ApiKey, Scope
from audit.models import Event
from tests.factories import ProviderFactory, UserFactory, api_key

PASSWORD = "a long enough pass phrase"
pytestmark = pytest.mark.django_db


# -- People ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["noor@hotline.example", "NOOR@Hotline.Example"])
def test_a_person_logs_in_by_address_and_password(address: str) -> None:
    noor = UserFactory(email="noor@hotline.example", password=PASSWORD)

    assert authenticate(username=address, password=PASSWORD) == noor


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("noor@hotline.example", "wrong"),
        ("noor@hotline.example", ""),
        ("nobody@hotline.example", PASSWORD),
        ("", PASSWORD),
        ("noor@hotline.example\0", PASSWORD),
    ],
)
def test_anything_else_opens_nothing(address: str, password: str) -> None:
    UserFactory(email="noor@hotline.example", password=PASSWORD)

    assert authenticate(username=address, password=password) is None


def test_an_unknown_address_costs_as_much_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    UserFactory(email="noor@hotline.example", password=PASSWORD)
    hashes: list[str] = []

    def counted(name: str) -> None:
        work = getattr(Argon2PasswordHasher, name)

        def count(*arguments: Any, **named: Any) -> Any:
            hashes.append(name)
            return work(*arguments, **named)

        monkeypatch.setattr(Argon2PasswordHasher, name, count)

    counted("encode")
    counted("verify")

    for address in ("noor@hotline.example", "nobody@hotline.example"):
        authenticate(username=address, password="wrong")

    assert sorted(hashes) == ["encode", "verify"]


def test_who_left_is_out_at_the_next_request(client: Client) -> None:
    noor = UserFactory(email="noor@hotline.example", password=PASSWORD)
    client.force_login(noor)
    assert client.get("/staff/").status_code == 200

    type(noor).objects.update(is_active=False)

    assert client.get("/staff/").status_code == 302
    assert authenticate(username=noor.email, password=PASSWORD) is None


@pytest.mark.parametrize(
    ("own", "cookie", "browser", "language"),
    [
        ("en", "nl", "nl", "en"),
        ("nl", "en", "en", "nl"),
        (None, "en", "nl", "en"),
        (None, None, "en", "en"),
        (None, None, "nl,en;q=0.5", "nl"),
        (None, None, "fr", "nl"),
        (None, "xx", "xx", "nl"),
    ],
)
def test_a_persons_own_language_goes_before_the_cookie_and_the_cookie_before_the_browser(
    client: Client, own: str | None, cookie: str | None, browser: str, language: str
) -> None:
    if own is not None:
        client.force_login(UserFactory(language=own))
    if cookie is not None:
        client.cookies["django_language"] = cookie

    answer = client.get("/", headers={"Accept-Language": browser})

    assert answer["Content-Language"] == language
    assert f'<html lang="{language}"' in answer.content.decode()


# -- Machines -------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    """What `create_key` prints on stdout."""
    out = io.StringIO()
    call_command("create_key", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_key_is_printed_once_and_only_its_digest_is_kept() -> None:
    secret = run("checker", "--scope", "sightings:write", "--scope", "sightings:write").strip()

    key = ApiKey.objects.get()
    assert bytes(key.digest) == ApiKey.digest_of(secret)
    assert (key.name, key.scopes, key.provider) == ("checker", ["sightings:write"], None)
    assert secret.startswith(key.prefix)
    event = Event.objects.get(act="create_key")
    assert secret not in str(event.data)


def test_a_providers_key_is_for_its_notices_only() -> None:
    alfa = ProviderFactory(code="alfa")

    run("alfa", "--scope", "notices:read", "--scope", "notices:answer", "--provider", "alfa")

    assert ApiKey.objects.get().provider == alfa
    for refused in (
        ("--scope", "reports:write", "--provider", "alfa"),
        ("--scope", "notices:read", "--provider", "nobody"),
        ("--scope", "notices:answer"),
        ("--scope", "everything"),
    ):
        with pytest.raises(CommandError):
            run("x", *refused)
    assert ApiKey.objects.count() == 1


def test_use_of_a_key_is_noted_once_a_minute() -> None:
    key, secret = api_key(Scope.NOTICES_READ)
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def used() -> object:
        client.get("/api/v1/notices/")
        return ApiKey.objects.get(pk=key.pk).last_used_at

    first = used()
    assert first is not None
    assert used() == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    assert used() != first


def test_a_view_that_names_no_scope_is_a_fault_and_a_method_it_does_not_name_is_closed() -> None:
    key, _secret = api_key()
    request = Request(RequestFactory().post("/"))
    request.auth = key
    view = APIView()

    with pytest.raises(ImproperlyConfigured):
        KeyHasScope().has_permission(request, view)
    view.required_scope = {"GET": Scope.NOTICES_READ}  # type: ignore[attr-defined]
    with pytest.raises(MethodNotAllowed):
        KeyHasScope().has_permission(request, view)
    view.required_scope = {"POST": Scope.NOTICES_READ}  # type: ignore[attr-defined]
    assert KeyHasScope().has_permission(request, view)
