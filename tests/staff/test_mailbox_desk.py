"""The tray for mail, and the list of partners: seen, decided, and never more shown than must be."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from cases.models import Mail, MailReceipt, MailSender, Report
from cases.services import mailbox
from tests.factories import NOON, SYSTEM, MailSenderFactory, SourceFactory
from tests.mailbox import MX, STRANGER, arrive
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def our_server(host: Callable[..., None]) -> None:
    host(mailbox_authserv_id=MX)


def test_the_tray_says_who_wrote_and_why_it_waits_without_an_address(in_charge: Client) -> None:
    kept = arrive()
    text = in_charge.get("/staff/mailbox/").content.decode()
    assert kept.reference in text
    assert STRANGER in text
    assert "The sender is not on the list of partners." in text
    assert "forum.example" not in text


def test_the_whole_text_is_shown_by_a_button_that_is_written_down(
    in_charge: Client, supervisor: User
) -> None:
    kept = arrive()
    page = in_charge.get(f"/staff/mailbox/{kept.pk}/").content.decode()
    assert "Look" in page
    assert "forum.example" not in page

    shown = in_charge.post(f"/staff/mailbox/{kept.pk}/read/").content.decode()

    assert "https://forum.example/img/0001.jpg" in shown
    assert 'href="https://forum.example' not in shown
    last = Event.objects.filter(subject="mail", subject_id=kept.pk).latest("pk")
    assert (last.act, last.actor) == ("read", f"user:{supervisor.pk}")


def test_a_person_takes_it_in_and_proposes_the_sender(in_charge: Client, supervisor: User) -> None:
    kept, source = arrive(), SourceFactory(code="partner")
    in_charge.post(f"/staff/mailbox/{kept.pk}/accept/", {"source": source.pk, "remember": "address"})

    assert Report.objects.get().source == source
    assert Mail.objects.get().state == Mail.State.TAKEN
    proposed = MailSender.objects.get()
    assert (proposed.pattern, proposed.approved_by, proposed.counts) == (STRANGER, "", False)
    assert not MailReceipt.objects.exists()


def test_who_may_add_no_partner_proposes_none_by_taking_a_mail_in(browser: Browser, analyst: User) -> None:
    kept, source, client = arrive(), SourceFactory(code="partner"), browser(analyst)
    assert "remember" not in client.get(f"/staff/mailbox/{kept.pk}/").content.decode()

    client.post(f"/staff/mailbox/{kept.pk}/accept/", {"source": source.pk, "remember": "address"})

    assert Mail.objects.get().state == Mail.State.TAKEN
    assert not MailSender.objects.exists()


def test_setting_aside_empties_the_tray_and_the_counter(in_charge: Client) -> None:
    kept = arrive()
    assert "mails in the tray" in in_charge.get("/staff/").content.decode().partition("Nothing waits")[0]

    in_charge.post(f"/staff/mailbox/{kept.pk}/set-aside/")

    assert Mail.objects.get().state == Mail.State.SET_ASIDE
    assert kept.reference not in in_charge.get("/staff/mailbox/").content.decode()
    assert kept.reference in in_charge.get("/staff/mailbox/?tray=aside").content.decode()


def test_a_mail_that_somebody_decided_on_is_refused_in_words(in_charge: Client) -> None:
    kept = arrive()
    mailbox.set_aside(mail_id=kept.pk, by=SYSTEM, now=NOON)
    answer = in_charge.post(f"/staff/mailbox/{kept.pk}/set-aside/", follow=True).content.decode()
    assert "Somebody has decided on this mail already." in answer


def test_markup_in_a_mail_is_shown_as_it_was_written(in_charge: Client) -> None:
    kept = arrive(text="<script>alert(1)</script> {{ 7|add:7 }}\n")
    shown = in_charge.post(f"/staff/mailbox/{kept.pk}/read/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:7 }}" in shown


def test_a_partner_counts_after_a_second_persons_yes(
    browser: Browser, in_charge: Client, functional_admin: User
) -> None:
    source = SourceFactory(code="partner")
    added = {"pattern": "Partner.example", "source": source.pk, "language": "nl"}
    in_charge.post("/staff/mailbox/partners/add/", added)
    one = MailSender.objects.get()
    own = in_charge.post(f"/staff/mailbox/partners/{one.pk}/approve/", follow=True).content.decode()
    assert "somebody else must approve it" in own
    assert not MailSender.objects.get().counts

    browser(functional_admin).post(f"/staff/mailbox/partners/{one.pk}/approve/")
    assert MailSender.objects.get().counts
    assert mailbox.sender_of("desk@partner.example") == one

    in_charge.post(f"/staff/mailbox/partners/{one.pk}/stop/")
    assert mailbox.sender_of("desk@partner.example") is None


@pytest.mark.parametrize(
    "pattern", ["", "partner", "a b@partner.example", "@partner.example", "*.example", "a@b@c.example"]
)
def test_what_is_no_address_and_no_domain_is_refused(in_charge: Client, pattern: str) -> None:
    data = {"pattern": pattern, "source": SourceFactory(code="partner").pk, "language": "en"}
    assert in_charge.post("/staff/mailbox/partners/add/", data).status_code == 422
    assert not MailSender.objects.exists()


def test_the_functional_admin_sees_partners_and_no_mail(browser: Browser, functional_admin: User) -> None:
    client = browser(functional_admin)
    assert client.get("/staff/mailbox/partners/").status_code == 200
    assert client.get("/staff/mailbox/").status_code == 403


@pytest.mark.parametrize(
    "address", ["/staff/mailbox/", "/staff/mailbox/?tray=taken", "/staff/mailbox/partners/"]
)
def test_a_longer_list_asks_the_database_no_more(in_charge: Client, address: str) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert in_charge.get(address).status_code == 200
        return len(queries)

    def more(start: int, count: int) -> None:
        for number in range(start, start + count):
            kept = arrive(number, text=f"https://forum.example/{number}\n")
            MailSenderFactory(pattern=f"p{number}.example")
            if "taken" in address:
                mailbox.accept(
                    mail_id=kept.pk, source_id=SourceFactory(code="partner").pk, by=SYSTEM, now=NOON
                )
                from cases.intake.mailbox import reading

                reading.take_in(mail_id=kept.pk, by=SYSTEM, now=NOON)

    more(1, 1)
    in_charge.get(address)
    few = asked()
    more(2, 6)

    assert asked() == few <= 12
