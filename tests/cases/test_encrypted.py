"""Mail to a contact with a key: its reader alone reads it, and it is never sent in clear instead."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.policy import SMTP

import pysequoia
import pytest
from django.utils import timezone

from cases.models import Attempt, Dispatch, Notice
from cases.services import outgoing
from cases.services.sending import deliver_due
from providers import services
from providers.models import Contact, ContactKey
from tests.conftest import FixedResolver
from tests.factories import NOON, SYSTEM, ContactFactory, NetworkFactory, NoticeFactory, ProviderFactory
from tests.mailserver import LATER, MailServer
from tests.providers.test_openpgp import pair

URL = "https://forum.example/gallery/secret-picture.jpg"
ABUSE = "abuse@alfa.example"


@pytest.fixture
def contact(db: None) -> Contact:
    """A desk that reads CSV files, and has given us its key."""
    NetworkFactory()
    made = ContactFactory(provider=ProviderFactory(language="en"), approved=True, mode="attachment")
    use(made)
    return made


@pytest.fixture
def send(static_resolver: FixedResolver) -> Callable[..., int]:
    return lambda at=NOON: deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: at)


def use(contact: Contact, days: int = 0) -> ContactKey:
    """Somebody brings the key, somebody approves it."""
    key = services.add_key(contact_id=contact.pk, text=pair(days=days)[1], by=SYSTEM, now=timezone.now())
    return services.approve_key(contact_id=contact.pk, key_id=key.pk, by=SYSTEM, now=timezone.now())


def decrypted(outer: EmailMessage) -> EmailMessage:
    """What a mail program of RFC 3156 makes of it."""
    assert outer.get_content_type() == "multipart/encrypted"
    assert outer.get_param("protocol") == "application/pgp-encrypted"
    version, data = outer.iter_parts()
    assert version.get_content_type() == "application/pgp-encrypted"
    assert version.get_content().strip() == b"Version: 1"
    assert data.get_content_type() == "application/octet-stream"
    opened = pysequoia.decrypt(data.get_content(), decryptor=pair()[0].decryptor()).bytes
    assert opened is not None
    inner = message_from_bytes(opened, policy=policy.default)
    assert isinstance(inner, EmailMessage)
    return inner


def test_all_that_a_message_says_is_inside_and_the_outside_says_nothing(
    contact: Contact, mail_server: MailServer, send: Callable[..., int]
) -> None:
    notice = NoticeFactory(routed=True, contact=contact, provider=contact.provider, content__url=URL)
    send()

    (received,) = mail_server.accepted
    outer = received.message
    dispatch = Dispatch.objects.get()
    assert outer["Subject"] == f"[{dispatch.number}] Encrypted message"
    assert (outer["Message-ID"], outer["X-Takedown-Dispatch"]) == (dispatch.message_id, dispatch.number)
    assert outer["To"] == ABUSE
    for word in (b"forum", b"secret", notice.reference.encode(), b"illegal"):
        assert word not in received.raw

    inner = decrypted(outer)
    assert inner["Subject"] == f"[{dispatch.number}] Notice: illegal content on your network (24h)"
    assert inner.get_param("protected-headers") == "v1"
    body = inner.get_body(("plain",))
    assert body is not None
    assert notice.reference in str(body.get_content())
    (file,) = inner.iter_attachments()
    assert URL in str(file.get_content())
    assert Notice.objects.get().state == "notified"


def test_what_was_sent_is_kept_readable_to_us_with_the_digest_of_what_went_over_the_wire(
    contact: Contact, mail_server: MailServer, send: Callable[..., int]
) -> None:
    NoticeFactory(routed=True, contact=contact, provider=contact.provider, content__url=URL)
    send()

    attempt = Attempt.objects.get()
    assert URL.encode() not in bytes(attempt.copy_sealed or b"")
    kept = message_from_bytes(attempt.copy.encode(), policy=policy.default)
    assert isinstance(kept, EmailMessage)
    (file,) = kept.iter_attachments()
    assert URL in str(file.get_content())
    assert bytes(attempt.copy_digest or b"") == hashlib.sha256(attempt.copy.encode()).digest()
    wire = mail_server.accepted[0].raw
    assert bytes(attempt.wire_digest or b"") == hashlib.sha256(_as_sent(wire)).digest()
    assert attempt.encrypted_for == ContactKey.objects.get().fingerprint


def test_without_a_key_both_digests_are_of_the_one_message(
    mail_server: MailServer, send: Callable[..., int], db: None
) -> None:
    NetworkFactory()
    NoticeFactory(routed=True, content__url=URL)
    send()

    attempt = Attempt.objects.get()
    assert attempt.copy_digest == attempt.wire_digest
    assert bytes(attempt.wire_digest or b"") == hashlib.sha256(_as_sent(mail_server.accepted[0].raw)).digest()
    assert attempt.encrypted_for == ""


def _as_sent(raw: bytes) -> bytes:
    """The server adds a line of its own about our address, and nothing else."""
    return b"\r\n".join(line for line in raw.split(b"\r\n") if not line.startswith(b"X-Peer:"))


def test_a_key_that_has_expired_parks_the_message_and_nothing_goes_out_in_clear(
    contact: Contact, mail_server: MailServer, send: Callable[..., int]
) -> None:
    used = ContactKey.objects.get()
    ContactKey.objects.update(retired_at=NOON, retired_by="user:1")
    key = use(contact, days=10)
    assert key.expires_at is not None
    after = key.expires_at + timedelta(seconds=1)
    notice = NoticeFactory(
        routed=True, contact=contact, provider=contact.provider, content__url=URL, received_at=after - timedelta(hours=3),
        assessed_at=after - timedelta(hours=2), routed_at=after - timedelta(hours=1),
    )  # fmt: skip
    send(after)

    parked = Dispatch.objects.get()
    assert (parked.state, parked.trouble, parked.failures) == ("parked", "key", 0)
    assert "expired" in parked.trouble_answer
    assert mail_server.received == []
    assert Notice.objects.get(pk=notice.pk).sent_at is None

    services.retire_key(contact_id=contact.pk, key_id=key.pk, by=SYSTEM, now=after)
    ContactKey.objects.filter(pk=used.pk).update(retired_at=None, retired_by="")
    outgoing.retry(dispatch_id=parked.pk, by=SYSTEM, now=after)
    send(after)
    assert Dispatch.objects.get().state == "accepted"
    assert mail_server.accepted[0].message.get_content_type() == "multipart/encrypted"


def test_a_key_that_nobody_approved_encrypts_nothing(
    mail_server: MailServer, send: Callable[..., int], db: None
) -> None:
    NetworkFactory()
    contact = ContactFactory(approved=True)
    services.add_key(contact_id=contact.pk, text=pair()[1], by=SYSTEM, now=timezone.now())
    NoticeFactory(routed=True, contact=contact)
    send()

    assert mail_server.accepted[0].message.get_content_type() == "text/plain"


def test_each_copy_on_the_wire_has_the_one_message_id(
    contact: Contact, mail_server: MailServer, send: Callable[..., int]
) -> None:
    NoticeFactory(routed=True, contact=contact, provider=contact.provider)
    mail_server.behave(ABUSE, LATER, "accept")
    send()
    send(NOON + timedelta(minutes=5))

    assert set(mail_server.copies()) == {Dispatch.objects.get().message_id}
    assert decrypted(mail_server.accepted[0].message).as_bytes(policy=SMTP)
