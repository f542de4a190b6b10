"""Messages about a notice, both ways: sealed, told of by mail once, and answered from one place."""

from datetime import timedelta

import pytest
from django.db import connection

from audit.models import Event
from audit.record import Actor
from cases.models import Dispatch, Message, Notice
from cases.services import conversation
from cases.services.answers import Answer, answer_many
from cases.services.refused import Invalid, WrongState
from cases.services.sending import deliver_due
from tests.conftest import FixedResolver
from tests.factories import HOUR, NOON, SYSTEM, NoticeFactory
from tests.mailserver import MailServer

pytestmark = pytest.mark.django_db

THEM, US = Actor("user", "7"), Actor("user", "1")


def ask(notice: Notice, text: str = "Which server is it?", at: object = NOON + HOUR) -> Message:
    """The provider writes."""
    return conversation.ask(notice_id=notice.pk, text=text, by=THEM, now=at)  # type: ignore[arg-type]


def write(notice: Notice, text: str = "It is the second one.", at: object = NOON + 2 * HOUR) -> Message:
    """We write."""
    return conversation.write(notice_id=notice.pk, text=text, by=US, now=at)  # type: ignore[arg-type]


def told() -> list[Dispatch]:
    """The mails that a message waits."""
    return list(Dispatch.objects.filter(kind="message").order_by("pk"))


def test_what_a_provider_asks_waits_until_it_is_answered_and_moves_no_clock() -> None:
    notice = NoticeFactory(notified=True)
    ask(notice)
    assert [message.words for message in conversation.waiting()] == ["Which server is it?"]

    write(notice)

    assert not conversation.waiting().exists()
    after = Notice.objects.get(pk=notice.pk)
    assert (after.state, after.due_at, after.version) == ("notified", notice.due_at, notice.version)
    acts = (
        Event.objects.filter(subject="notice", subject_id=notice.pk)
        .order_by("pk")
        .values_list("act", "actor")
    )
    assert list(acts)[-2:] == [("ask", str(THEM)), ("write", str(US))]


def test_what_is_written_is_nowhere_in_the_database_in_plain_text() -> None:
    message = ask(NoticeFactory(notified=True), "A-very-special-word")
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text FROM cases_message m WHERE id = %s", [message.pk])
        (row,) = cursor.fetchone()
    assert "special" not in row
    assert b"A-very-special-word".hex() not in row
    assert Message.objects.get(pk=message.pk).words == "A-very-special-word"


def test_an_answer_that_needs_information_is_a_question_too() -> None:
    notice = NoticeFactory(notified=True)
    said = Answer(notice.reference, "need_information", reason="Which page?", note="There are two.")
    answer_many(provider_id=notice.provider_id, answers=[said], by=THEM, now=NOON)

    (message,) = conversation.waiting()
    assert message.words == "Which page?\nThere are two."
    conversation.need_no_answer(notice_id=notice.pk, by=US, now=NOON + HOUR)
    assert not conversation.waiting().exists()
    with pytest.raises(WrongState, match="any more"):
        conversation.need_no_answer(notice_id=notice.pk, by=US, now=NOON + HOUR)


def test_a_second_press_is_the_same_message_and_a_flood_is_refused() -> None:
    notice = NoticeFactory(notified=True)
    assert ask(notice) == ask(notice)
    for number in range(conversation.MOST_WAITING - 1):
        ask(notice, f"And {number}?")
    with pytest.raises(WrongState, match="wait for our answer"):
        ask(notice, "One more")
    assert conversation.waiting().count() == conversation.MOST_WAITING


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" \n ", "Write something"),
        ("x" * 4_001, "at most 4000"),
        ("a\x00b", "control"),
        ("\x1b[31m", "control"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(text: str, why: str) -> None:
    notice = NoticeFactory(notified=True)
    for verb in (ask, write):
        with pytest.raises(Invalid, match=why):
            verb(notice, text)
    assert not Message.objects.exists()


def test_nothing_in_a_message_turns_the_words_around_it() -> None:
    assert ask(NoticeFactory(notified=True), "safe\u202egpj.exe\r\nnext").words == "safegpj.exe\nnext"


def test_nobody_writes_to_a_provider_that_does_not_know_of_the_notice() -> None:
    with pytest.raises(WrongState, match="does not know"):
        write(NoticeFactory(routed=True))


def test_that_a_message_waits_is_told_by_a_mail_that_says_which_notice_and_nothing_more(
    mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    notice = NoticeFactory(notified=True, content__url="https://forum.example/secret-path/beach.jpg")
    write(notice, "The words themselves")
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON + 2 * HOUR)
    assert not mail_server.received  # others may join it for a while

    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON + 3 * HOUR)

    (mail,) = mail_server.received
    (dispatch,) = told()
    assert mail.message["Subject"] == f"[{dispatch.number}] A message waits for you in the portal"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    text = mail.message.get_content()
    assert f"1. {notice.reference}\n" in text.replace("\r\n", "\n")
    assert "/portal/" in text
    for secret in ("words themselves", "forum.example", "secret", "beach"):
        assert secret not in text
    assert [part.get_content_type() for part in mail.message.walk()] == ["text/plain"]
    after = Notice.objects.get(pk=notice.pk)
    assert (after.state, after.due_at) == ("notified", notice.due_at)


def test_one_mail_goes_out_while_a_message_is_unread_and_another_once_it_was_read() -> None:
    notice = NoticeFactory(notified=True)
    write(notice)
    write(notice, "And another thing", NOON + 3 * HOUR)
    assert len(told()) == 1

    assert conversation.read(notice_id=notice.pk, by=THEM, now=NOON + 4 * HOUR) == 2
    assert conversation.read(notice_id=notice.pk, by=THEM, now=NOON + 4 * HOUR) == 0
    write(notice, "A third", NOON + 5 * HOUR)

    assert [dispatch.lines.get().step for dispatch in told()] == ["message-1", "message-2"]


def test_messages_about_several_notices_of_one_contact_are_told_of_together() -> None:
    for _ in range(3):
        write(NoticeFactory(notified=True))
    (dispatch,) = told()
    assert dispatch.lines.count() == 3


def test_no_mail_goes_out_for_what_was_read_before_it_left(
    mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    notice = NoticeFactory(notified=True)
    write(notice)
    ask(
        notice, "Thank you", NOON + 2 * HOUR + timedelta(minutes=1)
    )  # whoever writes has read what stands there
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON + 3 * HOUR)

    assert not mail_server.received
    assert [dispatch.state for dispatch in told()] == ["cancelled"]
