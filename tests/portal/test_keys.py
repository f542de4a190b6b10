"""Keys of a provider's machines: made by its admins, two at a time, with an end that is told before."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from audit.models import Event
from cases.models import SystemMail
from cases.services import system_mail
from portal.forms.key import KeyForm
from providers.models import Contact, ContactSecret, Provider
from tests.factories import SYSTEM, ContactFactory, UserFactory
from tests.mailserver import MailServer
from tests.portal.test_notice import words

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FIELDS = {"name": "Our ticket system", "scopes": ["notices:read", "notices:answer"], "days": "365"}


@pytest.fixture
def admin(alfa: Provider) -> User:
    person: User = UserFactory(provider_admin=True, provider=alfa, name="Ada")
    return person


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def secret_in(page: str) -> str:
    return str(re.search(r"td_[\w-]{43}", page)[0])  # type: ignore[index]


def calls(secret: str) -> int:
    """What the API answers to this key."""
    return Client().get("/api/v1/notices/", headers={"authorization": f"Bearer {secret}"}).status_code


def made(browser: Client, **fields: str) -> tuple[ApiKey, str]:
    secret = secret_in(browser.post("/portal/keys/new/", FIELDS | fields).text)
    return ApiKey.objects.get(digest=ApiKey.digest_of(secret)), secret


def test_a_key_is_shown_once_opens_the_api_and_ends_within_a_year(
    browser: Client, alfa: Provider, admin: User
) -> None:
    key, secret = made(browser)

    assert calls(secret) == 200
    assert (key.provider, key.owner) == (alfa, admin)
    assert key.expires_at is not None
    assert timedelta(0) <= timezone.now() + 365 * DAY - key.expires_at < timedelta(minutes=1)
    page = browser.get("/portal/keys/")
    assert secret not in page.text
    assert f"{secret[:8]}…" in page.text
    said = dict(KeyForm.SCOPES)
    assert f"{said['notices:answer']}, {said['notices:read']} Ada" in words(page.content)
    assert Event.objects.get(act="create_key").actor == f"user:{admin.pk}"
    assert secret not in str(list(Event.objects.values_list("data", flat=True)))


@pytest.mark.parametrize(
    "wrong", [{"scopes": ["reports:write"]}, {"scopes": []}, {"name": ""}, {"days": "3650"}, {"name": "\0"}]
)
def test_what_a_key_may_not_be_is_refused(browser: Client, wrong: dict[str, object]) -> None:
    answer = browser.post("/portal/keys/new/", {**FIELDS, **wrong})
    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_one_key_takes_the_place_of_another_and_both_open_for_a_while(browser: Client) -> None:
    old, first = made(browser)
    second = secret_in(browser.post(f"/portal/keys/{old.pk}/replace/").text)

    assert (calls(first), calls(second)) == (200, 200)
    old = ApiKey.objects.get(pk=old.pk)
    assert old.expires_at is not None
    assert old.expires_at <= timezone.now() + 14 * DAY
    browser.post(f"/portal/keys/{old.pk}/replace/")  # a third is refused
    assert ApiKey.objects.count() == 2
    ApiKey.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    assert (calls(first), calls(second)) == (401, 200)


def test_a_key_is_revoked_at_once(browser: Client) -> None:
    key, secret = made(browser)
    browser.post(f"/portal/keys/{key.pk}/revoke/")
    assert calls(secret) == 401
    assert "Our ticket system" not in browser.get("/portal/keys/").text


def test_keys_of_others_are_not_there(browser: Client, beta: Provider, portal: Client) -> None:
    other = Client()
    other.force_login(UserFactory(provider_admin=True, provider=beta, email="admin@beta.example"))
    key, secret = made(other)

    told = set()
    for pk in (key.pk, 999_999):
        for act in ("revoke", "replace", "take-over"):
            answer = browser.post(f"/portal/keys/{pk}/{act}/", follow=True)
            said = re.findall(r"message--error.*?</div>", answer.text, re.DOTALL)
            told.add((act, answer.status_code, *said))
    assert len(told) == 3
    assert calls(secret) == 200
    assert secret[:8] not in browser.get("/portal/keys/").text
    assert portal.get("/portal/keys/").status_code == 403  # a member
    assert portal.post("/portal/keys/new/", FIELDS).status_code == 403


def test_making_a_key_wants_a_fresh_proof_and_revoking_one_does_not(
    browser: Client, host: Callable[..., None]
) -> None:
    key, secret = made(browser)
    host(second_factor=True)
    assert "/account/" in browser.post("/portal/keys/new/", FIELDS)["Location"]
    assert "/account/" in browser.post(f"/portal/keys/{key.pk}/replace/")["Location"]
    browser.post(f"/portal/keys/{key.pk}/revoke/")
    assert calls(secret) == 401


def test_a_colleague_who_takes_a_key_over_has_it_until_another_is_in_its_place(
    browser: Client, alfa: Provider, admin: User
) -> None:
    key, secret = made(browser)
    other = UserFactory(provider_admin=True, provider=alfa, name="Bo", email="bo@alfa.example")
    colleague = Client()
    colleague.force_login(other)

    assert "1 key of theirs ends with them" in words(colleague.get("/portal/colleagues/").content)
    colleague.post(f"/portal/keys/{key.pk}/take-over/")
    page = colleague.post(f"/portal/colleagues/{admin.pk}/end/", follow=True)

    assert "keys and invitations of theirs open nothing" in words(page.content)
    assert calls(secret) == 200
    kept = ApiKey.objects.get(pk=key.pk)
    assert kept.owner == other
    # Who left may know it.
    assert kept.expires_at is not None
    assert kept.expires_at <= timezone.now() + 14 * DAY


def test_secrets_that_stay_are_listed_without_them(browser: Client, alfa: Provider) -> None:
    endpoint = ContactFactory(
        provider=alfa,
        channel=Contact.Channel.WEBHOOK,
        address="https://hooks.alfa.example/in/s3cr3t",
        mode="api",
    )
    ContactSecret.objects.create(
        contact=endpoint, secret_sealed=b"x", created_at=timezone.now(), created_by="user:1"
    )
    page = browser.get("/portal/keys/").text
    assert "hooks.alfa.example" in page
    assert "s3cr3t" not in page


def test_the_owner_is_told_two_weeks_and_three_days_before(
    browser: Client, mail_server: MailServer, admin: User
) -> None:
    key, secret = made(browser)
    assert key.expires_at is not None
    for left, count in ((15, 0), (13, 1), (12, 1), (2, 2), (1, 2)):
        at = key.expires_at - left * DAY
        system_mail.warn_of_keys(now=at)
        system_mail.send_due(by=SYSTEM, clock=lambda at=at: at)  # type: ignore[misc]
        assert len(mail_server.accepted) == count, left
    got = mail_server.accepted[0]
    assert (got.recipient, got.sender, got.message["Auto-Submitted"]) == (admin.email, "<>", "auto-generated")
    assert got.message["Subject"] == "A key of yours ends within 14 days"
    assert "“Our ticket system”" in got.text
    assert "/portal/keys/" in got.text
    assert secret not in got.text
    assert Event.objects.filter(act="warn", subject="key").count() == 2


def test_nobody_is_told_of_a_key_that_is_replaced_or_revoked(
    browser: Client, mail_server: MailServer
) -> None:
    replaced, _secret = made(browser)
    browser.post(f"/portal/keys/{replaced.pk}/replace/")
    revoked, _other = made(browser, days="30", name="another")
    at = timezone.now() + 20 * DAY
    system_mail.warn_of_keys(now=at - 8 * DAY)
    assert not SystemMail.objects.filter(key=replaced).exists()
    system_mail.warn_of_keys(now=at)
    browser.post(f"/portal/keys/{revoked.pk}/revoke/")
    system_mail.send_due(by=SYSTEM, clock=lambda: at)
    assert not mail_server.accepted
