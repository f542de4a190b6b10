"""A provider's endpoints in the portal: the log of calls, a test, a new secret, a call once more."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from audit.models import Event
from cases.models import Delivery, Dispatch, Notice, Pace
from cases.services.sending import deliver_due
from cases.services.sending.deliveries import forget_old
from providers import services
from providers.channels import CHANNELS
from providers.models import Contact, Provider
from tests.conftest import FixedResolver
from tests.factories import SYSTEM, ContactFactory, NetworkFactory, NoticeFactory, UserFactory
from tests.hostile import Site, says, secured
from tests.portal.test_notice import words
from tests.providers.test_webhook import channel, headers

PAGE = "/portal/webhooks/"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Their endpoint, which we may reach; 202 unless told otherwise."""
    with Site({"/hook": says(202, b"queued")}) as made:
        made.greets = secured
        monkeypatch.setitem(CHANNELS, "webhook", contextmanager(lambda: iter([channel(made)])))
        yield made


@pytest.fixture
def endpoint(site: Site, alfa: Provider) -> Contact:
    """An approved endpoint of alfa."""
    NetworkFactory()
    return ContactFactory(
        provider=alfa, channel="webhook", mode="api", address=site.url("/hook", scheme="https"), approved=True
    )


@pytest.fixture
def secret(endpoint: Contact) -> str:
    return services.mint_secret(contact_id=endpoint.pk, by=SYSTEM, now=timezone.now())


@pytest.fixture
def send(static_resolver: FixedResolver) -> Callable[[], int]:
    return lambda: deliver_due(resolver=static_resolver, by=SYSTEM, clock=timezone.now)


@pytest.fixture
def admin(alfa: Provider) -> Client:
    client = Client()
    client.force_login(UserFactory(provider_admin=True, provider=alfa, name="Ada"))
    return client


def first(endpoint: Contact, **fields: Any) -> Notice:
    at = timezone.now() - timedelta(hours=1)
    made: Notice = NoticeFactory(
        routed=True,
        contact=endpoint,
        provider=endpoint.provider,
        received_at=at,
        assessed_at=at,
        routed_at=at,
        **fields,
    )
    Dispatch.objects.filter(lines__notice=made).update(next_attempt_at=at)
    return made


def due_now() -> None:
    """What waits after a failure is due, and their server has rested."""
    Dispatch.objects.update(next_attempt_at=timezone.now())
    Pace.objects.all().delete()


def heads(site: Site) -> list[dict[str, str]]:
    return [dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line) for head in site.heads]


def test_each_call_stands_in_the_log_with_what_came_of_it(
    portal: Client, endpoint: Contact, secret: str, site: Site, send: Callable[[], int]
) -> None:
    notice = first(endpoint, content__url="https://forum.example/secret-path.jpg")
    site.behaviours["/hook"] = says(500, b"out of order")
    send()
    page = portal.get(PAGE).content.decode()
    row = Delivery.objects.get()
    assert (row.accepted, row.http_status, row.answer) == (False, 500, "HTTP 500 out of order")
    assert row.webhook_id == heads(site)[0]["webhook-id"]
    assert row.took_ms is not None
    said = words(page.encode())
    assert "notice.created" in said
    assert "HTTP 500" in said
    assert "not accepted: tried again" in said
    assert row.webhook_id in said
    assert "secret-path" not in page
    assert notice.reference not in page, "the body is not in the log"

    site.behaviours["/hook"] = says(202)
    due_now()
    send()
    assert [each.accepted for each in Delivery.objects.all()] == [True, False]
    assert len({each.webhook_id for each in Delivery.objects.all()}) == 1
    assert "not accepted: tried again" not in words(portal.get(PAGE).content)


def test_a_call_whose_end_nobody_wrote_down_may_have_arrived(
    portal: Client, endpoint: Contact, secret: str, send: Callable[[], int]
) -> None:
    first(endpoint)
    send()
    Delivery.objects.update(accepted=None, http_status=None)
    assert "it may have arrived" in words(portal.get(PAGE).content)


def test_a_call_once_more_is_the_same_with_a_new_signature_and_moves_no_clock(
    admin: Client, endpoint: Contact, secret: str, site: Site, send: Callable[[], int]
) -> None:
    notice = first(endpoint)
    send()
    clock = Notice.objects.values("notified_at", "due_at", "version", "state").get(pk=notice.pk)
    message = Dispatch.objects.values().get()
    site.behaviours["/hook"] = says(202, b"again")
    answer = admin.post(f"{PAGE}deliveries/{Delivery.objects.get().pk}/replay/", follow=True)

    assert "Your server accepted it: HTTP 202 again" in words(answer.content)
    assert site.bodies[0] == site.bodies[1]
    one, two = heads(site)
    assert one["webhook-id"] == two["webhook-id"]
    assert Webhook(secret).verify(site.bodies[1], headers(site))
    assert Notice.objects.values("notified_at", "due_at", "version", "state").get(pk=notice.pk) == clock
    assert Dispatch.objects.values().get() == message
    assert Event.objects.filter(act="replay", subject="dispatch", subject_id=message["id"]).count() == 1
    assert {"sent", "replay"} == {each.kind for each in Delivery.objects.all()}
    assert "replayed, Ada" in words(answer.content)


def test_what_was_not_accepted_cannot_be_called_once_more(
    admin: Client, endpoint: Contact, secret: str, site: Site, send: Callable[[], int]
) -> None:
    first(endpoint)
    site.behaviours["/hook"] = says(500)
    send()
    answer = admin.post(f"{PAGE}deliveries/{Delivery.objects.get().pk}/replay/", follow=True)
    assert "it is tried again by itself" in words(answer.content)
    site.behaviours["/hook"] = says(202)
    due_now()
    send()
    Contact.objects.update(suspended_at=timezone.now(), suspended_reason="said Noor")
    answer = admin.post(f"{PAGE}deliveries/{Delivery.objects.first().pk}/replay/", follow=True)
    assert "Nothing goes to this endpoint now" in words(answer.content)
    assert "Noor" not in answer.content.decode()
    assert len(site.bodies) == 2


def test_a_test_is_signed_logged_and_about_no_notice(
    admin: Client, endpoint: Contact, secret: str, site: Site
) -> None:
    site.behaviours["/hook"] = says(404, b"no such hook")
    answer = admin.post(f"{PAGE}{endpoint.pk}/test/", follow=True)
    assert "Your server did not accept it: HTTP 404 no such hook" in words(answer.content)
    assert Webhook(secret).verify(site.bodies[0], headers(site))["data"] == {}
    row = Delivery.objects.get()
    assert (row.kind, row.type, row.http_status, row.dispatch) == ("test", "endpoint.test", 404, None)
    answer = admin.post(f"{PAGE}deliveries/{row.pk}/replay/", follow=True)
    assert "A test is not replayed" in words(answer.content)


def test_tests_and_calls_once_more_have_a_rate(
    admin: Client, endpoint: Contact, secret: str, site: Site, settings: Any
) -> None:
    settings.RATES = {**settings.RATES, "call": {"tenant": (2, timedelta(hours=1))}}
    for _time in range(3):
        answer = admin.post(f"{PAGE}{endpoint.pk}/test/", follow=True)
    assert "too many requests" in words(answer.content)
    assert len(site.bodies) == 2


def test_a_new_secret_is_shown_once_and_the_one_before_signs_beside_it(
    admin: Client, endpoint: Contact, secret: str, site: Site
) -> None:
    page = admin.post(f"{PAGE}{endpoint.pk}/secret/").content.decode()
    (minted,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    again = admin.get(PAGE).content.decode()
    assert "whsec_" not in again
    assert "the one before signs until" in words(again.encode())
    admin.post(f"{PAGE}{endpoint.pk}/test/")
    for each in (secret, minted):
        assert Webhook(each).verify(site.bodies[0], headers(site))


def test_members_see_and_admins_change(portal: Client, endpoint: Contact, secret: str) -> None:
    page = portal.get(PAGE).content.decode()
    assert "Send a test" not in page
    assert "Make a new secret" not in page
    for path in (f"{endpoint.pk}/test/", f"{endpoint.pk}/secret/", "deliveries/1/replay/"):
        assert portal.post(f"{PAGE}{path}").status_code == 403


def test_another_providers_endpoint_and_calls_do_not_exist(
    admin: Client, endpoint: Contact, secret: str, beta: Provider, send: Callable[[], int], site: Site
) -> None:
    first(endpoint)
    send()
    row = Delivery.objects.get()
    stranger = Client()
    stranger.force_login(UserFactory(provider_admin=True, provider=beta))
    page = stranger.get(f"{PAGE}?endpoint={endpoint.pk}").content.decode()
    assert endpoint.address not in page
    assert row.webhook_id not in page
    mine = ContactFactory(provider=beta, address="mail@beta.example")
    missing = [stranger.post(f"{PAGE}{pk}/{act}/") for pk in (999_999, 10**17) for act in ("test", "secret")]
    foreign = [
        stranger.post(f"{PAGE}{pk}/{act}/") for pk in (endpoint.pk, mine.pk) for act in ("test", "secret")
    ]
    replays = [stranger.post(f"{PAGE}deliveries/{pk}/replay/") for pk in (row.pk, 999_999)]
    assert {answer.status_code for answer in (*missing, *foreign, *replays)} == {404}
    assert (
        len({re.sub(rb'value="[^"]{64}"', b"", answer.content) for answer in (*missing, *foreign, *replays)})
        == 1
    )
    assert stranger.post(f"{PAGE}{'9' * 19}/test/").status_code == 404
    assert Delivery.objects.count() == len(site.bodies) == 1


def test_the_log_is_read_in_pages_and_forgotten_after_30_days(portal: Client, endpoint: Contact) -> None:
    now = timezone.now()
    Delivery.objects.bulk_create(
        Delivery(
            provider=endpoint.provider,
            contact=endpoint,
            kind="test",
            type="endpoint.test",
            webhook_id=f"msg_{number}",
            started_at=now - timedelta(hours=number * 12),
            accepted=bool(number % 2),
        )
        for number in range(120)
    )
    seen: list[str] = []
    address = PAGE
    for _page in range(3):
        page = portal.get(address).content.decode()
        seen += re.findall(r'webhook-id">(msg_\d+)<', page)
        following = re.search(r'href="(\?[^"]*after=[^"]*)"', page)
        address = PAGE + following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"msg_{number}" for number in range(120)]
    failed = re.findall(r'webhook-id">(msg_\d+)<', portal.get(f"{PAGE}?outcome=failed").content.decode())
    assert failed == [f"msg_{number}" for number in range(0, 100, 2)]
    forget_old(now=now)
    assert Delivery.objects.count() == 61
