"""What a provider proposes to change of how it is reached: proven, decided, and nothing before that."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Event
from cases.models import SystemMail
from cases.services import system_mail
from providers.models import Contact, ContactHealth, Proposal, Provider
from providers.services.proposal import CODE_VALID, code_of
from tests.factories import NOON, SYSTEM, ContactFactory, UserFactory
from tests.mailserver import ACCEPT, LATER, MailServer
from tests.portal.test_notice import words
from tests.providers.test_openpgp import pair

PAGE = "/portal/contacts/"
ADD = {"role": "abuse", "channel": "smtp", "address": "noc@alfa.example", "mode": "portal", "formats": ""}


@pytest.fixture
def admin(alfa: Provider) -> Client:
    client = Client()
    client.force_login(UserFactory(provider_admin=True, provider=alfa, name="Ada"))
    return client


@pytest.fixture
def manager(db: None) -> Client:
    """The hotline's contact manager."""
    client = Client()
    client.force_login(UserFactory(contact_manager=True))
    return client


@pytest.fixture
def own(alfa: Provider) -> Contact:
    return ContactFactory(provider=alfa, approved=True)


def propose(client: Client, kind: str, contact: Contact | None = None, **fields: Any) -> int:
    query = f"?contact={contact.pk}" if contact else ""
    return client.post(f"{PAGE}propose/{kind}/{query}", fields).status_code


def decide(client: Client, act: str = "accept", **fields: str) -> str:
    address = f"/staff/contacts/proposals/{Proposal.objects.latest('pk').pk}/{act}/"
    return words(client.post(address, fields, follow=True).content)


def test_a_new_address_is_proven_by_its_code_and_used_once_the_hotline_says_yes(
    admin: Client, manager: Client, alfa: Provider, own: Contact, mail_server: MailServer
) -> None:
    assert propose(admin, "add", **ADD, why="Our new desk") == 302
    assert "waits for the code" in words(admin.get(PAGE).content)
    assert "Nobody has shown yet" in decide(manager)
    assert Contact.objects.count() == 1

    mail_server.behave("noc@alfa.example", LATER, ACCEPT)
    system_mail.send_due(by=SYSTEM, clock=timezone.now)
    SystemMail.objects.update(due_at=timezone.now())
    system_mail.send_due(by=SYSTEM, clock=timezone.now)
    (received,) = mail_server.received
    assert received.recipient == "noc@alfa.example"
    code = re.search(r"    (\w{4}-\w{4})\n", received.text)[1]  # type: ignore[index]
    assert code not in str(received.message["Subject"])

    proposal = Proposal.objects.get()
    admin.post(f"{PAGE}proposals/{proposal.pk}/prove/", {"code": code.lower().replace("-", " ")})
    assert "waits for the hotline" in words(admin.get(PAGE).content)
    assert Contact.objects.count() == 1, "nothing changes before a yes"
    assert "Our new desk" in words(manager.get("/staff/contacts/proposals/").content)

    assert "Done, as it was proposed." in decide(manager)
    made = Contact.objects.get(address="noc@alfa.example")
    assert made.usable
    assert (made.added_by, made.role) == (proposal.proposed_by, "abuse")
    acts = list(Event.objects.filter(subject="proposal").order_by("pk").values_list("act", flat=True))
    assert acts == ["propose", "ask_code", "prove", "accept"]
    assert "approved" in words(admin.get(PAGE).content)


def test_wrong_and_old_codes_count_for_nothing_and_are_few(admin: Client, own: Contact) -> None:
    propose(admin, "add", **ADD)
    proposal = Proposal.objects.get()
    first = code_of(proposal)
    prove = f"{PAGE}proposals/{proposal.pk}/prove/"
    for _try in range(5):
        assert "This is not the code" in words(admin.post(prove, {"code": "AAAA-AAAA"}, follow=True).content)
    assert "counts no more" in words(admin.post(prove, {"code": first}, follow=True).content)
    admin.post(f"{PAGE}proposals/{proposal.pk}/code/")
    second = code_of(Proposal.objects.get())
    assert second != first
    assert "This is not the code" in words(admin.post(prove, {"code": first}, follow=True).content)
    Proposal.objects.update(code_asked_at=timezone.now() - CODE_VALID)
    old = code_of(Proposal.objects.get())
    assert "counts no more" in words(admin.post(prove, {"code": old}, follow=True).content)
    assert Proposal.objects.get().state == "unproven"


@pytest.mark.parametrize(
    "address",
    [
        "noc@alfa.example\r\nBcc: all@evil.test",
        "noc@alfa.example\nSubject: x",
        "noc@alfa.example, all@evil.test",
        "noc@alfa.example;all@evil.test",
        "noc@alfa.example all@evil.test",
        "all@evil.test,noc@alfa.example",
        '"noc\x0b, all"@alfa.example',
        '"a@evil.test,"@alfa.example',
        "Noc <noc@alfa.example>",
        "noc@alfa.example\0",
        "nöc@alfa.example",
        "@evil.test:noc@alfa.example",
        "noc%evil.test@",
        "x" * 400 + "@alfa.example",
    ],
)
def test_an_address_is_one_mailbox_and_ends_no_header(admin: Client, own: Contact, address: str) -> None:
    assert propose(admin, "add", **{**ADD, "address": address}) == 422
    assert propose(admin, "replace", own, address=address) == 422
    assert not Proposal.objects.exists()
    assert not SystemMail.objects.exists()


@pytest.mark.parametrize(
    ("channel", "address"),
    [("webhook", "https://127.0.0.1/hook"), ("webhook", "http://hook.example/"), ("webhook", "https://u:p@hook.example/"),
     ("phone", "112"), ("phone", "+31 20\r\n1234567"), ("fax", "noc@alfa.example")],
)  # fmt: skip
def test_what_we_cannot_reach_is_refused(admin: Client, own: Contact, channel: str, address: str) -> None:
    assert propose(admin, "add", **{**ADD, "channel": channel, "address": address}) == 422
    assert not Proposal.objects.exists()


def test_another_address_takes_the_place_of_the_old_with_the_yes(
    admin: Client, manager: Client, own: Contact
) -> None:
    propose(admin, "replace", own, address="new@alfa.example")
    assert propose(admin, "replace", own, address="newer@alfa.example") == 422
    Proposal.objects.update(state="waits", proven_at=NOON)
    decide(manager)
    old, new = Contact.objects.order_by("pk")
    assert (old.usable, new.usable, new.replaces) == (False, True, old)


def test_contents_language_and_an_end_change_with_the_yes(
    admin: Client, manager: Client, alfa: Provider, own: Contact
) -> None:
    assert propose(admin, "change", own, mode="attachment", formats="both") == 302
    decide(manager)
    assert Contact.objects.get().formats == "both"
    assert propose(admin, "change", own, mode="portal", formats="xarf") == 422
    assert propose(admin, "language", language="nl") == 302
    assert Provider.objects.get(pk=alfa.pk).language == "en"
    decide(manager)
    assert Provider.objects.get(pk=alfa.pk).language == "nl"
    assert propose(admin, "end", own) == 422, "it is the only one"
    ContactFactory(provider=alfa, address="noc@alfa.example", approved=True)
    assert propose(admin, "end", own) == 302
    decide(manager)
    assert not Contact.objects.get(pk=own.pk).usable


def test_a_key_is_used_once_its_fingerprint_was_compared(
    admin: Client, manager: Client, own: Contact
) -> None:
    assert propose(admin, "key", own, text="no key") == 422
    assert propose(admin, "key", own, text=pair()[1].decode()) == 302
    assert not own.keys.exists()
    assert Proposal.objects.get().spelled in words(manager.get("/staff/contacts/proposals/").content)
    decide(manager)
    assert own.keys.in_use().get().fingerprint == Proposal.objects.get().fingerprint


def test_a_no_says_why_and_what_is_decided_stays_so(admin: Client, manager: Client, own: Contact) -> None:
    propose(admin, "change", own, mode="defanged", formats="")
    assert "Say why" in decide(manager, "decline", answer=" ")
    decide(manager, "decline", answer="Your servers fetch links.")
    assert "Your servers fetch links." in words(admin.get(PAGE).content)
    assert "decided already" in decide(manager)
    assert Contact.objects.get().mode == "portal"
    admin.post(f"{PAGE}proposals/{Proposal.objects.get().pk}/take-back/")
    assert Proposal.objects.get().state == "declined"


def test_the_start_page_counts_them_for_who_decides(admin: Client, manager: Client, own: Contact) -> None:
    propose(admin, "change", own, mode="defanged", formats="")
    assert "proposals of providers" in words(manager.get("/staff/").content)
    desk = Client()
    desk.force_login(UserFactory(notice_desk=True))
    assert desk.get("/staff/contacts/proposals/").status_code == 200
    assert desk.post(f"/staff/contacts/proposals/{Proposal.objects.get().pk}/accept/").status_code == 403


def test_a_contact_that_came_back_or_rests_says_so(portal: Client, own: Contact) -> None:
    now = timezone.now()
    figures = ContactHealth.objects.create(
        contact=own,
        counted_at=now,
        since=now,
        last_bounced_at=now,
        last_accepted_at=now - timedelta(days=400),
    )
    said = words(portal.get(PAGE).content)
    assert "came back" in said
    assert "has not been used for a year" in said
    figures.last_accepted_at = now + timedelta(seconds=1)
    figures.save()
    said = words(portal.get(PAGE).content)
    assert "came back" not in said
    assert "for a year" not in said


def test_members_see_and_admins_propose(portal: Client, own: Contact) -> None:
    assert "Propose another contact" not in portal.get(PAGE).content.decode()
    assert portal.get(f"{PAGE}propose/add/").status_code == 403
    assert propose(portal, "add", **ADD) == 403


def test_another_providers_contacts_and_proposals_do_not_exist(
    admin: Client, own: Contact, alfa: Provider, beta: Provider
) -> None:
    theirs = ContactFactory(provider=beta, approved=True)
    stranger = Client()
    stranger.force_login(UserFactory(provider_admin=True, provider=beta))
    propose(stranger, "add", **{**ADD, "address": "noc@beta.example"})
    proposal = Proposal.objects.get()
    page = admin.get(PAGE).content.decode()
    assert theirs.address not in page
    assert "noc@beta.example" not in page
    for text in (str(theirs.pk), "999999", "1" * 19, "x", ""):
        assert admin.get(f"{PAGE}propose/end/?contact={text}").status_code == 404
        assert admin.post(f"{PAGE}propose/end/?contact={text}", {}).status_code == 404
    answers = [
        admin.post(f"{PAGE}proposals/{pk}/{act}/", {"code": "x"})
        for pk in (proposal.pk, 999_999)
        for act in ("code", "prove", "take-back")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert Proposal.objects.get().state == "unproven"
    assert SystemMail.objects.count() == 1
    # That another provider proposed, or has, an address is no reason to refuse it.
    assert propose(admin, "add", **{**ADD, "address": "noc@beta.example"}) == 302


def test_mails_to_addresses_have_a_rate(admin: Client, own: Contact, settings: Any) -> None:
    settings.RATES = {**settings.RATES, "proposal": {"tenant": (2, timedelta(hours=1))}}
    assert propose(admin, "add", **ADD) == 302
    proposal = Proposal.objects.get()
    for _time in range(3):
        admin.post(f"{PAGE}proposals/{proposal.pk}/code/")
    assert SystemMail.objects.count() == 2


def test_a_code_that_counts_no_more_is_not_sent(admin: Client, own: Contact, mail_server: MailServer) -> None:
    propose(admin, "add", **ADD)
    proposal = Proposal.objects.get()
    admin.post(f"{PAGE}proposals/{proposal.pk}/code/")
    system_mail.send_due(by=SYSTEM, clock=timezone.now)
    assert len(mail_server.received) == 1
    admin.post(f"{PAGE}proposals/{proposal.pk}/code/")
    admin.post(f"{PAGE}proposals/{proposal.pk}/take-back/")
    system_mail.send_due(by=SYSTEM, clock=timezone.now)
    assert len(mail_server.received) == 1
