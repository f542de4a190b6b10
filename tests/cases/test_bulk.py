"""One act on many notices: frozen, looked at, started once, worked off line by line by the single services."""

import os
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest import MonkeyPatch

from accounts.models import User
from audit.models import Event
from audit.record import Actor
from cases.formats.notices_csv import COLUMNS
from cases.models import Bulk, BulkLine, Notice
from cases.services import assess, bulk, export
from cases.services.refused import Invalid, NotFound, WrongState
from tests.factories import HOUR, NOON, ContactFactory, NoticeFactory, UserFactory

pytestmark = pytest.mark.django_db
DUPLICATE = {"because": "duplicate"}


def noon() -> datetime:
    return NOON


@pytest.fixture
def lead(db: None) -> User:
    return UserFactory(lead=True)


def prepared(person: User, act: str = "dismiss", **fields: Any) -> Bulk:
    fields = {"notices": Notice.objects.all(), "query": "state=received", "language": "en"} | fields
    return bulk.prepare(act=act, by=Actor.of(person), now=NOON, **fields)


def started(
    person: User, act: str = "dismiss", arguments: dict[str, Any] | None = None, **fields: Any
) -> Bulk:
    made = prepared(person, act, **fields)
    arguments = DUPLICATE if act == "dismiss" and arguments is None else arguments or {}
    return bulk.start(bulk_id=made.pk, reason="check", arguments=arguments, by=Actor.of(person), now=NOON)


def outcomes(made: Bulk) -> dict[str, int]:
    return {code: count for code, count in bulk.counts(made).items() if count}


def test_nothing_happens_before_it_is_started(lead: User) -> None:
    notice = NoticeFactory()
    made = prepared(lead)

    bulk.run_slice(clock=noon)

    assert Notice.objects.get(pk=notice.pk).state == "received"
    assert outcomes(made) == {"": 1}
    assert not Event.objects.filter(subject="bulk").exists()


def test_it_says_beforehand_what_cannot_be_done_and_why(lead: User) -> None:
    NoticeFactory()
    NoticeFactory(dismissed=True)
    NoticeFactory(notified=True)
    NoticeFactory(routed=True)

    assert bulk.exceptions(prepared(lead)) == [
        ("sent or closed already", 2),
        ("in the outbox: take it back first", 1),
    ]
    assert bulk.exceptions(prepared(lead, "release")) == [("not held", 4)]
    assert bulk.exceptions(prepared(lead, "take_back")) == [
        ("sent or closed already", 2),
        ("not in the outbox", 1),
    ]


def test_each_line_goes_through_the_service_of_a_single_press(lead: User) -> None:
    plain, sent, held = NoticeFactory(), NoticeFactory(notified=True), NoticeFactory(held=True)

    made = started(lead)
    bulk.run_slice(clock=noon)

    assert {notice.state for notice in Notice.objects.filter(pk__in=[plain.pk, held.pk])} == {"dismissed"}
    assert Notice.objects.get(pk=plain.pk).closed_because == "duplicate"
    event = Event.objects.get(act="dismiss", subject_id=plain.pk)
    assert (event.actor, event.became) == (f"user:{lead.pk}", "dismissed")
    assert outcomes(made) == {"done": 2, "skipped": 1}
    assert made.lines.get(notice=sent).reason == "This notice has been sent or closed already."
    assert Bulk.objects.get(pk=made.pk).state == "done"


def test_what_somebody_changed_since_is_skipped(lead: User) -> None:
    notice = NoticeFactory()
    made = started(lead)
    assess.hold(
        notice_id=notice.pk,
        kind="police_first",
        reason="new victim",
        until=NOON + HOUR,
        by=Actor.of(lead),
        now=NOON,
    )

    bulk.run_slice(clock=noon)

    assert Notice.objects.get(pk=notice.pk).state == "received"
    assert made.lines.get().reason == "Somebody has changed it since this was prepared."


def test_what_comes_into_the_filter_later_is_not_in_it(lead: User) -> None:
    NoticeFactory()
    made = prepared(lead)
    later = NoticeFactory()

    assert made.total == 1
    assert not made.lines.filter(notice=later).exists()


def test_starting_twice_starts_it_once(lead: User) -> None:
    NoticeFactory()
    made = started(lead)

    again = bulk.start(bulk_id=made.pk, reason="police", arguments={}, by=Actor.of(lead), now=NOON + HOUR)

    assert (again.reason, again.arguments) == ("check", DUPLICATE)
    assert Event.objects.filter(act="bulk").count() == 1


def test_who_what_how_many_and_why_is_written_down(lead: User) -> None:
    NoticeFactory()
    made = started(lead)

    event = Event.objects.get(act="bulk")

    assert (event.actor, event.subject_id) == (f"user:{lead.pk}", made.pk)
    assert event.data == {"act": "dismiss", "reason": "check", "notices": 1, "filter": "state=received"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"act": "nonsense"}, "what is to be done"),
        ({"notices": Notice.objects.none()}, "nothing to do"),
        ({"notices": Notice.objects.filter(pk=0)}, "nothing to do"),
        ({"limit": 1}, "more than 1 notices"),
    ],
)
def test_what_cannot_be_prepared_is_refused_and_leaves_nothing(
    lead: User, fields: dict[str, Any], words: str
) -> None:
    NoticeFactory()
    NoticeFactory()

    with pytest.raises(Invalid, match=words):
        prepared(lead, **fields)

    assert not Bulk.objects.exists()


def test_it_needs_a_reason_and_what_is_too_old_does_not_start(lead: User) -> None:
    NoticeFactory()
    made = prepared(lead)

    with pytest.raises(Invalid):
        bulk.start(bulk_id=made.pk, reason="because", arguments={}, by=Actor.of(lead), now=NOON)
    with pytest.raises(WrongState):
        bulk.start(bulk_id=made.pk, reason="check", arguments={}, by=Actor.of(lead), now=NOON + 24 * HOUR)
    with pytest.raises(NotFound):
        bulk.start(bulk_id=0, reason="check", arguments={}, by=Actor.of(lead), now=NOON)


def test_stopped_it_leaves_the_rest_and_goes_on_only_when_told(lead: User) -> None:
    NoticeFactory()
    made = started(lead)
    bulk.stop(bulk_id=made.pk, by=Actor.of(lead), now=NOON)

    bulk.run_slice(clock=noon)
    assert outcomes(made) == {"": 1}

    bulk.retry(bulk_id=made.pk, by=Actor.of(lead), now=NOON)
    bulk.run_slice(clock=noon)
    assert outcomes(made) == {"done": 1}
    with pytest.raises(WrongState):
        bulk.retry(bulk_id=made.pk, by=Actor.of(lead), now=NOON)


@pytest.mark.parametrize("fault", [OperationalError("gone for a moment"), KeyError("of an older version")])
def test_a_fault_fails_its_line_alone_and_only_that_is_tried_again(
    lead: User, monkeypatch: MonkeyPatch, fault: Exception
) -> None:
    first, second = NoticeFactory(), NoticeFactory()
    made = started(lead)
    broken, dismiss = {first.pk}, assess.dismiss

    def now_and_then(**arguments: Any) -> Notice:
        if arguments["notice_id"] in broken:
            raise fault
        return dismiss(**arguments)

    monkeypatch.setitem(bulk.ACTS, "dismiss", bulk.Doing("notice.assess", now_and_then))
    bulk.run_slice(clock=noon)
    assert outcomes(made) == {"done": 1, "failed": 1}

    broken.clear()
    done = made.lines.get(notice=second)
    bulk.retry(bulk_id=made.pk, by=Actor.of(lead), now=NOON)
    bulk.run_slice(clock=noon)

    assert outcomes(made) == {"done": 2}
    assert made.lines.get(notice=second).left_version == done.left_version
    assert Event.objects.filter(act="dismiss").count() == 2


def test_whoever_may_not_do_it_any_more_does_not_do_it_through_what_was_started_before(lead: User) -> None:
    notice = NoticeFactory()
    made = started(lead)
    User.objects.filter(pk=lead.pk).update(is_active=False)

    bulk.run_slice(clock=noon)

    assert Notice.objects.get(pk=notice.pk).state == "received"
    assert Bulk.objects.get(pk=made.pk).state == "stopped"
    assert Event.objects.get(act="stop_bulk").actor == "system:sweep_bulk"


def test_a_hold_is_undone_by_its_opposite_but_for_what_was_changed_since(lead: User) -> None:
    kept, changed = NoticeFactory(), NoticeFactory()
    hold = {"kind": "police_first", "reason": "new victim", "hours": 24}
    made = started(lead, "hold", hold)
    bulk.run_slice(clock=noon)
    assert {notice.hold_until for notice in Notice.objects.all()} == {NOON + 24 * HOUR}
    assess.release(notice_id=changed.pk, by=Actor.of(lead), now=NOON)

    back = bulk.undo(bulk_id=made.pk, language="en", by=Actor.of(lead), now=NOON)
    assert (back.act, back.state, back.total) == ("release", "prepared", 2)
    bulk.start(bulk_id=back.pk, reason="check", arguments={}, by=Actor.of(lead), now=NOON)
    bulk.run_slice(clock=noon)

    assert Notice.objects.get(pk=kept.pk).hold == ""
    assert outcomes(back) == {"done": 1, "skipped": 1}
    with pytest.raises(WrongState, match="cannot be undone"):
        bulk.undo(bulk_id=back.pk, language="en", by=Actor.of(lead), now=NOON)


def test_notices_are_taken_back_from_the_outbox(lead: User) -> None:
    ContactFactory(approved=True)
    notices = [NoticeFactory(routed=True) for _ in range(3)]

    made = started(lead, "take_back")
    bulk.run_slice(clock=noon)

    assert outcomes(made) == {"done": 3}
    assert {Notice.objects.get(pk=notice.pk).routed_at for notice in notices} == {None}


def test_old_ones_are_erased_and_what_runs_is_not(lead: User) -> None:
    NoticeFactory()
    never, running = prepared(lead), started(lead)
    Bulk.objects.filter(pk=running.pk).update(erased_at=NOON)

    bulk.erase_old(now=NOON + timedelta(days=1))

    assert list(Bulk.objects.all()) == [running]
    assert not BulkLine.objects.filter(bulk_id=never.pk).exists()


def test_preparing_asks_as_often_for_many_as_for_few(lead: User, django_assert_num_queries: Any) -> None:
    for _ in range(30):
        NoticeFactory()

    with django_assert_num_queries(5):  # savepoint, row, lines, total, savepoint
        prepared(lead)


# -- Exports ------------------------------------------------------------------------------------------------


def exported(person: User, columns: list[str], **fields: Any) -> Bulk:
    made = prepared(person, "export", **fields)
    return bulk.start(
        bulk_id=made.pk, reason="police", arguments={}, columns=columns, by=Actor.of(person), now=NOON
    )


def test_an_export_says_what_was_chosen_and_makes_formulas_harmless(
    lead: User, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    notices = [NoticeFactory(notified=True) for _ in range(5)]
    provider = notices[0].provider
    assert provider is not None
    provider.name = '=HYPERLINK("x"); Hosting'
    provider.save()

    made = exported(
        lead, ["reference", "state", "provider", "dispatches", "source", "notified_at", "nonsense"]
    )
    text = "".join(export.fetch(bulk_id=made.pk, by=Actor.of(lead), now=NOON))

    head, *rows = text.split("\r\n")
    assert head == "reference;state;provider;dispatches;source;notified_at"
    assert rows[0].startswith(f'{notices[0].reference};notified;"\'=HYPERLINK(""x""); Hosting";NTD-')
    assert rows[0].endswith(";;2026-11-24T12:00:00+00:00")
    assert len(rows) == 6
    assert rows[5] == ""


def test_no_column_holds_an_address_or_free_text(lead: User) -> None:
    NoticeFactory(held=True, hold_reason="see forum.example", content__url="https://forum.example/secret.jpg")
    made = exported(lead, list(COLUMNS))

    text = "".join(export.fetch(bulk_id=made.pk, by=Actor.of(lead), now=NOON))

    assert "forum" not in text
    assert "secret" not in text


def test_each_fetch_is_written_down_and_after_a_day_there_is_nothing_to_fetch(lead: User) -> None:
    NoticeFactory()
    made = exported(lead, ["reference"])
    export.fetch(bulk_id=made.pk, by=Actor.of(lead), now=NOON)
    export.fetch(bulk_id=made.pk, by=Actor.of(lead), now=NOON + HOUR)

    assert Event.objects.get(act="export").data == {
        "act": "export", "reason": "police", "notices": 1, "filter": "state=received",
    }  # fmt: skip
    assert Event.objects.filter(act="fetch_export", actor=f"user:{lead.pk}").count() == 2
    with pytest.raises(WrongState):
        export.fetch(bulk_id=made.pk, by=Actor.of(lead), now=NOON + 24 * HOUR)
    with pytest.raises(NotFound):
        export.fetch(bulk_id=started(lead).pk, by=Actor.of(lead), now=NOON)


# -- Several workers, and one that dies -----------------------------------------------------------------------


@pytest.fixture
def running(transactional_db: None) -> Bulk:
    """Sixty notices to dismiss, committed."""
    person = UserFactory(lead=True)
    for _ in range(60):
        NoticeFactory()
    return started(person)


def test_two_workers_never_do_the_same_line(running: Bulk) -> None:
    def work() -> None:
        try:
            bulk.run_slice(clock=noon)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert outcomes(running) == {"done": 60}
    assert Event.objects.filter(act="dismiss").count() == 60
    assert Bulk.objects.get(pk=running.pk).state == "done"


def test_a_worker_that_is_killed_has_done_a_line_or_not_and_the_next_goes_on(running: Bulk) -> None:
    program = """
import os, signal, django
django.setup()
from cases.services import bulk, assess
from cases.clock import database_now
real, count = assess.dismiss, [0]
def dies(**arguments):
    count[0] += 1
    made = real(**arguments)
    if count[0] == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return made
bulk.ACTS["dismiss"] = bulk.Doing("notice.assess", dies)
bulk.run_slice(clock=database_now)
"""
    host, question, rest = os.environ["DATABASE_URL"].partition("?")
    address = host.rpartition("/")[0] + f"/{connection.settings_dict['NAME']}" + question + rest
    environment = {"DATABASE_URL": address}
    killed = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, check=False
    )
    assert killed.returncode == -9, killed.stderr.decode()[-500:]
    assert outcomes(running) == {"done": 19, "": 41}
    assert Notice.objects.filter(state="dismissed").count() == 19

    bulk.run_slice(clock=noon)

    assert outcomes(running) == {"done": 60}
    assert Event.objects.filter(act="dismiss").count() == 60
