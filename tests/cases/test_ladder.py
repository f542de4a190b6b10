"""The steps after a due moment: each once, in order, late when they are, and never a false accusation."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connections

from accounts.roles import may
from audit.models import Event
from cases import deadlines
from cases.models import Dispatch, DispatchLine, Notice, Step
from cases.services import ladder, observe
from cases.services.refused import Invalid, NotFound, WrongState
from cases.services.withdraw import withdraw
from tests.factories import NOON, SYSTEM, ContactFactory, NoticeFactory, StepFactory

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
TICK = timedelta(microseconds=1)


def sweep(now: datetime) -> None:
    """Both sweeps, as `manage.py sweep` runs them."""
    ladder.run_out_due(by=SYSTEM, now=now)
    ladder.take_steps_due(by=SYSTEM, now=now)


def taken(notice: Notice) -> list[str]:
    """The rungs that have fired, in the order of their due moment."""
    return list(Step.objects.filter(notice=notice, taken_at__isnull=False).values_list("code", flat=True))


def see_online(notice: Notice, at: datetime) -> None:
    seen = observe.Seen(notice.reference, at, "online", "checker-nl", http_status=200)
    (outcome,) = observe.observe(sightings=[seen], by=SYSTEM, now=at)
    assert outcome.outcome == "recorded"


def step(notice: Notice, code: str) -> Step:
    return Step.objects.get(notice=notice, code=code)


@pytest.mark.django_db
def test_the_hint_fires_at_20_hours_once_and_not_before() -> None:
    notice = NoticeFactory(notified=True)

    sweep(NOON + 20 * HOUR - TICK)
    assert taken(notice) == []
    sweep(NOON + 20 * HOUR)
    sweep(NOON + 20 * HOUR + timedelta(seconds=1))
    assert taken(notice) == ["hint"]
    assert not step(notice, "hint").late


@pytest.mark.django_db
def test_material_seen_online_gets_a_reminder_every_24_hours_and_the_rungs_in_order() -> None:
    notice = NoticeFactory(notified=True)
    for hours in range(0, 97, 3):
        see_online(notice, NOON + hours * HOUR)
        sweep(NOON + hours * HOUR)

    steps = list(Step.objects.filter(notice=notice, taken_at__isnull=False).order_by("taken_at", "pk"))
    assert [(each.code, (each.due_at - NOON) / HOUR) for each in steps] == [
        ("hint", 20),
        ("reminder-1", 24),
        ("reminder-2", 48),
        ("call", 48),
        ("reminder-3", 72),
        ("dossier", 72),
        ("reminder-4", 96),
    ]
    reminders = Dispatch.objects.filter(kind="reminder").order_by("round")
    assert [each.round for each in reminders] == [1, 2, 3, 4]
    assert all(each.lines.get().notice_id == notice.pk for each in reminders)


@pytest.mark.django_db
def test_after_ten_hours_without_workers_every_step_fires_once_in_order_flagged_late() -> None:
    notice = NoticeFactory(notified=True)
    see_online(notice, NOON + 29 * HOUR)

    sweep(NOON + 30 * HOUR)
    sweep(NOON + 30 * HOUR)

    steps = list(Step.objects.filter(notice=notice, taken_at__isnull=False))
    assert [(each.code, each.late) for each in steps] == [("hint", True), ("reminder-1", True)]
    assert steps[0].due_at <= steps[1].due_at
    assert Dispatch.objects.filter(kind="reminder").count() == 1
    assert Notice.objects.get(pk=notice.pk).escalated_at == NOON + DAY


@pytest.mark.django_db
@pytest.mark.parametrize(("delay", "late"), [(timedelta(seconds=60), False), (timedelta(seconds=61), True)])
def test_a_step_is_late_after_a_minute(delay: timedelta, late: bool) -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + 20 * HOUR + delay)

    assert step(notice, "hint").late is late


@pytest.mark.django_db
def test_after_an_outage_of_days_no_rung_is_left_behind() -> None:
    notice = NoticeFactory(notified=True)
    see_online(notice, NOON + 73 * HOUR)

    sweep(NOON + 74 * HOUR)

    assert set(taken(notice)) == {"hint", "reminder-1", "reminder-2", "reminder-3", "call", "dossier"}
    assert not Step.objects.due(now=NOON + 74 * HOUR).exists()


# -- reminders need eyes or a supervisor (I7) -----------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "reminded"), [(4 * HOUR, True), (4 * HOUR + TICK, False)])
def test_a_reminder_needs_a_sighting_of_at_most_four_hours(age: timedelta, reminded: bool) -> None:
    notice = NoticeFactory(notified=True, last_seen_online_at=NOON + DAY - age)

    sweep(NOON + DAY)

    rung = step(notice, "reminder-1")
    assert (rung.outcome, rung.waits_for) == (("reminded", "") if reminded else ("", "sighting"))
    assert Dispatch.objects.filter(kind="reminder").exists() is reminded


@pytest.mark.django_db
def test_a_waiting_reminder_holds_up_neither_the_call_nor_the_dossier() -> None:
    notice = NoticeFactory(notified=True)

    for hours in (24, 48, 72):
        sweep(NOON + hours * HOUR)

    assert taken(notice) == ["hint", "call", "dossier"]
    assert step(notice, "reminder-1").waits_for == "sighting"
    assert not Dispatch.objects.filter(kind="reminder").exists()


@pytest.mark.django_db
def test_a_supervisors_yes_lets_a_waiting_reminder_go() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + DAY)
    rung = step(notice, "reminder-1")

    ladder.send_anyway(step_id=rung.pk, by=SYSTEM, now=NOON + 25 * HOUR)

    assert step(notice, "reminder-1").outcome == Step.Outcome.INSISTED
    assert Dispatch.objects.get(kind="reminder").lines.get().notice_id == notice.pk
    assert Event.objects.filter(act="send_anyway", subject_id=notice.pk).count() == 1
    assert step(notice, "reminder-2").due_at == NOON + 48 * HOUR
    with pytest.raises(WrongState):
        ladder.send_anyway(step_id=rung.pk, by=SYSTEM, now=NOON + 25 * HOUR)


@pytest.mark.django_db
def test_seeing_it_online_lets_a_waiting_reminder_go_by_itself() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + DAY)

    see_online(notice, NOON + 26 * HOUR)
    sweep(NOON + 26 * HOUR)

    assert step(notice, "reminder-1").outcome == Step.Outcome.REMINDED


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["removed", "withdrawn"])
def test_nothing_fires_after_removal_or_withdrawal(end: str) -> None:
    notice = NoticeFactory(**{end: True})
    StepFactory(notice=notice, code="reminder-1")

    sweep(NOON + 30 * HOUR)

    assert step(notice, "reminder-1").outcome == Step.Outcome.OVERTAKEN
    assert not Dispatch.objects.filter(kind="reminder").exists()
    assert not Step.objects.filter(notice=notice).asking().exists()


@pytest.mark.django_db
def test_a_withdrawal_overtakes_what_waits() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + DAY)
    assert step(notice, "reminder-1").waits_for == "sighting"

    withdraw(notice_id=notice.pk, because="wrong_provider", by=SYSTEM, now=NOON + 25 * HOUR)

    assert (step(notice, "reminder-1").outcome, step(notice, "reminder-1").waits_for) == ("overtaken", "")
    with pytest.raises(WrongState):
        ladder.send_anyway(step_id=step(notice, "reminder-1").pk, by=SYSTEM, now=NOON + 25 * HOUR)


@pytest.mark.django_db
def test_a_clock_that_starts_again_begins_its_own_ladder_beside_the_voided_one() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + 20 * HOUR)
    for nth in (1, 2):
        Step.objects.filter(notice=notice).void(at=NOON + 21 * HOUR)
        assert set(Step.objects.filter(notice=notice).values_list("voided", flat=True)) == set(
            range(1, nth + 1)
        )
        StepFactory(notice=notice, code="hint")

    assert taken(notice) == ["hint", "hint"]
    sweep(NOON + 30 * HOUR)
    assert [s.code for s in Step.objects.filter(notice=notice, voided=0)] == ["hint", "reminder-1", "call"]


@pytest.mark.django_db
def test_a_voided_clock_leaves_no_step_behind() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + DAY)
    assert step(notice, "reminder-1").waits_for == "sighting"

    Step.objects.filter(notice=notice).void(at=NOON + 25 * HOUR)

    assert not Step.objects.filter(taken_at__isnull=True).exists()
    assert (step(notice, "reminder-1").outcome, step(notice, "reminder-1").voided) == ("overtaken", 1)


@pytest.mark.django_db
def test_reminders_of_one_round_to_one_contact_go_in_one_message() -> None:
    contact = ContactFactory(approved=True)
    for _ in range(3):
        NoticeFactory(
            notified=True, provider=contact.provider, contact=contact, last_seen_online_at=NOON + DAY
        )

    sweep(NOON + DAY)

    assert Dispatch.objects.get(kind="reminder").lines.count() == 3


# -- people ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_somebody_says_once_that_they_see_to_a_step() -> None:
    notice = NoticeFactory(escalated=True)
    rung = StepFactory(notice=notice, code="call", taken_at=NOON + 48 * HOUR)
    assert rung in Step.objects.asking()

    ladder.acknowledge_step(step_id=rung.pk, by=SYSTEM, now=NOON + 49 * HOUR)

    assert rung not in Step.objects.asking()
    with pytest.raises(WrongState):
        ladder.acknowledge_step(step_id=rung.pk, by=SYSTEM, now=NOON + 49 * HOUR)


@pytest.mark.django_db
def test_there_is_nothing_to_do_with_a_step_that_does_not_exist() -> None:
    for verb in (ladder.acknowledge_step, ladder.send_anyway):
        with pytest.raises(NotFound):
            verb(step_id=0, by=SYSTEM, now=NOON)


# -- many hands -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_escalate_and_remind_each_notice_once() -> None:
    contact = ContactFactory(approved=True)
    notices = [
        NoticeFactory(
            notified=True, provider=contact.provider, contact=contact, last_seen_online_at=NOON + DAY
        )
        for _ in range(30)
    ]
    faults: list[BaseException] = []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            for _ in range(3):
                sweep(NOON + DAY)
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert faults == []
    assert Event.objects.filter(became="escalated").count() == 30
    assert Step.objects.filter(code="reminder-1", outcome="reminded").count() == 30
    reminded = [line for each in Dispatch.objects.filter(kind="reminder") for line in each.lines.all()]
    assert sorted(line.notice_id for line in reminded) == sorted(notice.pk for notice in notices)
    assert deadlines.rung("reminder-1").role == "supervisor"


# -- from role to role ----------------------------------------------------------------------------------


PATIENCE = timedelta(hours=2)


def owners(notice: Notice, code: str) -> tuple[str, int]:
    """Whose a step is, and how often it was passed on."""
    rung = step(notice, code)
    return rung.owner, rung.passed


@pytest.mark.django_db
def test_a_step_that_nobody_sees_to_goes_from_role_to_role_once_each_and_the_last_keeps_it() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + 20 * HOUR)
    assert owners(notice, "hint") == ("notice_desk", 0)

    fired = NOON + 20 * HOUR
    for at, whose in (
        (fired + PATIENCE - TICK, ("notice_desk", 0)),
        (fired + PATIENCE, ("supervisor", 1)),
        (fired + PATIENCE + TICK, ("supervisor", 1)),
        (fired + 2 * PATIENCE - TICK, ("supervisor", 1)),
        (fired + 2 * PATIENCE, ("lead", 2)),
        (fired + 9 * PATIENCE, ("lead", 2)),
    ):
        ladder.pass_on_due(by=SYSTEM, now=at)
        assert owners(notice, "hint") == whose

    passings = Event.objects.filter(act="pass_on", subject="notice", subject_id=notice.pk).order_by("pk")
    assert [(each.data["from_role"], each.data["to_role"]) for each in passings if each.data] == [
        ("notice_desk", "supervisor"),
        ("supervisor", "lead"),
    ]


@pytest.mark.django_db
def test_after_an_outage_a_step_is_passed_on_once_and_the_next_role_has_its_time() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + 20 * HOUR)

    back = NOON + 30 * HOUR
    assert [ladder.pass_on_due(by=SYSTEM, now=back) for _ in range(2)] == [1, 0]

    assert owners(notice, "hint") == ("supervisor", 1)
    assert step(notice, "hint").pass_at == back + PATIENCE


@pytest.mark.django_db
def test_who_sees_to_a_step_keeps_it() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + 20 * HOUR)
    ladder.acknowledge_step(step_id=step(notice, "hint").pk, by=SYSTEM, now=NOON + 21 * HOUR)

    assert ladder.pass_on_due(by=SYSTEM, now=NOON + 40 * HOUR) == 0
    assert owners(notice, "hint") == ("notice_desk", 0)


@pytest.mark.django_db
def test_a_reminder_that_waits_for_a_yes_goes_to_the_next_role_as_well() -> None:
    notice = NoticeFactory(notified=True)
    sweep(NOON + DAY)

    assert ladder.pass_on_due(by=SYSTEM, now=NOON + DAY + PATIENCE) == 1
    assert owners(notice, "reminder-1") == ("lead", 1)


@pytest.mark.django_db
def test_the_hint_asks_nobody_any_more_once_the_term_is_over() -> None:
    notice = NoticeFactory(notified=True, last_seen_online_at=NOON + DAY)
    sweep(NOON + 23 * HOUR)
    assert [each.code for each in Step.objects.asking()] == ["hint"]

    sweep(NOON + DAY)

    assert [each.code for each in Step.objects.asking()] == ["reminder-1"]
    with pytest.raises(WrongState, match="Nobody needs"):
        ladder.acknowledge_step(step_id=step(notice, "hint").pk, by=SYSTEM, now=NOON + DAY)


@pytest.mark.django_db
def test_a_second_reminder_that_goes_out_by_itself_asks_nobody_and_one_without_a_contact_does() -> None:
    heard = NoticeFactory(escalated=True, last_seen_online_at=NOON + 48 * HOUR)
    unheard = NoticeFactory(escalated=True, last_seen_online_at=NOON + 48 * HOUR)
    DispatchLine.objects.filter(notice=unheard).update(dropped_because="cancelled")
    for notice in (heard, unheard):
        Step.objects.filter(notice=notice, code="reminder-1").update(taken_at=NOON + DAY)
        StepFactory(notice=notice, code="reminder-2")

    sweep(NOON + 48 * HOUR)

    asking = Step.objects.asking().filter(code="reminder-2")
    assert [(each.notice_id, each.outcome) for each in asking] == [(unheard.pk, "no_contact")]


@pytest.mark.django_db
def test_proof_of_removal_ends_every_question() -> None:
    notice = NoticeFactory(notified=True)
    for hours in (24, 48):
        sweep(NOON + hours * HOUR)
    assert set(Step.objects.asking().values_list("code", flat=True)) == {"reminder-1", "call"}

    for minutes in (0, 5, 10):
        at = NOON + 49 * HOUR + timedelta(minutes=minutes)
        seen = observe.Seen(notice.reference, at, "gone", "checker-nl", http_status=404)
        observe.observe(sightings=[seen], by=SYSTEM, now=at)

    assert Notice.objects.get(pk=notice.pk).state == Notice.State.REMOVED
    assert not Step.objects.asking().exists()
    assert not Step.objects.to_call().exists()
    assert ladder.pass_on_due(by=SYSTEM, now=NOON + 99 * HOUR) == 0


def test_every_role_that_a_step_is_asked_of_exists_and_may_see_to_it() -> None:
    asked = {deadlines.rung(code).role for code in (*deadlines.LADDER, "reminder-2")}
    assert asked | set(deadlines.PASSES_TO.values()) | set(deadlines.PASSES_TO) == set(deadlines.ROLES)
    for role in deadlines.ROLES:
        assert may(frozenset({role}), "step.act"), role


# -- sooner, and the telephone --------------------------------------------------------------------------


def dues(notice: Notice) -> dict[str, tuple[float, str]]:
    """Code -> hours after t0, and why sooner; of the call and the dossier."""
    rungs = Step.objects.filter(notice=notice, code__in=["call", "dossier"])
    return {each.code: ((each.due_at - NOON) / HOUR, each.sooner) for each in rungs}


@pytest.mark.django_db
@pytest.mark.parametrize(("ended", "expected"), [(2, (48, "")), (3, (24, "often"))])
def test_a_provider_that_let_three_terms_end_lately_is_called_sooner(
    ended: int, expected: tuple[float, str]
) -> None:
    contact = ContactFactory(approved=True)
    for number in range(1, ended):
        NoticeFactory(
            escalated=True, provider=contact.provider, contact=contact, notified_at=NOON - number * 7 * DAY
        )
    # What ended longer ago, and what was withdrawn, does not count.
    NoticeFactory(escalated=True, provider=contact.provider, contact=contact, notified_at=NOON - 30 * DAY)
    NoticeFactory(withdrawn=True, provider=contact.provider, contact=contact, notified_at=NOON - 2 * DAY)
    notice = NoticeFactory(notified=True, provider=contact.provider, contact=contact)

    sweep(NOON + DAY)

    assert dues(notice)["call"] == expected
    # A call that is due when the term ends has its dossier a term later.
    assert dues(notice).get("dossier") == ((48, "often") if ended == 3 else None)


@pytest.mark.django_db
def test_an_objection_that_was_rejected_brings_the_call_forward_but_not_before_the_term_is_over() -> None:
    before = NoticeFactory(notified=True, disputed_at=NOON + HOUR, objection_rejected_at=NOON + 2 * HOUR)
    sweep(NOON + DAY)
    assert dues(before)["call"] == (24, "refused")

    after = NoticeFactory(notified=True)
    sweep(NOON + DAY)
    assert dues(after) == {"call": (48, "")}
    ladder.hasten(notice_ids=[after.pk], now=NOON + 30 * HOUR)
    assert dues(after) == {"call": (30, "refused")}
    sweep(NOON + 30 * HOUR)
    assert taken(after) == ["hint", "call"]


@pytest.mark.django_db
def test_a_call_is_written_down_with_what_came_of_it_and_done_when_somebody_was_spoken_to() -> None:
    notice = NoticeFactory(notified=True)
    for hours in (24, 48):
        sweep(NOON + hours * HOUR)
    (provider_id,) = Notice.objects.values_list("provider_id", flat=True)
    assert [each.code for each in Step.objects.to_call()] == ["call"]

    for hours, outcome, left in ((49, "not_reached", 1), (50, "promised", 0)):
        ladder.record_call(
            provider_id=provider_id,
            outcome=outcome,
            note="Spoke to the desk",
            by=SYSTEM,
            now=NOON + hours * HOUR,
        )
        assert Step.objects.to_call().count() == left

    assert [(call.outcome, call.note) for call in step(notice, "call").calls.order_by("pk")] == [
        ("not_reached", "Spoke to the desk"),
        ("promised", "Spoke to the desk"),
    ]
    assert step(notice, "call").acknowledged_at == NOON + 49 * HOUR
    assert Event.objects.filter(act="call", subject_id=notice.pk).count() == 2
    with pytest.raises(WrongState):
        ladder.record_call(provider_id=provider_id, outcome="reached", by=SYSTEM, now=NOON + 51 * HOUR)
    with pytest.raises(Invalid):
        ladder.record_call(provider_id=provider_id, outcome="shouted", by=SYSTEM, now=NOON + 51 * HOUR)


@pytest.mark.django_db
def test_a_refusal_on_the_telephone_brings_the_dossier_forward() -> None:
    notice = NoticeFactory(notified=True)
    for hours in (24, 48):
        sweep(NOON + hours * HOUR)
    assert dues(notice)["dossier"] == (72, "")

    ladder.record_call(provider_id=notice.provider_id, outcome="refused", by=SYSTEM, now=NOON + 50 * HOUR)

    assert dues(notice)["dossier"] == (50, "refused")


@pytest.mark.django_db
def test_what_fell_to_be_called_about_after_the_call_is_still_to_call() -> None:
    contact = ContactFactory(approved=True)
    early, late = (
        NoticeFactory(escalated=True, provider=contact.provider, contact=contact) for _ in range(2)
    )
    StepFactory(notice=early, code="call", taken_at=NOON + 48 * HOUR)
    StepFactory(notice=late, code="call", taken_at=NOON + 49 * HOUR)

    ladder.record_call(
        provider_id=contact.provider_id,
        outcome="reached",
        until=NOON + 48 * HOUR,
        by=SYSTEM,
        now=NOON + 50 * HOUR,
    )

    assert [each.notice_id for each in Step.objects.to_call()] == [late.pk]
