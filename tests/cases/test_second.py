"""A second judgement: by somebody else, blind, and the lead's word where two differ."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from audit.record import Actor
from cases.models import Assessment, DispatchLine, Notice, SecondLook
from cases.services import answers, assess, looks, outgoing, route, second, sending, undo, vocabulary
from cases.services.refused import Invalid, NotFound, Refused, WrongState
from cases.services.withdraw import withdraw
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    ContactFactory,
    NetworkFactory,
    NoticeFactory,
    SecondLookFactory,
    UserFactory,
    many,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def first() -> Actor:
    """Judges first."""
    return Actor.of(UserFactory(email="first@hotline.example"))


@pytest.fixture
def other() -> Actor:
    """Has judged nothing yet."""
    return Actor.of(UserFactory(email="other@hotline.example"))


@pytest.fixture
def lead() -> Actor:
    """Decides where two differ."""
    return Actor.of(UserFactory(lead=True))


def now_of(notice: Notice) -> Notice:
    return Notice.objects.select_related("content").get(pk=notice.pk)


def look_at(notice: Notice) -> SecondLook:
    return SecondLook.objects.filter(notice=notice).latest("pk")


def judged(by: Actor, legal_class: str, **said: object) -> Notice:
    notice: Notice = NoticeFactory(attributed=True)
    reason = "" if legal_class in {"baseline", "national"} else "adult"
    assess.assess(notice_id=notice.pk, legal_class=legal_class, reason=reason, by=by, now=NOON, **said)  # type: ignore[arg-type]
    return notice


def again(notice: Notice, by: Actor, legal_class: str, now: object = NOON + HOUR) -> SecondLook:
    reason = "" if legal_class in {"baseline", "national"} else "adult"
    return second.judge_again(
        notice_id=notice.pk,
        legal_class=legal_class,
        reason=reason,
        by=by,
        now=now,  # type: ignore[arg-type]
    )


def decide(look: SecondLook, stands: str, by: Actor, **said: str) -> SecondLook:
    return second.settle(look_id=look.pk, stands=stands, by=by, now=NOON + 2 * HOUR, **said)  # type: ignore[arg-type]


def dispute(notice: Notice, reason: str = "A beach", now: object = NOON + HOUR) -> None:
    words = answers.Answer(notice.reference, "dispute", reason=reason)
    answers.answer_many(
        provider_id=notice.provider_id or 0,
        answers=[words],
        by=SYSTEM,
        now=now,  # type: ignore[arg-type]
    )


# -- what wants one ---------------------------------------------------------------------------------------


def test_national_law_is_held_for_a_second_person_before_anything_is_sent(first: Actor, other: Actor) -> None:
    notice = judged(first, "national", urgent=True)

    held = now_of(notice)
    assert (held.hold, held.hold_review, held.hold_by, held.hold_until) == (
        "second_assessment", "second", str(first), None,
    )  # fmt: skip
    assert not Notice.objects.to_route(now=NOON + timedelta(days=30)).exists()
    look = look_at(notice)
    assert (look.why, look.due_at) == ("national", NOON + 2 * HOUR)

    again(notice, other, "national")

    assert list(Notice.objects.to_route(now=NOON + HOUR)) == [notice]
    assert look_at(notice).outcome == "agreed"


def test_nobody_ends_that_hold_by_hand(first: Actor, other: Actor) -> None:
    notice = judged(first, "national")

    with pytest.raises(WrongState, match="second person"):
        assess.release(notice_id=notice.pk, by=other, now=NOON)


def test_nobody_goes_around_the_second_person_or_the_lead_by_dismissing(
    first: Actor, other: Actor, lead: Actor
) -> None:
    unread, differing = judged(first, "national"), judged(first, "national")
    again(differing, other, "not_illegal")

    for notice in (unread, differing):
        for person in (first, other, lead):
            with pytest.raises(WrongState, match="second"):
                assess.dismiss(notice_id=notice.pk, because="not_illegal", by=person, now=NOON + HOUR)
        assert now_of(notice).state == "received"
        assert look_at(notice).settled_at is None

    decide(look_at(differing), "second", lead)
    assert now_of(differing).state == "dismissed"


def test_nobody_goes_around_the_lead_by_taking_the_first_judgement_back(
    first: Actor, other: Actor, lead: Actor
) -> None:
    notice = judged(first, "baseline")
    looks.want_second(notice_id=notice.pk, why="sample", by=SYSTEM, now=NOON)
    again(notice, other, "not_illegal")

    for act in (outgoing.take_back, undo.undo):
        for person in (first, other, lead):
            with pytest.raises(Refused):
                act(notice_id=notice.pk, by=person, now=NOON + HOUR)
    assert look_at(notice).settled_at is None
    assert now_of(notice).legal_class == "baseline"


def test_another_hold_that_ends_lets_national_law_go_no_further(
    first: Actor, static_resolver: FixedResolver
) -> None:
    ContactFactory(approved=True)
    NetworkFactory()
    notice = judged(first, "national", police_first=True)
    assert now_of(notice).hold == "police_first"

    route.route_due(resolver=static_resolver, by=SYSTEM, now=NOON + 25 * HOUR)

    held = now_of(notice)
    assert (held.hold, held.routed_at) == ("second_assessment", None)


@pytest.mark.parametrize(("percent", "drawn"), [(0, 0), (100, 20)])
def test_so_much_of_what_is_judged_is_drawn(
    first: Actor, host: Callable[..., None], percent: float, drawn: int
) -> None:
    host(second_sample_percent=percent)
    for number in range(20):
        judged(first, "baseline" if number % 2 else "not_illegal")

    assert SecondLook.objects.filter(why="sample").count() == drawn


def test_the_draw_is_by_a_key_and_always_the_same(host: Callable[..., None]) -> None:
    host(second_sample_percent=10)
    ids = [UUID(int=number) for number in range(20_000)]

    drawn = [looks.is_sampled(content_id) for content_id in ids]

    assert drawn == [looks.is_sampled(content_id) for content_id in ids]
    assert 0.09 < sum(drawn) / len(drawn) < 0.11
    host(second_sample_percent=5)
    fewer = [looks.is_sampled(content_id) for content_id in ids]
    assert all(whole for part, whole in zip(fewer, drawn, strict=True) if part)


def test_whoever_judges_again_is_drawn_the_same(first: Actor, host: Callable[..., None]) -> None:
    host(second_sample_percent=50)
    for notice in (judged(first, "baseline") for _ in range(12)):
        drawn = SecondLook.objects.filter(notice=notice, settled_at=None).exists()

        outgoing.take_back(notice_id=notice.pk, by=first, now=NOON + HOUR)
        assess.assess(notice_id=notice.pk, legal_class="baseline", by=first, now=NOON + 2 * HOUR)

        assert SecondLook.objects.filter(notice=notice, settled_at=None).exists() == drawn


def test_a_sample_does_not_delay_sending_but_a_difference_takes_it_out_of_the_outbox(other: Actor) -> None:
    look = SecondLookFactory()
    line = DispatchLine.objects.get(notice=look.notice)
    assert line.dropped_because == ""

    again(look.notice, other, "not_illegal")

    held = now_of(look.notice)
    assert (held.hold, held.routed_at, held.state) == ("second_assessment", None, "received")
    assert DispatchLine.objects.get(notice=held).dropped_because == "doubted"
    assert list(SecondLook.objects.differing()) == [look]


def test_what_is_on_its_way_is_looked_at_again_before_the_next_attempt(
    other: Actor, static_resolver: FixedResolver, host: Callable[..., None]
) -> None:
    host(relay_is_final_hop=True)
    look = SecondLookFactory()
    NetworkFactory()
    (tried,) = sending.claim(now=NOON, limit=1)
    again(look.notice, other, "not_illegal", NOON)
    assert now_of(look.notice).routed_at is not None  # an attempt was made: nobody can take it out

    assert sending.prepare(tried, resolver=static_resolver, by=SYSTEM, now=NOON) is None

    assert now_of(look.notice).hold == "second_assessment"
    assert DispatchLine.objects.get(notice=look.notice).dropped_because == "doubted"


def test_a_graver_reason_replaces_a_lesser_one_and_never_the_other_way() -> None:
    look = SecondLookFactory(notice=NoticeFactory(notified=True))

    looks.want_second(notice_id=look.notice_id, why="dossier", by=SYSTEM, now=NOON - 2 * HOUR)
    dispute(look.notice)
    looks.want_second(notice_id=look.notice_id, why="sample", by=SYSTEM, now=NOON)

    assert look_at(look.notice).why == "dispute"
    assert SecondLook.objects.count() == 1


def test_what_goes_back_to_the_work_desk_or_is_closed_wants_no_second_judgement(other: Actor) -> None:
    taken_back, dismissed = SecondLookFactory(), SecondLookFactory(notice=NoticeFactory(assessed=True))
    withdrawn = SecondLookFactory(notice=NoticeFactory(notified=True))

    outgoing.take_back(notice_id=taken_back.notice_id, by=SYSTEM, now=NOON)
    assess.dismiss(notice_id=dismissed.notice_id, because="duplicate", by=SYSTEM, now=NOON)
    withdraw(notice_id=withdrawn.notice_id, because="moved", by=SYSTEM, now=NOON)

    assert {look.outcome for look in SecondLook.objects.all()} == {"overtaken"}
    with pytest.raises(WrongState):
        again(taken_back.notice, other, "baseline")


def test_a_batch_of_disputes_opens_its_looks_with_as_many_queries_as_one(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    notices = many(30, notified=True)
    said = [answers.Answer(notice.reference, "dispute", reason="no") for notice in notices]

    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        answers.answer_many(provider_id=notices[0].provider_id or 0, answers=said, by=SYSTEM, now=NOON)

    assert SecondLook.objects.filter(why="dispute").count() == 30


# -- who may ----------------------------------------------------------------------------------------------


def test_the_first_is_never_the_second(first: Actor, other: Actor) -> None:
    notice = judged(first, "national")

    with pytest.raises(second.NotYou):
        again(notice, first, "national")
    assert not SecondLook.objects.for_somebody(first.user_id or 0).exists()
    assert SecondLook.objects.for_somebody(other.user_id or 0).exists()
    assert Assessment.objects.count() == 1


def test_whoever_judged_it_once_judges_no_dispute_of_it(first: Actor, other: Actor, lead: Actor) -> None:
    look = SecondLookFactory(agreed=True, notice=NoticeFactory(notified=True))
    dispute(look.notice)

    with pytest.raises(second.NotYou):
        again(look.notice, Actor.of(look.second_by), "baseline")
    again(look.notice, other, "baseline")


def test_the_database_refuses_one_person_twice() -> None:
    look = SecondLookFactory()

    with pytest.raises(IntegrityError, match="second_is_another_person"), transaction.atomic():
        SecondLook.objects.filter(pk=look.pk).update(second_by=look.first_by)


def test_a_machine_gives_no_second_judgement() -> None:
    with pytest.raises(Invalid):
        again(SecondLookFactory().notice, SYSTEM, "baseline")


def test_what_nobody_wants_judged_again_is_refused(other: Actor) -> None:
    with pytest.raises(WrongState):
        again(NoticeFactory(notified=True), other, "baseline")


# -- the lead ---------------------------------------------------------------------------------------------


def test_the_lead_lets_the_first_stand_and_it_goes_on(lead: Actor) -> None:
    look = SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True, hold="second_assessment",
                                                                  hold_review="second"))  # fmt: skip

    settled = decide(look, "first", lead)

    assert (settled.outcome, settled.settled_by_id) == ("first", lead.user_id)
    assert settled.lead is not None
    assert (settled.lead.legal_class, settled.lead.taken_from) == ("baseline", look.first)
    notice = now_of(look.notice)
    assert (notice.hold, notice.legal_class) == ("", "baseline")
    assert list(Notice.objects.to_route(now=NOON)) == [notice]


def test_the_lead_lets_a_judgement_stand_in_whatever_words_it_was_given(lead: Actor) -> None:
    look = SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True))
    for _change in range(2):
        draft = vocabulary.begin_draft(by=SYSTEM, now=NOON)
        vocabulary.put_in_force(version=draft.version, by=SYSTEM, now=NOON)

    settled = decide(look, "second", lead)

    assert settled.lead is not None
    assert (settled.lead.vocabulary_id, settled.lead.reason) == (1, "adult")


def test_what_the_lead_finds_not_illegal_is_dismissed_when_nothing_was_sent(lead: Actor) -> None:
    look = SecondLookFactory(differing=True, notice=NoticeFactory(assessed=True))

    decide(look, "second", lead)

    notice = now_of(look.notice)
    assert (notice.state, notice.closed_because, notice.legal_class) == (
        "dismissed",
        "not_illegal",
        "not_illegal",
    )


def test_what_the_lead_finds_not_illegal_is_withdrawn_when_it_was_sent(lead: Actor) -> None:
    look = SecondLookFactory(differing=True, notice=NoticeFactory(notified=True))

    decide(look, "third", lead, legal_class="cannot_judge", reason="password")

    notice = now_of(look.notice)
    assert (notice.state, notice.closed_because) == ("withdrawn", "judged_again")
    assert look_at(notice).lead.reason == "password"  # type: ignore[union-attr]


def test_what_the_lead_finds_illegal_after_all_comes_back_as_a_new_notice(lead: Actor) -> None:
    look = SecondLookFactory(notice=NoticeFactory(attributed=True, dismissed=True), read_as="baseline")

    decide(look, "second", lead)

    assert now_of(look.notice).state == "dismissed"
    back = Notice.objects.get(previous=look.notice)
    assert (back.state, back.content_id, back.assessed_at) == ("received", look.notice.content_id, None)


def test_a_corrected_class_is_that_of_the_notice(lead: Actor) -> None:
    look = SecondLookFactory(notice=NoticeFactory(notified=True), read_as="national")

    decide(look, "second", lead)

    notice = now_of(look.notice)
    assert (notice.state, notice.legal_class) == ("notified", "national")


def test_whoever_judged_does_not_decide(lead: Actor) -> None:
    look = SecondLookFactory(differing=True)

    for party in (look.first_by, look.second_by):
        with pytest.raises(second.NotYou):
            decide(look, "first", Actor.of(party))
    with pytest.raises(NotFound):
        second.settle(look_id=0, stands="first", by=lead, now=NOON)
    with pytest.raises(Invalid):
        decide(look, "none", lead)
    decide(look, "first", lead)
    with pytest.raises(WrongState):
        decide(look, "first", lead)


# -- disputes ---------------------------------------------------------------------------------------------


def test_a_dispute_wants_a_second_judgement_in_a_working_day_while_the_clock_runs() -> None:
    notice = NoticeFactory(notified=True)

    dispute(notice)

    look = look_at(notice)
    assert (look.why, look.due_at) == ("dispute", NOON + 25 * HOUR)
    assert now_of(notice).due_at == notice.due_at


def test_not_ours_is_about_the_place_and_wants_no_second_judgement() -> None:
    notice = NoticeFactory(notified=True)
    words = answers.Answer(notice.reference, "not_ours")
    answers.answer_many(provider_id=notice.provider_id, answers=[words], by=SYSTEM, now=NOON)

    assert not SecondLook.objects.exists()


def test_an_objection_that_the_second_person_shares_is_upheld(other: Actor) -> None:
    notice = NoticeFactory(notified=True)
    dispute(notice)

    again(notice, other, "not_illegal")

    closed = now_of(notice)
    assert (closed.state, closed.closed_because) == ("withdrawn", "objection_upheld")
    assert look_at(notice).outcome == "upheld"


def test_an_objection_that_the_second_person_does_not_share_is_rejected_once_and_for_all(
    other: Actor,
) -> None:
    notice = NoticeFactory(notified=True)
    dispute(notice)

    again(notice, other, "baseline")
    dispute(notice, "A beach, I tell you", NOON + 2 * HOUR)

    still = now_of(notice)
    assert (still.state, still.objection_rejected_at, still.due_at) == (
        "notified",
        NOON + HOUR,
        notice.due_at,
    )
    assert SecondLook.objects.filter(notice=notice).count() == 1


def test_a_second_person_who_cannot_judge_a_disputed_notice_leaves_it_to_the_lead(
    other: Actor, lead: Actor
) -> None:
    notice = NoticeFactory(notified=True)
    dispute(notice)

    again(notice, other, "cannot_judge")
    assert now_of(notice).objection_rejected_at is None
    decide(look_at(notice), "first", lead)

    assert now_of(notice).objection_rejected_at == NOON + 2 * HOUR


def test_another_class_rejects_the_objection_and_the_lead_decides_on_the_class(other: Actor) -> None:
    notice = NoticeFactory(notified=True)
    dispute(notice)

    look = again(notice, other, "national")

    assert now_of(notice).objection_rejected_at == NOON + HOUR
    assert list(SecondLook.objects.differing()) == [look]


def test_every_step_is_in_the_audit_and_none_of_it_says_a_class(first: Actor, other: Actor) -> None:
    notice = judged(first, "national")
    again(notice, other, "national")

    events = Event.objects.filter(subject="notice", subject_id=notice.pk).order_by("pk")
    assert sorted(event.act for event in events[1:]) == ["assess", "judge_again", "release", "want_second"]
    assert events.get(act="judge_again").data == {"why": "national"}


def test_a_look_without_a_notice_that_was_judged_is_not_opened() -> None:
    looks.want_second(notice_id=NoticeFactory().pk, why="dossier", by=SYSTEM, now=NOON)

    assert not SecondLook.objects.exists()
