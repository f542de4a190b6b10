"""Signed webhooks: what a provider's server gets, and what its answers mean."""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from providers import services
from providers.channels import CHANNELS, webhook
from providers.channels.result import Accepted, Call, Failed
from providers.channels.webhook import WebhookChannel, signed
from providers.fetch import Fetcher
from providers.models import Contact, ContactSecret
from providers.services import Unfit
from tests.factories import SYSTEM, ContactFactory, ProviderFactory
from tests.hostile import CERTIFICATE, Behaviour, Site, drips, floods, says, secured

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type":"notice.created","timestamp":"2026-11-24T12:00:00Z","data":{"reference":"N-0123456789","due_at":null}}'


@pytest.fixture
def site() -> Iterator[Site]:
    """Their endpoint, over TLS on loopback."""
    with Site() as made:
        made.greets = secured
        yield made


def channel(site: Site) -> WebhookChannel:
    tls = ssl.create_default_context(cafile=str(CERTIFICATE))
    return WebhookChannel(
        Fetcher(resolve=lambda _host: ["127.0.0.1"], also={("site.test", site.port)}, tls=tls)
    )


def call(*secrets: str, at: datetime | None = None) -> Call:
    return Call("msg_0123", at or datetime.now(UTC), BODY, secrets or (SECRET,))


def give(site: Site, behaviour: Behaviour, **said: Any) -> Accepted | Failed:
    site.behaviours["/hook"] = behaviour
    return channel(site).hand_over(call(**said), sender="", recipient=site.url("/hook", scheme="https"))


def headers(site: Site) -> dict[str, str]:
    lines = site.heads[-1].split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def test_the_reference_library_verifies_what_their_server_received(site: Site) -> None:
    assert give(site, says(202, b"queued")) == Accepted("HTTP 202 queued", theirs=True)

    assert Webhook(SECRET).verify(site.bodies[0], headers(site)) == json.loads(BODY)
    assert headers(site)["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(site.bodies[0].replace(b"N-0", b"N-1"), headers(site))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(site.bodies[0], headers(site))


def test_an_answer_is_kept_without_the_addresses_in_it(site: Site) -> None:
    assert give(site, says(400, b"no: https://bad.example/a.jpg is known")) == Failed(
        "HTTP 400 no: … is known", permanent=False
    )


def test_while_one_secret_follows_another_both_verify(site: Site) -> None:
    other = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
    site.behaviours["/hook"] = says(200)
    channel(site).hand_over(call(other, SECRET), sender="", recipient=site.url("/hook", scheme="https"))

    assert headers(site)["webhook-signature"].count("v1,") == 2
    for secret in (SECRET, other):
        assert Webhook(secret).verify(site.bodies[0], headers(site))


def test_the_signature_is_that_of_the_specification() -> None:
    at = datetime(2026, 11, 24, 13, 0, 0, 900_000, tzinfo=UTC).astimezone()
    said = signed(call(at=at))

    assert said["webhook-id"] == "msg_0123"
    assert said["webhook-timestamp"] == str(int(at.timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed_text = f"msg_0123.{said['webhook-timestamp']}.".encode() + BODY
    assert (
        said["webhook-signature"]
        == f"v1,{base64.b64encode(hmac.digest(key, signed_text, hashlib.sha256)).decode()}"
    )


@pytest.mark.parametrize(
    ("behaviour", "permanent", "wait", "gone"),
    [
        (says(500), False, None, False),
        (says(400), False, None, False),
        (says(404), False, None, False),
        (says(302, Location="https://site.test/elsewhere"), True, None, False),
        (says(410), True, None, True),
        (says(429, Retry_After="120"), False, timedelta(seconds=120), False),
        (says(503, Retry_After="0"), False, timedelta(0), False),
        (says(429, Retry_After="soon"), False, None, False),
        (says(429), False, None, False),
        (says(500, Retry_After="120"), False, None, False),
    ],
    ids=[
        "500",
        "400",
        "404",
        "redirect",
        "410",
        "429",
        "503",
        "429 with words",
        "429 alone",
        "500 with a wish",
    ],
)
def test_what_their_answers_mean(
    site: Site, behaviour: Behaviour, permanent: bool, wait: timedelta | None, gone: bool
) -> None:
    result = give(site, behaviour)

    assert isinstance(result, Failed)
    assert (result.permanent, result.wait, result.gone, result.ours) == (permanent, wait, gone, False)
    assert site.asked() == ["/hook"], "nothing is followed"


def test_a_date_to_wait_for_counts_from_now_and_one_that_has_passed_does_not() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert webhook._wait("Tue, 24 Nov 2026 12:10:00 GMT", now=now) == timedelta(minutes=10)
    assert webhook._wait("Tue, 24 Nov 2026 11:10:00 GMT", now=now) is None


@pytest.mark.parametrize(
    "behaviour",
    [
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        floods(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536),
    ],
    ids=["trickle", "endless body"],
)
def test_the_status_decides_however_the_body_goes_on(
    site: Site, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "WITHIN", timedelta(seconds=0.5))
    assert isinstance(give(site, behaviour), Accepted)


def test_a_server_that_says_nothing_is_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "WITHIN", timedelta(seconds=0.3))
    result = give(site, lambda _connection, made: made.closing.wait(5))  # type: ignore[arg-type]
    assert result == Failed("No answer: it took too long.", permanent=False)


def test_an_endpoint_inside_our_own_network_is_never_asked(site: Site) -> None:
    result = WebhookChannel(Fetcher()).hand_over(
        call(), sender="", recipient=f"https://127.0.0.1:{site.port}/hook"
    )
    assert isinstance(result, Failed)
    assert result.permanent
    assert site.connections == 0


def test_a_secret_is_not_shown_where_a_call_is_printed() -> None:
    assert SECRET not in repr(call())


# -- the secret, and trying it ------------------------------------------------------------------------------


@pytest.fixture
def contact(db: None) -> Contact:
    return ContactFactory(
        provider=ProviderFactory(),
        channel="webhook",
        mode="api",
        address="https://hooks.alfa.example/ntd",
        approved=True,
    )


def test_a_secret_is_told_once_sealed_and_followed_by_another(contact: Contact) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    mint = lambda at: services.mint_secret(contact_id=contact.pk, by=SYSTEM, now=at)  # noqa: E731
    first, second = mint(now), mint(now + timedelta(hours=1))

    assert first.startswith("whsec_")
    assert first.encode() not in bytes(ContactSecret.objects.order_by("created_at")[0].secret_sealed)
    signing = lambda at: [each.secret for each in contact.secrets.signing(now=at)]  # noqa: E731
    assert signing(now + timedelta(hours=2)) == [second, first]
    assert signing(now + timedelta(hours=25)) == [second]

    third = mint(now + timedelta(hours=3))
    assert signing(now + timedelta(hours=4)) == [third, second], "never more than two"


def test_only_a_webhook_has_a_secret(db: None) -> None:
    contact = ContactFactory()
    with pytest.raises(Unfit):
        services.mint_secret(contact_id=contact.pk, by=SYSTEM, now=datetime.now(UTC))


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.alfa.example/", "https://127.0.0.1/", "https://10.0.0.7/x",
        "https://hooks.alfa.example:8080/", "https://u:p@hooks.alfa.example/", "https://[::1]/",
    ],
)  # fmt: skip
def test_an_endpoint_that_is_not_public_is_refused_when_it_is_added(db: None, address: str) -> None:
    with pytest.raises(Unfit):
        services.add_contact(
            provider_id=ProviderFactory().pk,
            channel="webhook",
            address=address,
            mode="api",
            by=SYSTEM,
            now=datetime.now(UTC),
        )


def test_a_webhook_carries_references_only(db: None) -> None:
    with pytest.raises(Unfit, match="references"):
        services.add_contact(
            provider_id=ProviderFactory().pk,
            channel="webhook",
            address="https://hooks.alfa.example/",
            mode="attachment",
            formats="csv",
            by=SYSTEM,
            now=datetime.now(UTC),
        )


def test_a_test_says_in_words_what_their_server_said(
    contact: Contact, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHANNELS, "webhook", contextmanager(lambda: iter([channel(site)])))
    Contact.objects.update(address=site.url("/hook", scheme="https"))
    try_it: Callable[[], str] = lambda: services.try_webhook(  # noqa: E731
        contact_id=contact.pk, by=SYSTEM, now=datetime.now(UTC)
    )
    with pytest.raises(Unfit, match="Mint a secret first"):
        try_it()

    secret = services.mint_secret(contact_id=contact.pk, by=SYSTEM, now=datetime.now(UTC))
    site.behaviours["/hook"] = says(204)
    assert try_it() == "HTTP 204"
    assert Webhook(secret).verify(site.bodies[-1], headers(site))["type"] == "endpoint.test"

    site.behaviours["/hook"] = says(500, b"oops")
    with pytest.raises(Unfit, match="HTTP 500 oops"):
        try_it()
