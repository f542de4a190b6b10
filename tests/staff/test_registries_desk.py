"""The registries' desk: a person says which provider a holder is, and a mailbox waits for another person's yes."""

import dataclasses
import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from audit.models import Event
from providers.models import Contact, HolderRule, Provider, Registration, RegistryQuestion
from tests.factories import (
    NOON,
    ContactFactory,
    HolderRuleFactory,
    NetworkFactory,
    ProviderFactory,
    RegistrationFactory,
)
from tests.staff.conftest import Browser

DESK = "/staff/providers/registration/"
ALFA = "ORG-ALFA1-TEST"


@pytest.fixture
def manager(browser: Browser, contact_manager: User, settings: Settings) -> Client:
    """At the desk of a contact manager, where registries are asked."""
    settings.HOST = dataclasses.replace(settings.HOST, rdap="on")
    return browser(contact_manager)


def shown(client: Client, path: str = DESK) -> str:
    return html.unescape(client.get(path).content.decode())


def press(client: Client, what: str, **fields: str) -> str:
    answer = client.post(f"{DESK}holder/{what}/", {"handle": ALFA, **fields}, follow=True)
    return html.unescape(answer.content.decode())


def test_the_desk_shows_who_is_unknown_what_waits_what_failed_and_what_was_said(manager: Client) -> None:
    RegistrationFactory()
    RegistrationFactory(
        prefix="198.51.100.0/24", holder_handle="ORG-KNOWN-TEST", holder_name="Known", name="K"
    )
    HolderRuleFactory(handle="ORG-KNOWN-TEST")
    RegistryQuestion.objects.create(address="203.0.113.1", wanted_at=NOON, due_at=NOON)
    RegistryQuestion.objects.create(
        address="203.0.113.2", wanted_at=NOON, asked_at=NOON, trouble="too_slow", attempts=3
    )

    page = shown(manager)

    assert "<strong>Alfa Hosting B.V.</strong> <code>ORG-ALFA1-TEST</code>" in page
    assert "<strong>Known</strong>" not in page
    assert "1 address waits for its registry." in page
    assert "The registry's server took too long." in page
    assert "Known (ORG-KNOWN-TEST)" in page
    assert "holders of networks that no provider is known for" in shown(manager, "/staff/")


def test_one_press_makes_a_provider_with_its_rule_and_its_mailbox_which_somebody_approves(
    manager: Client,
) -> None:
    RegistrationFactory()
    page = shown(manager)
    assert 'value="alfa-hosting-bv"' in page

    press(manager, "take-up", name="Alfa Hosting B.V.", code="alfa-hosting-bv", kind="hoster", country="nl")

    alfa = Provider.objects.get()
    assert (alfa.code, alfa.country, alfa.language) == ("alfa-hosting-bv", "NL", "nl")
    rule = HolderRule.objects.get()
    assert (rule.handle, rule.provider, rule.country) == (ALFA, alfa, "NL")
    assert rule.reason == f"rdap.registry.example has its networks for Alfa Hosting B.V. ({ALFA})."
    contact = Contact.objects.get()
    assert (contact.address, contact.added_by, contact.usable) == ("abuse@alfa.example", "system:rdap", False)
    acts = Event.objects.order_by("pk").values_list("subject", "act")
    assert list(acts) == [("provider", "add"), ("provider", "add_holder_rule"), ("contact", "add")]
    assert "Alfa Hosting B.V.</strong>" not in shown(manager)

    manager.post(f"/staff/providers/provider/{alfa.pk}/contacts/{contact.pk}/approve/")
    assert Contact.objects.get().usable


def test_a_holder_that_is_a_provider_we_know_is_said_to_be_it(manager: Client) -> None:
    RegistrationFactory()
    beta = NetworkFactory(prefix="192.0.2.8/29", provider=ProviderFactory(code="beta")).provider
    assert "One of its networks is on our own list, for beta." in shown(manager)

    press(manager, "assign", provider="beta", country="NL")

    assert HolderRule.objects.get().provider == beta
    assert Contact.objects.get().provider == beta


def test_what_cannot_be_made_of_a_holder_is_said_beside_it(manager: Client) -> None:
    RegistrationFactory()
    ProviderFactory(code="taken")
    fields = {"name": "Alfa", "kind": "hoster", "country": "NL"}

    assert "There is no provider with this code." in press(manager, "assign", provider="nobody", country="NL")
    assert "A country is two letters" in press(manager, "take-up", **fields | {"code": "a", "country": "1"})
    assert "There is a provider with this code already." in press(manager, "take-up", **fields, code="taken")
    gone = press(manager, "take-up", **fields, code="a", handle="ORG-GONE")
    assert "No registry names this holder any more" in gone
    assert (HolderRule.objects.count(), Contact.objects.count(), Event.objects.count()) == (0, 0, 0)


def test_a_holder_that_is_passed_over_is_not_proposed_again(manager: Client, contact_manager: User) -> None:
    row = RegistrationFactory()
    press(manager, "pass-over")

    assert Registration.objects.get().passed_over_by == f"user:{contact_manager.pk}"
    assert "<strong>Alfa" not in shown(manager)
    assert "passed over by" in shown(manager, f"{DESK}{row.pk}/change/")


def test_the_page_of_an_answer_shows_all_of_it_and_the_others_on_its_network(manager: Client) -> None:
    RegistrationFactory(asked_at=NOON - timedelta(days=2), is_newest=False, holder_name="Old Hosting")
    row = RegistrationFactory()

    page = shown(manager, f"{DESK}{row.pk}/change/")

    assert f"Alfa Hosting B.V. ({ALFA})" in page
    assert "abuse@alfa.example" in page
    assert "Old Hosting" in page
    assert "Nobody has said which provider that is." in page


def test_who_may_not_change_providers_reads_and_is_proposed_nothing(browser: Browser, analyst: User) -> None:
    RegistrationFactory()
    page = shown(browser(analyst))

    assert "Alfa Hosting B.V." in page
    assert "Pass over" not in page
    assert "Asking registries is switched off." in page
    assert browser(analyst).post(f"{DESK}holder/pass-over/", {"handle": ALFA}).status_code == 403


def test_the_desk_asks_the_database_as_often_for_many_as_for_few(manager: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            manager.get(DESK)
        return len(asked)

    RegistrationFactory()
    few = queries()
    for n in range(20):
        RegistrationFactory(prefix=f"198.51.100.{n * 8}/29", holder_handle=f"ORG-{n}")
        RegistryQuestion.objects.create(
            address=f"203.0.113.{n}", wanted_at=NOON, asked_at=NOON, trouble="tls"
        )
    assert queries() == few <= 12


def test_why_shows_what_the_registry_said_and_how_old_it_is(manager: Client) -> None:
    row = RegistrationFactory(asked_at=NOON)
    answer = html.unescape(manager.post("/staff/why/", {"text": "192.0.2.10"}).content.decode())

    assert f"192.0.2.0/24 is registered to Alfa Hosting B.V. ({ALFA}) (rdap.registry.example)." in answer
    assert f'href="{DESK}{row.pk}/change/"' in answer
    assert "24 Nov" in answer


def test_the_page_of_a_provider_asks_the_registries_and_keeps_rules_for_holders(manager: Client) -> None:
    alfa: Provider = NetworkFactory().provider
    page = f"/staff/providers/provider/{alfa.pk}/"

    manager.post(f"{page}ask-registries/")
    assert [question.address for question in RegistryQuestion.objects.all()] == ["192.0.2.0"]
    assert Event.objects.get().act == "ask_registries"

    manager.post(f"{page}holder_rule_add/", {"handle": "org-alfa1-test", "country": "nl", "reason": "KvK"})
    rule = HolderRule.objects.get()
    assert (rule.handle, rule.provider) == (ALFA, alfa)
    manager.post(f"{page}holder-rules/{rule.pk}/remove/")
    assert not HolderRule.objects.exists()


def test_who_adds_a_contact_does_not_approve_it_and_another_person_does(
    manager: Client, browser: Browser, supervisor: User
) -> None:
    page = f"/staff/providers/provider/{ProviderFactory().pk}/"
    fields = {
        "role": "abuse",
        "channel": "smtp",
        "address": "new@alfa.example",
        "mode": "portal",
        "formats": "",
    }
    manager.post(f"{page}contact_add/", fields)
    contact = Contact.objects.get()

    answer = manager.post(f"{page}contacts/{contact.pk}/approve/", follow=True)
    assert "Somebody else approves it: you added it yourself." in html.unescape(answer.content.decode())
    assert "somebody else approves it" in shown(manager, f"{page}change/")
    assert not Contact.objects.get().usable

    browser(supervisor).post(f"{page}contacts/{contact.pk}/approve/")
    assert Contact.objects.get().usable


def test_a_new_address_takes_the_place_of_an_old_one_when_another_person_says_so(
    manager: Client, browser: Browser, supervisor: User
) -> None:
    old = ContactFactory(approved=True)
    page = f"/staff/providers/provider/{old.provider_id}/contacts/"
    manager.post(f"{page}{old.pk}/replace/", {"address": "no address"})
    assert Contact.objects.count() == 1

    manager.post(f"{page}{old.pk}/replace/", {"address": "desk@alfa.example"})
    again = manager.post(f"{page}{old.pk}/replace/", {"address": "other@alfa.example"}, follow=True)
    assert "waits for approval already" in html.unescape(again.content.decode())
    new = Contact.objects.get(replaces=old)
    assert (new.role, new.mode, new.usable, Contact.objects.get(pk=old.pk).usable) == (
        old.role,
        old.mode,
        False,
        True,
    )
    assert "in the place of" in shown(manager, f"{page}{new.pk}/")

    browser(supervisor).post(f"{page}{new.pk}/approve/")
    assert Contact.objects.get(pk=new.pk).usable
    gone = Contact.objects.get(pk=old.pk)
    assert (gone.usable, gone.suspended_reason) == (False, "desk@alfa.example took its place.")
