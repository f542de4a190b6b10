"""Objections: one at a time, each with its ground, its end and what came of it."""

from typing import Any

import pytest

from audit.record import Actor
from cases.models import Dispute, Message, Notice, SecondLook, Step
from cases.services import disputes, second
from cases.services.answers import Answer, Outcome, answer_many
from cases.services.refused import Invalid, NotFound, WrongState
from cases.services.withdraw import withdraw
from tests.factories import HOUR, NOON, SYSTEM, NoticeFactory, UserFactory

pytestmark = pytest.mark.django_db

DESK = Actor("user", "1")


def object_to(notice: Notice, answer: str = "dispute", now: Any = NOON + HOUR, **more: Any) -> Outcome:
    """The provider objects."""
    said = Answer(notice.reference, answer, **({"reason": "A beach"} | more))
    (outcome,) = answer_many(provider_id=notice.provider_id, answers=[said], by=SYSTEM, now=now)
    return outcome


def judge(notice: Notice, legal_class: str) -> None:
    """The second person judges."""
    reason = "" if legal_class == "baseline" else "adult"
    by = Actor.of(UserFactory(analyst=True, email="somebody@hotline.example"))
    second.judge_again(
        notice_id=notice.pk, legal_class=legal_class, reason=reason, by=by, now=NOON + 2 * HOUR
    )


def now_of(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def test_it_has_a_ground_and_a_working_day_for_the_decision() -> None:
    notice = NoticeFactory(notified=True)
    object_to(notice, ground="not_illegal")

    dispute = Dispute.objects.get()
    look = SecondLook.objects.open().get(notice=notice)
    assert (dispute.ground, dispute.outcome, dispute.at) == ("not_illegal", "", NOON + HOUR)
    assert (look.why, dispute.due_at) == ("dispute", NOON + 25 * HOUR)


def test_another_while_one_waits_is_refused_and_the_same_again_is_nothing_new() -> None:
    notice = NoticeFactory(notified=True)
    assert object_to(notice).outcome == "recorded"
    assert object_to(notice).outcome == "unchanged"
    for answer in ("dispute", "not_ours"):
        refused = object_to(notice, answer, reason="Another beach")
        assert refused.outcome == "refused"
        assert "2026-11-24 13:00 UTC still waits" in refused.reason
    assert Dispute.objects.count() == 1


def test_two_in_one_call_are_one_and_a_refusal() -> None:
    notice = NoticeFactory(notified=True)
    said = [Answer(notice.reference, "dispute", reason=reason) for reason in ("One", "Two")]
    outcomes = answer_many(provider_id=notice.provider_id, answers=said, by=SYSTEM, now=NOON + HOUR)
    assert [each.outcome for each in outcomes] == ["recorded", "refused"]


@pytest.mark.parametrize(("answer", "ground"), [("dispute", "shredded"), ("removed", "other")])
def test_a_ground_that_is_none_is_refused(answer: str, ground: str) -> None:
    assert object_to(NoticeFactory(notified=True), answer, ground=ground).outcome == "refused"


@pytest.mark.parametrize(
    ("legal_class", "outcome", "state"),
    [("not_illegal", "upheld", "withdrawn"), ("baseline", "rejected", "notified")],
)
def test_the_second_person_decides_on_what_is_said_of_the_material(
    legal_class: str, outcome: str, state: str
) -> None:
    notice = NoticeFactory(notified=True)
    object_to(notice, ground="not_illegal")
    judge(notice, legal_class)

    dispute = Dispute.objects.get()
    assert (dispute.outcome, dispute.decided_at) == (outcome, NOON + 2 * HOUR)
    assert now_of(notice).state == state


def test_what_was_judged_again_is_not_judged_a_third_time_but_may_still_not_be_theirs() -> None:
    notice = NoticeFactory(notified=True)
    object_to(notice)
    judge(notice, "baseline")

    refused = object_to(notice, reason="A beach, I tell you", now=NOON + 3 * HOUR)
    assert (refused.outcome, "the notice stands" in refused.reason) == ("refused", True)
    assert object_to(notice, "not_ours", reason="Beta has it", now=NOON + 3 * HOUR).outcome == "recorded"


def test_that_it_was_gone_before_makes_a_check_due_now() -> None:
    notice = NoticeFactory(notified=True, next_check_at=NOON + 5 * HOUR)
    object_to(notice, ground="already_gone")
    assert now_of(notice).next_check_at == NOON + HOUR
    assert now_of(notice).claimed_removed_at is None


def test_whose_it_is_is_found_out_anew_when_it_is_not_theirs() -> None:
    notice = NoticeFactory(notified=True)
    object_to(notice, "not_ours", reason="Beta Hosting has it")
    assert not SecondLook.objects.exists()

    reference = disputes.uphold(dispute_id=Dispute.objects.get().pk, by=DESK, now=NOON + 2 * HOUR)

    closed = now_of(notice)
    assert (closed.state, closed.closed_because) == ("withdrawn", "wrong_provider")
    assert Dispute.objects.get().outcome == "upheld"
    again = Notice.objects.get(reference=reference)
    assert (again.previous, again.content_id, again.state) == (notice, notice.content_id, "received")
    assert (again.hold, again.came_back) == ("contact_review", False)
    assert notice.reference in again.hold_reason


def test_why_it_is_theirs_after_all_is_said_in_one_sentence_and_the_ladder_comes_sooner() -> None:
    notice = NoticeFactory(notified=True)
    object_to(notice, "not_ours")
    (dispute,) = Dispute.objects.all()
    for why in ("  ", "x" * 301, "a\x00b"):
        with pytest.raises(Invalid):
            disputes.reject(dispute_id=dispute.pk, why=why, by=DESK, now=NOON + 2 * HOUR)

    disputes.reject(
        dispute_id=dispute.pk, why="192.0.2.10 is in your\n network.", by=DESK, now=NOON + 2 * HOUR
    )

    dispute = Dispute.objects.get()
    assert (dispute.outcome, dispute.why) == ("rejected", "192.0.2.10 is in your network.")
    assert now_of(notice).objection_rejected_at == NOON + 2 * HOUR
    for verb in (disputes.uphold, lambda **said: disputes.reject(why="Again", **said)):
        with pytest.raises(WrongState, match="decided on this objection already"):
            verb(dispute_id=dispute.pk, by=DESK, now=NOON + 3 * HOUR)


def test_the_notice_desk_does_not_decide_on_the_material() -> None:
    notice = NoticeFactory(notified=True)
    object_to(notice, ground="not_illegal")
    with pytest.raises(WrongState, match="about the material"):
        disputes.reject(dispute_id=Dispute.objects.get().pk, why="No", by=DESK, now=NOON + 2 * HOUR)
    with pytest.raises(NotFound):
        disputes.uphold(dispute_id=0, by=DESK, now=NOON)


@pytest.mark.parametrize(
    ("answer", "because", "outcome"),
    [
        ("not_ours", "wrong_provider", "upheld"),
        ("not_ours", "moved", "upheld"),
        ("dispute", "objection_upheld", "upheld"),
        ("dispute", "moved", "overtaken"),
    ],
)
def test_a_notice_that_is_taken_back_leaves_no_objection_open(
    answer: str, because: str, outcome: str
) -> None:
    notice = NoticeFactory(notified=True)
    object_to(notice, answer)
    withdraw(notice_id=notice.pk, because=because, by=DESK, now=NOON + 2 * HOUR)
    assert Dispute.objects.get().outcome == outcome


def test_an_objection_waits_for_no_message_of_ours() -> None:
    object_to(NoticeFactory(notified=True))
    assert not Message.objects.exists()
    assert not Step.objects.filter(sooner__gt="").exists()
