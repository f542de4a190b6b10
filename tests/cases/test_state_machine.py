"""The notice's state machine: one table, held by the model, by sets, and by the database itself."""

import itertools
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django_fsm import TransitionNotAllowed

from audit.record import record
from cases.models import DeadlineRule, Dispatch, Notice
from cases.models.dispatch import EDGES as DISPATCH_EDGES
from cases.models.notice import EDGES
from cases.services.moving import move_all, moving, moving_many
from cases.services.refused import NotFound, Stale, WrongState
from tests.factories import NOON, SYSTEM, ContactFactory, DispatchFactory, NoticeFactory, ProviderFactory

State = Notice.State

#: What each verb makes of each state; a pair that is not here is refused. "sent" is received, with our relay.
TABLE = {
    ("received", "notify"): "notified",
    ("sent", "notify"): "notified",
    ("received", "dismiss"): "dismissed",
    ("sent", "withdraw"): "withdrawn",
    ("notified", "escalate"): "escalated",
    ("notified", "remove"): "removed",
    ("notified", "withdraw"): "withdrawn",
    ("escalated", "remove"): "removed",
    ("escalated", "withdraw"): "withdrawn",
    ("notified", "void"): "received",
    ("escalated", "void"): "received",
}
STATES = ("received", "sent", "notified", "escalated", "removed", "dismissed", "withdrawn")
VERBS: dict[str, Callable[[Notice], None]] = {
    "notify": lambda n: n.notify(at=NOON, rule=DeadlineRule.objects.get(version=1), estimated=False),
    "dismiss": lambda n: n.dismiss(at=NOON, because=Notice.Dismissal.DUPLICATE),
    "escalate": lambda n: n.escalate(at=NOON),
    "remove": lambda n: n.remove(at=NOON, gone_since=NOON - timedelta(minutes=10)),
    "withdraw": lambda n: n.withdraw(at=NOON, because=Notice.Withdrawal.MOVED),
    "void": lambda n: n.void(),
}
PAIRS = list(itertools.product(STATES, VERBS))
CODES = [str(state) for state in State]
#: Every pair of states that a raw UPDATE may try.
JUMPS = [(was, to) for was, to in itertools.product(CODES, CODES) if was != to]


def notice_in(state: str) -> Notice:
    """A notice in a row of the table."""
    return NoticeFactory(**({"routed": True} if state == "received" else {state: True}))


def bend(notice: Notice, to: str) -> dict[str, str]:
    """Column -> SQL that satisfies every constraint of state `to`, so that only the guard can say no."""
    clock = to not in {"received", "dismissed"}
    rule = DeadlineRule.objects.get(version=1).pk
    return {
        "provider_id": str(ProviderFactory().pk),
        "assessed_at": "n.received_at",
        "routed_at": "n.received_at",
        "sent_at": "NULL" if to == "dismissed" else "n.received_at",
        "notified_at": "n.received_at" if clock else "NULL",
        "rule_id": str(rule) if clock else "NULL",
        "due_at": "n.received_at + interval '24 hours'" if clock else "NULL",
        "gone_since": "n.received_at",
        "removed_at": "n.received_at",
        "escalated_at": "n.received_at",
        "closed_at": "n.received_at",
        "closed_because": "'moved'",
    }


def jump(notice: Notice, to: str) -> None:
    """A raw UPDATE of the state and of whatever the constraints want."""
    columns = ", ".join(f"{column} = {sql}" for column, sql in bend(notice, to).items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE cases_notice n SET state = %s, {columns} WHERE id = %s",  # noqa: S608 - our own columns
            [to, notice.pk],
        )


def commit() -> None:
    """What happens at commit, inside a test's transaction."""
    connection.check_constraints()


# -- the model ------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "verb"), PAIRS)
def test_the_table_is_what_the_model_allows(state: str, verb: str) -> None:
    is_sent = state in {"sent", "notified", "escalated", "removed", "withdrawn"}
    notice = Notice(state="received" if state == "sent" else state, sent_at=NOON if is_sent else None)

    if (state, verb) in TABLE:
        VERBS[verb](notice)
        assert notice.state == TABLE[state, verb]
    else:
        with pytest.raises(TransitionNotAllowed):
            VERBS[verb](notice)


def test_the_edges_for_sets_and_for_the_database_are_the_transitions_of_the_model() -> None:
    transitions = {
        (str(each.source), str(each.target))
        for each in Notice._meta.get_field("state").get_all_transitions(Notice)
    }

    assert set(EDGES) == transitions
    assert set(EDGES) == {
        ("received" if was == "sent" else was, became) for (was, _), became in TABLE.items()
    }


def test_nobody_sets_a_state_by_hand() -> None:
    with pytest.raises(AttributeError):
        Notice().state = State.REMOVED


# -- the two places that write --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "verb"), PAIRS)
def test_a_locked_batch_allows_what_the_model_allows(state: str, verb: str) -> None:
    notice = notice_in(state)

    def act() -> None:
        with moving_many([notice.pk], verb, by=SYSTEM, now=NOON) as notices:
            for each in notices:
                if verb == "notify":
                    each.sent_at = each.sent_at or NOON
                VERBS[verb](each)

    if (state, verb) in TABLE:
        act()
        commit()
        assert Notice.objects.get(pk=notice.pk).state == TABLE[state, verb]
    else:
        with pytest.raises(WrongState):
            act()
        assert Notice.objects.get(pk=notice.pk).state == notice.state


@pytest.mark.django_db
@pytest.mark.parametrize(("was", "to"), JUMPS)
def test_a_move_of_all_that_is_due_allows_only_edges(was: str, to: str) -> None:
    notice = notice_in(was)

    def act() -> None:
        move_all(
            Notice.objects.filter(pk=notice.pk),
            "test",
            State(to),
            columns=bend(notice, to),
            by=SYSTEM,
            now=NOON,
            limit=10,
        )

    if (was, to) in EDGES:
        act()
        commit()
        assert Notice.objects.get(pk=notice.pk).state == to
    else:
        with pytest.raises(WrongState):
            act()
        assert Notice.objects.get(pk=notice.pk).state == was


# -- the database ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("was", "to"), JUMPS)
def test_a_raw_update_without_an_audit_event_is_refused_whatever_the_states(was: str, to: str) -> None:
    notice = notice_in(was)
    commit()
    jump(notice, to)

    message = "without an audit event" if (was, to) in EDGES else "is no transition"
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        commit()
    transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize(("was", "to"), [pair for pair in JUMPS if pair not in EDGES])
def test_a_raw_update_with_an_audit_event_but_no_edge_is_refused(was: str, to: str) -> None:
    notice = notice_in(was)
    jump(notice, to)
    record("cheat", "notice", notice.pk, by=SYSTEM, at=NOON, was=was, became=to)

    with pytest.raises(IntegrityError, match="is no transition"), transaction.atomic():
        commit()
    transaction.set_rollback(True)


@pytest.mark.django_db
def test_an_event_about_another_notice_does_not_cover_a_move() -> None:
    notice, other = notice_in("notified"), notice_in("notified")
    commit()
    jump(notice, "escalated")
    record("escalate", "notice", other.pk, by=SYSTEM, at=NOON, was="notified", became="escalated")

    with pytest.raises(IntegrityError, match="without an audit event"), transaction.atomic():
        commit()
    transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_an_event_of_an_earlier_transaction_does_not_cover_a_later_move() -> None:
    notice = notice_in("notified")
    record("escalate", "notice", notice.pk, by=SYSTEM, at=NOON, was="notified", became="escalated")

    with pytest.raises(IntegrityError, match="without an audit event"), transaction.atomic():
        jump(notice, "escalated")
    assert Notice.objects.get(pk=notice.pk).state == State.NOTIFIED


@pytest.mark.django_db(transaction=True)
def test_a_raw_update_over_another_connection_is_refused_at_commit() -> None:
    notice = notice_in("notified")
    database = connection.settings_dict

    with psycopg.connect(host=database["HOST"], user=database["USER"], dbname=database["NAME"]) as link:
        link.execute(
            "UPDATE cases_notice SET state = 'escalated', escalated_at = due_at WHERE id = %s", [notice.pk]
        )
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="without an audit event"):
            link.commit()

    assert Notice.objects.get(pk=notice.pk).state == State.NOTIFIED


@pytest.mark.django_db
def test_a_bulk_update_around_the_services_is_refused() -> None:
    notice = notice_in("notified")
    commit()
    Notice.objects.filter(pk=notice.pk).update(state=State.ESCALATED, escalated_at=NOON)

    with pytest.raises(IntegrityError, match="without an audit event"), transaction.atomic():
        commit()
    transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_notice_that_is_added_without_an_audit_event_is_refused() -> None:
    twin = notice_in("received")
    commit()
    Notice.objects.create(content=NoticeFactory().content, received_at=NOON, provider=twin.provider)

    with (
        pytest.raises(IntegrityError, match="added as received without an audit event"),
        transaction.atomic(),
    ):
        commit()
    transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
def test_a_notice_is_never_deleted(state: str) -> None:
    notice = notice_in(state)

    with (
        pytest.raises(Exception, match="Cannot delete rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM cases_notice WHERE id = %s", [notice.pk])


@pytest.mark.django_db
def test_a_withdrawal_of_what_was_never_sent_is_refused_by_the_database_too() -> None:
    notice = notice_in("received")
    record("cheat", "notice", notice.pk, by=SYSTEM, at=NOON, was="received", became="withdrawn")

    with pytest.raises(IntegrityError, match="notice_withdrawn_was_sent"), transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(
            state=State.WITHDRAWN, closed_at=NOON, closed_because="moved", sent_at=None
        )


# -- the outbox's machine -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("was", "to"),
    [
        (was, to)
        for was, to in itertools.product(map(str, Dispatch.State), map(str, Dispatch.State))
        if was != to
    ],
)
def test_a_dispatch_moves_only_along_its_edges_and_only_with_an_event(was: str, to: str) -> None:
    dispatch = DispatchFactory(**({} if was == "pending" else {was: True}))
    commit()
    Dispatch.objects.filter(pk=dispatch.pk).update(
        state=to, accepted_at=NOON, evidence="250 OK", bounced_at=NOON, next_attempt_at=NOON
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        commit()
    record("test", "dispatch", dispatch.pk, by=SYSTEM, at=NOON, was=was, became=to)
    if (was, to) in DISPATCH_EDGES:
        commit()
    else:
        with pytest.raises(IntegrityError, match="is no transition"), transaction.atomic():
            commit()
        transaction.set_rollback(True)


# -- locking, versions, refusals ------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_change_counts_the_version_up_and_says_who_was_first() -> None:
    notice = NoticeFactory()
    with moving(notice.pk, "mark", by=SYSTEM, now=NOON, seen_version=0) as locked:
        locked.urgent = True

    with (
        pytest.raises(Stale) as refusal,
        moving(notice.pk, "mark", by=SYSTEM, now=NOON, seen_version=0) as locked,
    ):
        locked.urgent = False

    assert (refusal.value.seen, refusal.value.current) == (0, 1)
    assert Notice.objects.get(pk=notice.pk).urgent


@pytest.mark.django_db
def test_what_was_not_changed_is_neither_written_nor_recorded() -> None:
    notice = NoticeFactory(notified=True)
    with moving(notice.pk, "look", by=SYSTEM, now=NOON):
        pass

    assert Notice.objects.get(pk=notice.pk).version == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event WHERE act = 'look'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_there_is_no_moving_of_a_notice_that_does_not_exist() -> None:
    with pytest.raises(NotFound), moving(0, "look", by=SYSTEM, now=NOON):
        pass


@pytest.mark.django_db
def test_one_contact_hears_of_one_step_of_a_notice_once() -> None:
    notice = NoticeFactory(routed=True)
    contact = ContactFactory(approved=True)

    with pytest.raises(IntegrityError, match="dispatch_line_once"), transaction.atomic():
        DispatchFactory(contact=contact, lines_of=[notice])
