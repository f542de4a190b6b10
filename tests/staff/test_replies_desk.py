"""The tray of what comes back: what people wrote becomes answers by one press, and nobody is shown more than must be."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from cases.models import Dispatch, Notice, Reply, ReplyMail
from cases.services import replies
from tests.factories import NOON, SYSTEM, NoticeFactory, many
from tests.mailbox import MX
from tests.returned import came_back, message, sample
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db

State, Kind = ReplyMail.State, ReplyMail.Kind


@pytest.fixture(autouse=True)
def our_server(host: Callable[..., None]) -> None:
    host(replies_authserv_id=MX)


def answered(text: bytes = b"", **fields: object) -> tuple[Notice, ReplyMail]:
    """A notice, and what a person wrote back about its message."""
    notice = NoticeFactory(notified=True, **fields)
    raw = sample("answer-plain", message(notice), proven=True)
    return notice, came_back(raw.replace(b"Groet, Jan", b"Groet, Jan " + text))


def test_the_tray_says_who_wrote_about_what_and_no_address(in_charge: Client) -> None:
    notice, mail = answered(b"https://forum.example/img/0001.jpg")
    page = in_charge.get("/staff/replies/").content.decode()
    for said in (mail.reference, "jan@alfa.example", message(notice).number, "written by a person"):
        assert said in page
    one = in_charge.get(f"/staff/replies/{mail.pk}/").content.decode()
    assert "ontoegankelijk gemaakt" in one
    assert "forum.example/img" not in page + one

    shown = in_charge.post(f"/staff/replies/{mail.pk}/read/").content.decode()

    assert "https://forum.example/img/0001.jpg" in shown
    assert 'href="https://forum.example' not in shown
    assert Event.objects.filter(subject="reply_mail", subject_id=mail.pk).latest("pk").act == "read"


def test_markup_in_a_mail_is_shown_as_it_was_written(in_charge: Client) -> None:
    _notice, mail = answered(b"<script>alert(1)</script> {{ 7|add:7 }}")
    page = in_charge.get(f"/staff/replies/{mail.pk}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:7 }}" in page


def test_one_press_records_an_answer_for_what_is_ticked(in_charge: Client, supervisor: User) -> None:
    one, two = many(2, notified=True)
    mail = came_back(sample("answer-plain", Dispatch.objects.get(), proven=True))

    page = in_charge.post(
        f"/staff/replies/{mail.pk}/answer/", {"answer": "removed", "notice": [one.reference]}, follow=True
    ).content.decode()

    assert "Recorded for 1 notice, with this mail." in page
    said = Reply.objects.get()
    assert (said.notice, said.answer, said.mail, said.by) == (one, "removed", mail, f"user:{supervisor.pk}")
    assert Notice.objects.get(pk=two.pk).claimed_removed_at is None
    assert ReplyMail.objects.get().state == State.ANSWERED
    assert one.reference in in_charge.get(f"/staff/replies/{mail.pk}/").content.decode()


def test_the_provider_sees_that_it_was_said_by_mail_and_not_who_read_it(
    in_charge: Client, supervisor: User, browser: Browser, everybody: dict[str, User]
) -> None:
    notice, mail = answered()
    in_charge.post(
        f"/staff/replies/{mail.pk}/answer/", {"answer": "acknowledged", "notice": [notice.reference]}
    )
    member = everybody["provider_member"]
    User.objects.filter(pk=member.pk).update(provider=notice.provider)
    page = browser(member).get(f"/portal/notices/{notice.reference}/").content.decode()
    assert "by mail" in page
    assert supervisor.name not in page


def test_a_mail_without_a_message_is_put_to_a_suggested_one(in_charge: Client) -> None:
    notice = NoticeFactory(notified=True)
    mail = came_back(sample("answer-own-subject", message(notice)))
    assert "mails without a message" in in_charge.get("/staff/").content.decode()
    assert mail.reference in in_charge.get("/staff/replies/?tray=unmatched").content.decode()
    page = in_charge.get(f"/staff/replies/{mail.pk}/").content.decode()
    assert f'value="{message(notice).number}"' in page

    after = in_charge.post(
        f"/staff/replies/{mail.pk}/attach/", {"number": message(notice).number}, follow=True
    ).content.decode()

    assert notice.reference in after
    assert "nothing proves that it comes from the provider" in after
    in_charge.post(f"/staff/replies/{mail.pk}/set-aside/")
    assert ReplyMail.objects.get().state == State.SET_ASIDE
    assert (
        "mails without a message"
        not in in_charge.get("/staff/").content.decode().partition("Nothing waits")[0]
    )


def test_a_doubtful_bounce_counts_when_a_person_says_so(in_charge: Client) -> None:
    notice = NoticeFactory(notified=True)
    mail = came_back(sample("failed-another-recipient", message(notice)))
    page = in_charge.get(f"/staff/replies/{mail.pk}/").content.decode()
    assert "Did the message come back?" in page

    in_charge.post(f"/staff/replies/{mail.pk}/bounce/")

    assert message(notice).state == Dispatch.State.BOUNCED
    assert Notice.objects.get(pk=notice.pk).notified_at is None


def test_what_was_filed_by_itself_is_seen_and_can_be_brought_to_the_tray(in_charge: Client) -> None:
    mail = came_back(sample("away-vacation", message(NoticeFactory(notified=True))))
    assert mail.reference in in_charge.get("/staff/replies/?tray=filed").content.decode()
    in_charge.post(f"/staff/replies/{mail.pk}/bring-back/")
    assert mail.reference in in_charge.get("/staff/replies/").content.decode()


def test_who_was_first_is_said_and_nothing_is_recorded_twice(in_charge: Client) -> None:
    notice, mail = answered()
    replies.set_aside(mail_id=mail.pk, by=SYSTEM, now=NOON)
    page = in_charge.post(
        f"/staff/replies/{mail.pk}/answer/", {"answer": "removed", "notice": [notice.reference]}, follow=True
    ).content.decode()
    assert "Somebody has decided on this mail already." in page
    assert not Reply.objects.exists()


def test_an_answer_that_is_none_is_refused(in_charge: Client) -> None:
    notice, mail = answered()
    answer = in_charge.post(
        f"/staff/replies/{mail.pk}/answer/", {"answer": "confess", "notice": [notice.reference]}
    )
    assert answer.status_code == 422
    assert ReplyMail.objects.get().state == State.WAITING


def test_an_analyst_reads_and_does_not_decide(browser: Browser, analyst: User) -> None:
    _notice, mail = answered()
    client = browser(analyst)
    assert "They say:" not in client.get(f"/staff/replies/{mail.pk}/").content.decode()
    assert client.post(f"/staff/replies/{mail.pk}/set-aside/").status_code == 403


def test_a_receipt_stands_among_the_five_facts_of_its_notice(in_charge: Client) -> None:
    notice = NoticeFactory(notified=True)
    came_back(sample("receipt-otrs", message(notice)))
    page = in_charge.get(f"/staff/cases/notice/{notice.pk}/change/").content.decode()
    facts = page.partition('<ul class="facts">')[2].partition("</ul>")[0]
    assert "2026112410000123" in facts
    assert Notice.objects.get(pk=notice.pk).acknowledged_at is None, "a machine acknowledges nothing"


@pytest.mark.parametrize("which", ["waiting", "filed"])
def test_a_longer_list_asks_the_database_no_more(in_charge: Client, which: str) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert in_charge.get(f"/staff/replies/?tray={which}").status_code == 200
        return len(queries)

    def more(start: int, count: int) -> None:
        name = "answer-plain" if which == "waiting" else "away-vacation"
        for number in range(start, start + count):
            notice = NoticeFactory(notified=True, content__url=f"https://forum.example/{number}")
            raw = sample(name, message(notice))
            came_back(raw.replace(b"Message-ID: <1.", f"Message-ID: <{number}.".encode()))

    more(1, 1)
    in_charge.get("/staff/replies/")
    few = asked()
    more(2, 5)
    assert asked() == few <= 12
