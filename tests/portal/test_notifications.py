"""What people of a provider are told by mail beside the notices: what they asked for, once, and nothing more."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey, User
from audit.models import Event
from cases.models import Dispatch, MailChoice, Message, Notice, SystemMail
from cases.services import news, system_mail
from providers.models import Contact, Provider
from tests.factories import HOUR, NOON, SYSTEM, ContactFactory, NoticeFactory, UserFactory, api_key
from tests.mailserver import MailServer
from tests.portal.test_notice import words

PAGE = "/portal/notifications/"
ALL = list(MailChoice.Kind.values)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def admin(alfa: Provider) -> User:
    return UserFactory(provider_admin=True, provider=alfa, name="Ada")


def choose(user: User, *kinds: str, language: str = "en") -> int:
    client = Client()
    client.force_login(user)
    return client.post(PAGE, {"kinds": kinds, "language": language}).status_code


def listens(reader: User | Contact, *kinds: str, since: datetime = NOON) -> MailChoice:
    """A choice as of `since`."""
    name = "user" if isinstance(reader, User) else "contact"
    return MailChoice.objects.create(**{name: reader}, kinds=list(kinds), told_at=since, week_told_at=since)


def told() -> list[dict[str, int]]:
    return [mail.facts or {} for mail in SystemMail.objects.order_by("pk")]


def test_news_of_an_hour_come_in_one_mail_and_once(
    contact: User, alfa: Provider, mail_server: MailServer
) -> None:
    listens(contact, "notices", "claims")
    for minutes in (5, 10):
        NoticeFactory(notified=True, provider=alfa, notified_at=NOON + minutes * MINUTE)
    NoticeFactory(
        removed=True, provider=alfa, notified_at=NOON - 20 * HOUR, claimed_removed_at=NOON - HOUR,
        gone_since=NOON, removed_at=NOON + 20 * MINUTE, content__url="https://forum.example/secret-path.jpg",
    )  # fmt: skip
    assert news.tell_due(now=NOON + 59 * MINUTE) == 0
    assert news.tell_due(now=NOON + HOUR) == 1
    assert told() == [{"notices": 2, "confirmed": 1}]
    assert news.tell_due(now=NOON + 2 * HOUR) == 0, "nothing new"

    system_mail.send_due(by=SYSTEM, clock=timezone.now)
    (received,) = mail_server.received
    assert received.recipient == contact.email
    assert "- 2 new notices" in received.text
    assert "- 1 removal that you told us of is confirmed" in received.text
    assert "/portal/notifications/" in received.text
    assert received.message["Auto-Submitted"] == "auto-generated"
    assert not Event.objects.filter(subject="key").exists(), "it is about no key"
    assert "forum" not in received.text
    assert not any(
        reference in received.text for reference in Notice.objects.values_list("reference", flat=True)
    )


def test_only_what_was_asked_for_is_told(contact: User, admin: User, alfa: Provider) -> None:
    listens(contact, "overdue")
    listens(admin)
    NoticeFactory(notified=True, provider=alfa, notified_at=NOON + MINUTE)
    NoticeFactory(notified=True, provider=alfa, notified_at=NOON - 24 * HOUR + MINUTE)
    news.tell_due(now=NOON + HOUR)
    assert told() == [{"overdue": 1}]


@pytest.mark.parametrize(
    ("kind", "fact", "trait", "fields"),
    [
        ("claims", "contradicted", "notified",
         {"claimed_removed_at": NOON - HOUR, "last_seen_online_at": NOON + MINUTE}),
        ("disputes", "upheld", "withdrawn", {"closed_at": NOON + MINUTE}),
        ("disputes", "rejected", "escalated", {"objection_rejected_at": NOON + MINUTE}),
    ],
)  # fmt: skip
def test_checks_and_decisions_are_told(
    contact: User, alfa: Provider, kind: str, fact: str, trait: str, fields: dict[str, Any]
) -> None:
    listens(contact, kind)
    NoticeFactory(**{trait: True}, provider=alfa, notified_at=NOON - 5 * HOUR, **fields)
    news.tell_due(now=NOON + HOUR)
    assert told() == [{fact: 1}]


def test_a_message_that_waits_is_told(contact: User, alfa: Provider) -> None:
    listens(contact, "messages")
    notice = NoticeFactory(notified=True, provider=alfa, notified_at=NOON - HOUR)
    for side, read_at in (("hotline", None), ("hotline", NOON + 2 * MINUTE), ("provider", None)):
        Message.objects.create(
            notice=notice, side=side, at=NOON + MINUTE, by="user:1", token=uuid.uuid4(), read_at=read_at,
            read_by="user:2" if read_at else "",
        )  # fmt: skip
    news.tell_due(now=NOON + HOUR)
    assert told() == [{"messages": 1}]


def test_keys_that_end_and_contacts_that_came_back_are_told_once(admin: User, alfa: Provider) -> None:
    listens(admin, "expiring", "contacts")
    api_key(provider=alfa)
    ApiKey.objects.update(expires_at=NOON + 14 * 24 * HOUR + 30 * MINUTE)
    ContactFactory(provider=alfa, suspended=True, suspended_at=NOON + MINUTE)
    for hours in (1, 2, 3):
        news.tell_due(now=NOON + hours * HOUR)
    assert told() == [{"expiring": 1, "contacts": 1}]


def test_nothing_of_another_provider_is_told(contact: User, alfa: Provider, beta: Provider) -> None:
    listens(contact, *ALL)
    NoticeFactory(escalated=True, provider=beta, notified_at=NOON - 23 * HOUR)
    NoticeFactory(routed=True, provider=alfa)
    ContactFactory(provider=beta, suspended=True, suspended_at=NOON + MINUTE)
    news.tell_due(now=NOON + HOUR)
    assert told() == []


def test_a_summary_comes_each_monday_morning(contact: User, alfa: Provider) -> None:
    monday = datetime(2026, 11, 30, 7, tzinfo=UTC)  # 08:00 in Amsterdam
    listens(contact, "weekly")
    NoticeFactory(notified=True, provider=alfa, notified_at=NOON, acknowledged_at=NOON + HOUR)
    NoticeFactory(escalated=True, provider=alfa)
    assert news.tell_due(now=monday - MINUTE) == 0
    assert news.tell_due(now=monday + HOUR) == 1
    assert news.tell_due(now=monday + 3 * HOUR) == 0
    assert told() == [{"open": 2, "unanswered": 1, "overdue": 2}]
    assert news.tell_due(now=monday + timedelta(days=7)) == 1


def test_who_has_not_chosen_hears_little_and_nothing_of_before(
    contact: User, admin: User, alfa: Provider
) -> None:
    NoticeFactory(withdrawn=True, provider=alfa, notified_at=NOON - 5 * HOUR)
    news.tell_due(now=NOON)
    assert {choice.user: choice.kinds for choice in MailChoice.objects.all()} == {
        contact: ["disputes", "messages"], admin: ["disputes", "messages", "expiring", "contacts"],
    }  # fmt: skip
    news.tell_due(now=NOON + HOUR)
    assert told() == []


def test_a_leaver_and_a_suspended_contact_get_nothing(
    contact: User, alfa: Provider, mail_server: MailServer
) -> None:
    desk = ContactFactory(provider=alfa, approved=True)
    listens(contact, "notices")
    listens(desk, "notices")
    NoticeFactory(notified=True, provider=alfa, contact=desk, notified_at=NOON + MINUTE)
    news.tell_due(now=NOON + HOUR)
    assert len(told()) == 2
    User.objects.update(is_active=False)
    Contact.objects.update(suspended_at=NOON)
    system_mail.send_due(by=SYSTEM, clock=timezone.now)
    assert not mail_server.received
    NoticeFactory(notified=True, provider=alfa, contact=desk, notified_at=NOON + HOUR + MINUTE)
    news.tell_due(now=NOON + 2 * HOUR)
    assert len(told()) == 2


def test_many_readers_cost_the_statements_of_few(alfa: Provider) -> None:
    spent = []
    for count in (2, 20):
        for number in range(count):
            listens(
                UserFactory(provider_contact=True, provider=alfa, email=f"{count}-{number}@alfa.example"),
                "weekly",
            )
        MailChoice.objects.update(told_at=NOON, week_told_at=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            news.tell_due(now=NOON + HOUR)
        spent.append(len(queries))
    assert spent[0] == spent[1] <= 14


# -- Choosing ------------------------------------------------------------------------------------------


def test_each_chooses_for_themselves_and_in_which_language(contact: User, admin: User) -> None:
    assert choose(contact, "notices", "weekly", language="nl") == 302
    row = MailChoice.objects.get()
    assert (row.user, row.kinds) == (contact, ["notices", "weekly"])
    assert User.objects.get(pk=contact.pk).language == "nl"
    assert choose(contact) == 302
    assert MailChoice.objects.get().kinds == []
    assert choose(contact, "everything") == 422
    assert choose(contact, "notices", language="xx") == 422


def test_no_choice_keeps_a_notice_from_its_contact(contact: User, admin: User, alfa: Provider) -> None:
    desk = ContactFactory(provider=alfa, approved=True)
    page = Client()
    page.force_login(admin)
    assert page.post(f"{PAGE}contacts/{desk.pk}/", {"kinds": []}).status_code == 302
    assert choose(admin) == choose(contact) == 302
    NoticeFactory(routed=True, provider=alfa, contact=desk)
    assert Dispatch.objects.due(now=NOON).filter(contact=desk).exists()
    assert "cannot be switched off" in words(page.get(PAGE).content)


def test_admins_choose_for_own_contacts_only(
    portal: Client, admin: User, alfa: Provider, beta: Provider
) -> None:
    own, theirs = (ContactFactory(provider=each, approved=True) for each in (alfa, beta))
    client = Client()
    client.force_login(admin)
    assert client.post(f"{PAGE}contacts/{own.pk}/", {"kinds": ["weekly"]}).status_code == 302
    assert MailChoice.objects.get(contact=own).kinds == ["weekly"]
    for pk in (theirs.pk, 999_999):
        assert client.post(f"{PAGE}contacts/{pk}/", {"kinds": ["weekly"]}).status_code == 404
    assert theirs.address not in client.get(PAGE).content.decode()
    assert portal.post(f"{PAGE}contacts/{own.pk}/", {"kinds": []}).status_code == 403
