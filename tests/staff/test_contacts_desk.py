"""The desk for contacts: each list shows exactly who needs somebody, and shrinks when that is done."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from cases.models import Notice, SeenTo
from cases.services.see_to import see_to
from providers.models import Contact, ContactHealth
from tests.factories import NOON, SYSTEM, ContactFactory, NoticeFactory, ProviderFactory

pytestmark = pytest.mark.django_db
DESK = "/staff/contacts/"


def rows(client: Client, show: str, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(DESK, {"show": show, **query}).context["rows"]
    return found


def waiting(contact: Contact) -> Notice:
    """A judged notice that waits because the contact's provider has none in use."""
    notice: Notice = NoticeFactory(assessed=True, provider=contact.provider)
    Notice.objects.filter(pk=notice.pk).update(hold="contact_review", hold_review="no_contact")
    return notice


def counter(client: Client, name: str) -> Any:
    return next(each for each in client.get("/staff/").context["counters"] if str(each.name) == name)


def test_a_suspended_contact_without_another_is_late_after_an_hour(sending: Client) -> None:
    now = timezone.now()
    old = ContactFactory(suspended=True, suspended_at=now - timedelta(hours=2))
    fresh = ContactFactory(
        suspended=True, suspended_at=now - timedelta(minutes=5), provider=ProviderFactory(code="beta")
    )
    waiting(old)

    late, new = rows(sending, "suspended")

    assert (late["contact"], late["late"], late["waits"]) == (old, True, 1)
    assert (new["contact"], new["late"]) == (fresh, False)
    assert [row["contact"] for row in rows(sending, "late")] == [old]
    assert counter(sending, "suspended for an hour without another contact").oldest == old.suspended_at


def test_another_contact_in_use_takes_its_place(sending: Client) -> None:
    gone = ContactFactory(suspended=True)
    other = ContactFactory(approved=True, provider=gone.provider, address="noc@alfa.example")

    (row,) = rows(sending, "suspended")

    assert (row["fallback"], row["late"]) == (other, False)
    assert rows(sending, "late") == []


def test_somebody_sees_to_it_until_it_happens_again(sending: Client, notice_desk: User) -> None:
    contact = ContactFactory(suspended=True)
    press = {"task": "suspended", "subject": str(contact.pk), "back": f"{DESK}?show=suspended"}

    assert sending.post(f"{DESK}see-to/", press)["Location"] == f"{DESK}?show=suspended"

    assert rows(sending, "suspended")[0]["seen_by"] == "Fenna"
    assert Event.objects.get(act="see_to").actor == f"user:{notice_desk.pk}"
    Contact.objects.update(suspended_at=timezone.now() + timedelta(minutes=1))
    assert rows(sending, "suspended")[0]["seen_by"] == ""


@pytest.mark.parametrize(
    "press", [{"task": "nothing", "subject": "1"}, {"task": "suspended", "subject": "999"}, {}]
)
def test_what_is_no_task_cannot_be_seen_to(sending: Client, press: dict[str, str]) -> None:
    assert "There is no such task." in sending.post(f"{DESK}see-to/", press, follow=True).content.decode()
    assert not SeenTo.objects.exists()


def test_a_provider_without_a_contact_in_use_is_listed_with_what_waits_for_it(sending: Client) -> None:
    contact = ContactFactory()
    notices = [waiting(contact) for _ in range(2)]
    ContactFactory(provider=ProviderFactory(code="beta"))  # nothing waits for this one
    see_to(task="no_contact", subject_id=contact.provider_id, by=SYSTEM, now=timezone.now())

    (row,) = rows(sending, "unheard")

    assert (row["provider"], row["waits"]) == (contact.provider, 2)
    assert row["since"] == min(notice.assessed_at for notice in notices if notice.assessed_at)
    assert row["seen_by"]


def test_the_way_to_a_new_contact_ends_at_an_open_form(keeping: Client) -> None:
    waiting(ContactFactory())
    (row,) = rows(keeping, "unheard")

    link = f"/staff/providers/provider/{row['provider'].pk}/change/?open=contact_add#contact_add"
    assert link in keeping.get(DESK, {"show": "unheard"}).content.decode()
    page = keeping.get(link).content.decode()
    assert '<details class="fold-panel add" id="contact_add" open>' in page
    assert page.count('<details class="fold-panel add" id="provider_edit">') == 1  # the others stay folded


def test_the_contact_manager_approves_and_the_list_shrinks(keeping: Client, sending: Client) -> None:
    contact = ContactFactory()
    assert counter(keeping, "contacts to approve").count == 1
    assert "/approve/" not in sending.get(f"{DESK}?show=proposed").content.decode()
    assert sending.post(f"{DESK}{contact.pk}/approve/").status_code == 403

    keeping.post(f"{DESK}{contact.pk}/approve/")

    assert Contact.objects.get().approved_at is not None
    assert rows(keeping, "proposed") == []


def test_a_contact_is_suspended_with_its_reason_and_used_again(keeping: Client) -> None:
    contact = ContactFactory(approved=True)
    ContactHealth.objects.create(
        contact=contact, word="bad", counted_at=NOON, since=NOON, unanswered=9, messages=9
    )
    assert [row["contact"] for row in rows(keeping, "unreachable")] == [contact]

    assert "Say why" in keeping.post(f"{DESK}{contact.pk}/suspend/", follow=True).content.decode()
    keeping.post(f"{DESK}{contact.pk}/suspend/", {"reason": "nobody answers"})
    assert rows(keeping, "unreachable") == []
    assert rows(keeping, "suspended")[0]["contact"].suspended_reason == "nobody answers"

    keeping.post(f"{DESK}{contact.pk}/resume/")
    assert rows(keeping, "suspended") == []


def test_the_health_of_a_contact_is_shown_with_its_reasons_and_can_be_asked_for(keeping: Client) -> None:
    good, silent, fresh = (
        ContactFactory(approved=True, provider=ProviderFactory(code=code))
        for code in ("alfa", "beta", "gamma")
    )
    ContactHealth.objects.create(
        contact=good, word="good", counted_at=NOON, since=NOON, messages=3, portal_opened_at=NOON
    )
    ContactHealth.objects.create(
        contact=silent, word="bad", counted_at=NOON, since=NOON, unanswered=9, messages=9
    )

    page = keeping.get(f"/staff/providers/provider/{silent.provider_id}/change/").content.decode()

    assert "The last 9 first notices brought neither an answer nor a removal." in page
    assert [row["contact"] for row in rows(keeping, "all", health="bad")] == [silent]
    assert [row["contact"] for row in rows(keeping, "all", health="unknown")] == [fresh]
    assert [row["contact"] for row in rows(keeping, "all", q="ALFA")] == [good]


def test_a_button_leads_back_to_the_desk_and_nowhere_else(keeping: Client) -> None:
    contact = ContactFactory()
    answer = keeping.post(f"{DESK}{contact.pk}/approve/", {"back": "https://evil.example/staff/contacts/"})
    assert answer["Location"] == DESK


@pytest.mark.parametrize("show", ["suspended", "late", "unheard", "unreachable", "proposed", "all"])
def test_a_longer_list_asks_the_database_no_more(keeping: Client, show: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert keeping.get(DESK, {"show": show}).status_code == 200
        return len(asked)

    def add(code: str) -> None:
        provider = ProviderFactory(code=code)
        gone = ContactFactory(suspended=True, provider=provider)
        waiting(gone)
        ContactFactory(provider=provider, address=f"new@{code}.example")
        bad = ContactFactory(approved=True, provider=ProviderFactory(code=f"{code}-bad"))
        ContactHealth.objects.create(contact=bad, word="bad", counted_at=NOON, since=NOON)

    add("alfa")
    queries()
    few = queries()
    for number in range(8):
        add(f"p{number}")

    assert queries() == few <= 16
