"""The audit: added to and never touched; whoever touches it is named, with the first row."""

import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from audit import chain
from audit.chain import Break, extend, first_break
from audit.models import Event, Link
from audit.record import Actor, event, record, record_many
from tests.conftest import AUDIT_TABLES
from tests.factories import NOON, SYSTEM, NoticeFactory


def write(count: int, act: str = "test") -> list[int]:
    """`count` events; returns their ids."""
    before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    record_many(
        event(act, "notice", i, by=SYSTEM, at=NOON + i * timedelta(seconds=1), data={"i": i})
        for i in range(count)
    )
    return list(Event.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True))


def as_dba(statement: str, *parameters: int | bytes) -> None:
    """Do what only somebody with the database in his hands can do: the triggers look away."""
    with connection.cursor() as cursor:
        for table in AUDIT_TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, parameters)
        for table in AUDIT_TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


# -- added to, never touched ----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("table", AUDIT_TABLES)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"], ids=["no update", "no delete"]
)
def test_a_row_is_neither_changed_nor_deleted_not_even_by_raw_sql(table: str, statement: str) -> None:
    write(1)
    extend()
    column = "actor" if table == "audit_event" else "event_id"

    with (
        pytest.raises(ProgrammingError, match="Cannot update or delete"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table, column, column))


@pytest.mark.django_db
@pytest.mark.parametrize("table", AUDIT_TABLES)
def test_the_audit_is_never_emptied(table: str) -> None:
    # The tests lift this one trigger for themselves (conftest): here it is back.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE '%%never_emptied%%'",
            [table],
        )
        (name,) = cursor.fetchone()
        cursor.execute(f'ALTER TABLE {table} ENABLE TRIGGER "{name}"')
    try:
        with (
            pytest.raises(IntegrityError, match="never emptied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"TRUNCATE {table}")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')


@pytest.mark.django_db
def test_an_event_belongs_to_the_transaction_that_wrote_it() -> None:
    record("test", "notice", 1, by=SYSTEM, at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid = pg_current_xact_id() FROM audit_event")
        assert cursor.fetchone() == (True,)


@pytest.mark.django_db(transaction=True)
def test_what_was_undone_was_never_said() -> None:
    with transaction.atomic():
        record("test", "notice", 1, by=SYSTEM, at=NOON)
        transaction.set_rollback(True)

    assert not Event.objects.exists()


def test_an_actor_is_a_person_a_key_or_a_part_of_the_system() -> None:
    class Row:
        pk = 12

    assert (str(Actor.of(Row())), Actor.of(Row()).user_id) == ("user:12", 12)
    assert (str(Actor.key(Row())), Actor.key(Row()).user_id) == ("key:12", None)
    assert (str(Actor.system("sweep")), Actor.system("sweep").user_id) == ("system:sweep", None)


# -- the chain ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_untouched_chain_is_whole() -> None:
    assert first_break() is None
    write(5)
    assert extend() == 5
    NoticeFactory(escalated=True)
    assert extend() > 0
    assert extend() == 0
    assert first_break() is None
    assert Link.objects.count() == Event.objects.count()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "actor = 'user:1'",
        "act = 'nothing'",
        "at = at + interval '1 microsecond'",
        "subject_id = subject_id + 1",
        "was = 'received'",
        "became = 'removed'",
        "data = '{}'",
        "data = NULL",
        "txid = '3'",
    ],
)
def test_an_edited_event_is_named(change: str) -> None:
    ids = write(5)
    extend()
    statement = f"UPDATE audit_event SET {change} WHERE id = %s"  # noqa: S608 - the cases above
    as_dba(statement, ids[2])

    assert first_break() == Break(3, ids[2], "the event or its place was changed")


@pytest.mark.django_db
def test_a_deleted_event_is_named() -> None:
    ids = write(5)
    extend()
    as_dba("DELETE FROM audit_event WHERE id = %s", ids[1])

    assert first_break() == Break(2, ids[1], "the event is gone")


@pytest.mark.django_db
def test_an_event_deleted_with_its_link_is_named_by_the_next() -> None:
    ids = write(5)
    extend()
    as_dba("DELETE FROM audit_event WHERE id = %s", ids[1])
    as_dba("DELETE FROM audit_link WHERE event_id = %s", ids[1])

    assert first_break() == Break(3, ids[2], "links before it are missing")


@pytest.mark.django_db
def test_two_events_that_changed_places_are_named() -> None:
    ids = write(5)
    extend()
    as_dba("UPDATE audit_link SET event_id = -1 WHERE event_id = %s", ids[1])
    as_dba("UPDATE audit_link SET event_id = %s WHERE event_id = %s", ids[1], ids[3])
    as_dba("UPDATE audit_link SET event_id = %s WHERE event_id = -1", ids[3])

    assert first_break() == Break(2, ids[3], "the event or its place was changed")


@pytest.mark.django_db
def test_a_link_slipped_in_is_named() -> None:
    ids = write(4)
    extend()
    (forged,) = write(1, act="forged")
    as_dba("UPDATE audit_link SET seq = seq + 100 WHERE seq > 2")
    as_dba("UPDATE audit_link SET seq = seq - 99 WHERE seq > 100")
    as_dba("INSERT INTO audit_link VALUES (3, %s, %s)", forged, b"x" * 32)

    assert first_break() == Break(3, forged, "the event or its place was changed")
    assert ids


@pytest.mark.django_db
def test_a_forged_digest_shows_at_once() -> None:
    write(3)
    extend()
    as_dba("UPDATE audit_link SET digest = %s WHERE seq = 2", b"x" * 32)

    found = first_break()
    assert found is not None
    assert found.seq == 2


@pytest.mark.django_db
def test_an_event_of_long_ago_that_was_never_chained_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_LOOK_BACK", 3)
    ids = write(10)
    extend()
    as_dba(
        "INSERT INTO audit_event (id, at, actor, act, subject, subject_id)"
        " VALUES (0, now(), 'x', 'x', 'x', 1)"
    )
    extend()

    assert first_break() == Break(0, 0, "the event was never chained")
    assert ids


@pytest.mark.django_db
def test_a_chain_longer_than_a_batch_is_chained_and_walked_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_BATCH", 7)
    ids = write(40)

    assert extend() == 40
    assert first_break() is None
    assert list(Link.objects.values_list("event_id", flat=True)) == ids


# -- many hands -----------------------------------------------------------------------------------------


def at_once(*works: Callable[[], object]) -> None:
    """Run each in a thread of its own; the first fault rises here."""
    faults: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - raised below
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if faults:
        raise faults[0]


@pytest.mark.django_db(transaction=True)
def test_many_write_and_two_chain_at_once_and_the_chain_is_whole() -> None:
    def writing() -> None:
        for i in range(20):
            with transaction.atomic():
                record("test", "notice", i, by=SYSTEM, at=NOON)

    def chaining() -> None:
        for _ in range(20):
            extend()

    at_once(writing, writing, writing, writing, chaining, chaining)
    extend()

    assert Link.objects.count() == Event.objects.count() == 80
    assert first_break() is None


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_becomes_a_later_link() -> None:
    database = connection.settings_dict
    with psycopg.connect(host=database["HOST"], user=database["USER"], dbname=database["NAME"]) as late:
        late.execute(
            "INSERT INTO audit_event (at, actor, act, subject, subject_id)"
            " VALUES (now(), 'system:late', 'test', 'notice', 1)"
        )
        record("test", "notice", 2, by=SYSTEM, at=NOON)
        assert extend() == 1
        late.commit()

    assert extend() == 1
    by_seq = list(Link.objects.values_list("event_id", flat=True))
    assert by_seq == sorted(by_seq, reverse=True)
    assert first_break() is None
