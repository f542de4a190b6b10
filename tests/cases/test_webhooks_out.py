"""A message to a webhook: one notice, one id, one honest place."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from cases.models import Attempt, Dispatch, Notice
from cases.services import outgoing
from cases.services.enqueue import enqueue
from cases.services.sending import deliver_due
from providers import services
from providers.channels import CHANNELS
from providers.channels.result import Call
from providers.channels.webhook import signed
from providers.models import Contact
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    NetworkFactory,
    NoticeFactory,
    ProviderFactory,
    StepFactory,
)
from tests.hostile import Site, says, secured
from tests.mailserver import MailServer
from tests.providers.test_webhook import channel, headers

HOUR = timedelta(hours=1)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Their endpoint, which the worker may reach; 202 unless told otherwise."""
    with Site({"/hook": says(202, b"queued")}) as made:
        made.greets = secured
        monkeypatch.setitem(CHANNELS, "webhook", contextmanager(lambda: iter([channel(made)])))
        yield made


@pytest.fixture
def contact(site: Site, db: None) -> Contact:
    """An approved endpoint."""
    NetworkFactory()
    return ContactFactory(
        provider=ProviderFactory(language="en"),
        channel="webhook",
        mode="api",
        address=site.url("/hook", scheme="https"),
        approved=True,
    )


@pytest.fixture
def secret(contact: Contact) -> str:
    return services.mint_secret(contact_id=contact.pk, by=SYSTEM, now=NOON)


@pytest.fixture
def send(static_resolver: FixedResolver) -> Callable[..., int]:
    return lambda at=NOON: deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: at)


def first(contact: Contact, **fields: Any) -> Notice:
    made: Notice = NoticeFactory(
        routed=True, contact=contact, content__url="https://forum.example/gallery/secret.jpg", **fields
    )
    return made


def test_their_2xx_starts_the_clock_and_is_not_estimated(
    contact: Contact, secret: str, site: Site, send: Callable[..., int], host: Callable[..., None]
) -> None:
    host(relay_is_final_hop=False)
    notice = first(contact)
    send()

    told, sent = Notice.objects.get(), Dispatch.objects.get()
    assert (told.state, told.notified_at, told.notified_estimated) == ("notified", NOON, False)
    assert (sent.state, sent.evidence, sent.accepted_at) == ("accepted", "HTTP 202 queued", NOON)
    assert json.loads(site.bodies[0]) == {
        "type": "notice.created",
        "timestamp": f"{sent.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "data": {"reference": notice.reference, "due_at": None, "term_hours": 24.0},
    }
    assert b"forum" not in site.bodies[0]
    assert sent.subject == "notice.created"
    assert sent.body.encode() == site.bodies[0] == Attempt.objects.get().copy.encode()
    assert Contact.objects.get().known_since is not None


def test_each_attempt_has_the_one_id_and_the_very_same_body(
    contact: Contact, secret: str, site: Site, send: Callable[..., int]
) -> None:
    first(contact)
    site.behaviours["/hook"] = says(500, b"oops")
    send()
    waiting = Dispatch.objects.get()
    assert (waiting.state, waiting.failures, waiting.trouble_answer) == ("pending", 1, "HTTP 500 oops")
    assert waiting.next_attempt_at is not None
    site.behaviours["/hook"] = says(200)
    send(waiting.next_attempt_at)

    assert Dispatch.objects.get().state == "accepted"
    ids = {
        line.split(": ")[1]
        for head in site.heads
        for line in head.split("\r\n")
        if line.startswith("webhook-id")
    }
    assert len(ids) == 1
    assert len(site.bodies) == 2
    assert site.bodies[0] == site.bodies[1]


def test_they_say_when_to_come_back(
    contact: Contact, secret: str, site: Site, send: Callable[..., int]
) -> None:
    first(contact)
    site.behaviours["/hook"] = says(429, Retry_After="900")
    send()

    waiting = Dispatch.objects.get()
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at - NOON >= timedelta(seconds=900)
    assert Notice.objects.get().notified_at is None


def test_an_endpoint_that_is_gone_is_suspended_and_another_contact_is_told(
    contact: Contact, secret: str, site: Site, send: Callable[..., int], mail_server: MailServer
) -> None:
    ContactFactory(provider=contact.provider, approved=True, address="abuse@alfa.example")
    notice = first(contact)
    site.behaviours["/hook"] = says(410)
    send()
    send(NOON + HOUR)

    gone = Contact.objects.get(pk=contact.pk)
    assert (gone.usable, gone.suspended_reason) == (False, "HTTP 410")
    assert len(site.bodies) == 1
    assert [each.recipient for each in mail_server.accepted] == ["abuse@alfa.example"]
    assert Notice.objects.get(pk=notice.pk).state == "notified"


def test_an_endpoint_that_is_gone_and_was_the_only_one_leaves_the_message_with_a_person(
    contact: Contact, secret: str, site: Site, send: Callable[..., int]
) -> None:
    first(contact)
    site.behaviours["/hook"] = says(410)
    send()
    send(NOON + HOUR)

    assert (Dispatch.objects.get().state, Dispatch.objects.get().trouble) == ("parked", "contact")


def test_a_redirect_is_refused_for_good(
    contact: Contact, secret: str, site: Site, send: Callable[..., int]
) -> None:
    first(contact)
    site.behaviours["/hook"] = says(302, Location="https://127.0.0.1/")
    send()

    assert (Dispatch.objects.get().state, Dispatch.objects.get().trouble) == ("parked", "refused")
    assert site.asked() == ["/hook"]


def test_without_a_secret_nothing_is_sent_until_somebody_mints_one(
    contact: Contact, site: Site, send: Callable[..., int]
) -> None:
    first(contact)
    send()
    parked = Dispatch.objects.get()
    assert (parked.state, parked.trouble) == ("parked", "key")
    assert site.bodies == []

    minted = services.mint_secret(contact_id=contact.pk, by=SYSTEM, now=NOON)
    outgoing.retry(dispatch_id=parked.pk, by=SYSTEM, now=NOON)
    send()
    assert Dispatch.objects.get().state == "accepted"
    assert headers(site)["webhook-signature"].count("v1,") == 1
    call = Call("msg_1", NOON, b"{}", (minted,))
    assert signed(call)["webhook-signature"].startswith("v1,")


def test_a_reminder_says_when_the_term_ended(
    contact: Contact, secret: str, site: Site, send: Callable[..., int]
) -> None:
    notice = first(contact, escalated=True, notified_at=NOON - 24 * HOUR, last_seen_online_at=NOON - HOUR)
    StepFactory(notice=notice, code="reminder-2")
    DispatchFactory(contact=contact, reminder=True, round=2, lines_of=[notice])
    send()

    assert json.loads(site.bodies[0])["type"] == "notice.reminder"
    assert json.loads(site.bodies[0])["data"] == {
        "reference": notice.reference,
        "due_at": "2026-11-24T12:00:00Z",
    }


def test_many_notices_are_as_many_messages_each_accepted_by_itself(
    contact: Contact, secret: str, site: Site
) -> None:
    notices = [NoticeFactory(attributed=True, assessed=True, provider=contact.provider) for _ in range(3)]
    filled = enqueue(contact_id=contact.pk, notices=notices, kind="first", round_=1, by=SYSTEM, now=NOON)

    assert [dispatch.lines.count() for dispatch in filled] == [1, 1, 1]
    assert len({dispatch.message_id for dispatch in filled}) == 3


def test_in_a_dry_run_no_webhook_is_called_and_the_mail_shows_what_would_go(
    contact: Contact,
    secret: str,
    site: Site,
    send: Callable[..., int],
    mail_server: MailServer,
    host: Callable[..., None],
) -> None:
    from django.conf import settings

    host(dry_run_address="tester@hotline.example", mail=settings.HOST.mail, relay_is_final_hop=True)
    notice = first(contact)
    send()

    assert site.connections == 0
    (received,) = mail_server.accepted
    assert received.recipient == "tester@hotline.example"
    assert notice.reference in received.text
