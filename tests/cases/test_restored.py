"""After a backup was put back, nothing goes out by itself that may have gone out already (I13)."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError

from audit.models import Event
from cases.models import Dispatch, Notice, Place
from cases.services import outgoing, restored
from cases.services.enqueue import enqueue
from cases.services.sending import deliver_due
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    many,
)
from tests.mailserver import MailServer

HOUR = timedelta(hours=1)


@pytest.fixture
def send(static_resolver: FixedResolver, mail_server: MailServer) -> Callable[..., int]:
    """`send(at)`: one pass at an instant."""
    return lambda at=NOON: deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: at)


def put_back() -> None:
    """As after a restore: the row says where the backup was made."""
    restored.look_round(by=SYSTEM, now=NOON - HOUR)
    Place.objects.update(fingerprint="7/1/2/3")


def judged(count: int, **fields: object) -> list[Notice]:
    contact = ContactFactory(approved=True)
    place = AttributionFactory(provider=contact.provider)
    made = many(count, assessed=True, provider=contact.provider, attribution=place, **fields)
    Notice.objects.filter(pk__in=[notice.pk for notice in made]).update(routed_at=NOON)
    return made


def put_in_outbox(notices: list[Notice], kind: str = "first") -> Dispatch:
    contact = ContactFactory(approved=True)
    (dispatch,) = enqueue(
        contact_id=contact.pk, notices=notices, kind=kind, round_=1, by=SYSTEM, now=NOON + HOUR
    )
    return dispatch


@pytest.mark.django_db
def test_where_it_always_was_nothing_is_in_doubt(send: Callable[..., int]) -> None:
    dispatch = NoticeFactory(routed=True).dispatch_lines.get().dispatch

    assert send() == 1
    assert Dispatch.objects.get(pk=dispatch.pk).state == Dispatch.State.ACCEPTED
    assert Place.objects.get().doubted_until is None


@pytest.mark.django_db
def test_in_a_copy_everything_that_waits_is_set_aside_and_goes_only_when_somebody_says_so(
    send: Callable[..., int], mail_server: MailServer
) -> None:
    dispatch = NoticeFactory(routed=True).dispatch_lines.get().dispatch
    put_back()

    assert send() == 0
    parked = Dispatch.objects.get(pk=dispatch.pk)
    assert (parked.state, parked.trouble) == ("parked", "restored")
    assert send(NOON + HOUR) == 0, "once, and for good"

    outgoing.retry(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)
    send(NOON + HOUR)
    assert [received.id for received in mail_server.accepted] == [dispatch.message_id]


@pytest.mark.django_db
def test_what_was_there_at_the_backup_waits_for_a_yes_and_what_came_later_does_not() -> None:
    old = judged(1)
    put_back()
    doubted = put_in_outbox(old)
    place = Place.objects.get()
    assert place.doubted_until is not None
    new = judged(1)
    Notice.objects.filter(pk=new[0].pk).update(received_at=place.doubted_until + timedelta(seconds=1))
    Dispatch.objects.filter(pk=doubted.pk).update(gathering=False)

    assert doubted.approval_reason == Dispatch.Approval.RESTORED
    fresh = put_in_outbox(list(Notice.objects.select_related("provider").filter(pk=new[0].pk)))
    assert fresh.approval_reason == ""


@pytest.mark.django_db
def test_reminders_of_the_first_hour_wait_as_well() -> None:
    notice = NoticeFactory(notified=True)
    put_back()

    assert put_in_outbox([notice], "reminder").approval_reason == Dispatch.Approval.RESTORED


@pytest.mark.django_db
def test_numbers_that_were_read_by_others_in_the_lost_time_are_not_given_out_again() -> None:
    before = put_in_outbox(judged(1))
    put_back()
    after = put_in_outbox(judged(1))

    assert int(after.number[-6:]) - int(before.number[-6:]) > restored.NUMBERS_LEFT_OUT


@pytest.mark.django_db
def test_whoever_moved_the_database_says_that_nothing_was_lost(
    send: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    NoticeFactory(routed=True)
    put_back()
    send()
    call_command("nothing_lost")
    assert "nobody can tell" in capsys.readouterr().out

    call_command("nothing_lost", "--yes")

    assert Dispatch.objects.get().state == Dispatch.State.PENDING
    assert Place.objects.get().doubted_until is None
    assert Event.objects.filter(subject="system", act="nothing_lost").exists()
    call_command("nothing_lost")
    assert "Nothing is in doubt" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_a_real_copy_of_the_database_says_something_else_of_itself() -> None:
    here = restored.fingerprint()
    settings = connection.get_connection_params()
    name = settings["dbname"]
    connection.close()
    place = {"host": settings["host"], "user": settings["user"]}
    with psycopg.connect(**place, dbname="postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}_copy"')
        server.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"')
        try:
            with psycopg.connect(**place, dbname=f"{name}_copy") as copy:
                row = copy.execute(restored.FINGERPRINT).fetchone()
        finally:
            server.execute(f'DROP DATABASE "{name}_copy" WITH (FORCE)')
    assert row is not None
    assert row[0] != here
    assert restored.fingerprint() == here


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["number", "message_id", "token"])
def test_no_message_changes_its_name(column: str) -> None:
    dispatch = DispatchFactory()

    with pytest.raises(DatabaseError), transaction.atomic():
        Dispatch.objects.filter(pk=dispatch.pk).update(**{column: "another"})
