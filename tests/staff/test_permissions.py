"""What the roles of the staff may do. That each page opens to exactly its roles: tests/isolation."""

import pytest
from django.contrib import admin
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from providers.models import Contact
from tests.factories import ContactFactory, DispatchFactory, NoticeFactory, ProviderFactory
from tests.staff.conftest import Browser


def test_every_model_of_the_admin_is_one_of_our_desks() -> None:
    assert {type(desk).__module__.split(".")[0] for desk in admin.site._registry.values()} <= {
        "cases", "providers", "accounts", "audit"
    }  # fmt: skip


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
