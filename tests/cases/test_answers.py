"""What providers say moves facts, never the state, and never another provider's notice."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.models import Event
from cases.models import Notice, Reply
from cases.services.answers import Answer, Outcome, answer_many
from cases.services.observe import Seen, observe
from tests.factories import NOON, SYSTEM, NoticeFactory, ProviderFactory

HOUR = timedelta(hours=1)


def answer(notice: Notice, word: str, *, now: datetime = NOON + HOUR, **more: Any) -> Outcome:
    assert notice.provider_id is not None
    (outcome,) = answer_many(
        provider_id=notice.provider_id,
        answers=[Answer(notice.reference, word, **more)],
        by=SYSTEM,
        now=now,
    )
    return outcome


def now_of(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


#: answer -> the fact that it leaves, besides that a human answered.
FACTS = {
    "acknowledged": None,
    "removed": "claimed_removed_at",
    "already_gone": "claimed_removed_at",
    "not_ours": "disputed_at",
    "dispute": "disputed_at",
    "forwarded": None,
    "need_information": None,
}


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["notified", "escalated"])
@pytest.mark.parametrize("word", Reply.Answer.values)
def test_every_answer_leaves_its_fact_and_no_other_and_moves_no_state(word: str, state: str) -> None:
    notice = NoticeFactory(**{state: True})

    assert answer(notice, word, reason="because").outcome == "recorded"

    told = now_of(notice)
    assert told.state == state
    assert told.due_at == NOON + 24 * HOUR
    assert told.acknowledged_at == NOON + HOUR
    facts = {name: getattr(told, name) for name in ("claimed_removed_at", "disputed_at")}
    assert facts == {name: NOON + HOUR if name == FACTS[word] else None for name in facts}
    assert Reply.objects.get(notice=notice).answer == word
    assert Event.objects.filter(act="reply", subject_id=notice.pk, data={"answer": word}).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("word", Reply.Answer.values)
def test_the_same_answer_again_changes_nothing(word: str) -> None:
    notice = NoticeFactory(notified=True)
    answer(notice, word, reason="because", note="a note")
    before = now_of(notice).version

    assert answer(notice, word, reason="because", note="a note", now=NOON + 2 * HOUR).outcome == "unchanged"

    assert Reply.objects.count() == 1
    assert now_of(notice).version == before


@pytest.mark.django_db
def test_the_same_answer_twice_in_one_call_counts_once() -> None:
    notice = NoticeFactory(notified=True)
    twice = [Answer(notice.reference, "forwarded", note="to our customer")] * 2

    outcomes = answer_many(provider_id=notice.provider_id, answers=twice, by=SYSTEM, now=NOON)

    assert [each.outcome for each in outcomes] == ["recorded", "unchanged"]


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["forwarded", "need_information"])
def test_the_same_answer_in_other_words_is_another_answer(word: str) -> None:
    notice = NoticeFactory(notified=True)
    answer(notice, word, reason="one")

    assert answer(notice, word, reason="two").outcome == "recorded"
    assert Reply.objects.count() == 2


@pytest.mark.django_db
def test_a_claim_makes_a_check_due_now() -> None:
    notice = NoticeFactory(notified=True, next_check_at=NOON + 5 * HOUR)
    answer(notice, "removed", at=NOON)

    told = now_of(notice)
    assert told.next_check_at == NOON + HOUR
    assert Reply.objects.get(notice=notice).claimed_at == NOON


@pytest.mark.django_db
def test_a_claim_after_we_saw_it_online_again_is_a_new_claim() -> None:
    notice = NoticeFactory(notified=True)
    answer(notice, "removed", now=NOON + HOUR)
    seen = Seen(notice.reference, NOON + 2 * HOUR, "online", "checker-nl")
    observe(sightings=[seen], by=SYSTEM, now=NOON + 2 * HOUR)

    assert answer(notice, "removed", now=NOON + 3 * HOUR).outcome == "recorded"
    assert now_of(notice).claimed_removed_at == NOON + 3 * HOUR


@pytest.mark.django_db
def test_another_providers_notice_does_not_exist_and_neither_does_an_unsent_one() -> None:
    beta = ProviderFactory(code="beta")
    foreign, unsent = NoticeFactory(notified=True), NoticeFactory(routed=True, provider=beta)

    outcomes = answer_many(
        provider_id=beta.pk,
        answers=[Answer(r, "acknowledged") for r in (foreign.reference, unsent.reference, "N-0000000000")],
        by=SYSTEM,
        now=NOON,
    )

    assert {(each.outcome, each.reason) for each in outcomes} == {("refused", "There is no such notice.")}
    assert not Reply.objects.exists()
    assert now_of(foreign).version == now_of(unsent).version == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trait", "word", "more", "reason"),
    [
        ("withdrawn", "removed", {}, "withdrawn"),
        ("removed", "removed", {}, "nothing left to do"),
        ("notified", "shredded", {}, "not one of the answers"),
        ("notified", "removed", {"at": NOON + 2 * HOUR}, "future"),
        ("notified", "dispute", {}, "Say why"),
        ("notified", "dispute", {"reason": "  "}, "Say why"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_refused_in_words(
    trait: str, word: str, more: dict[str, Any], reason: str
) -> None:
    outcome = answer(NoticeFactory(**{trait: True}), word, **more)

    assert outcome.outcome == "refused"
    assert reason in outcome.reason
    assert not Reply.objects.exists()


@pytest.mark.django_db
def test_one_bad_answer_never_loses_the_rest() -> None:
    good = NoticeFactory(notified=True)
    outcomes = answer_many(
        provider_id=good.provider_id,
        answers=[Answer("N-0000000000", "removed"), Answer(good.reference, "removed")],
        by=SYSTEM,
        now=NOON,
    )

    assert [each.outcome for each in outcomes] == ["refused", "recorded"]


@pytest.mark.django_db
def test_whoever_answers_was_reached_so_the_clock_starts() -> None:
    relayed = NoticeFactory(sent=True)
    answer(relayed, "acknowledged")

    told = now_of(relayed)
    assert (told.state, told.notified_at, told.notified_estimated) == ("notified", NOON + HOUR, False)
    assert told.due_at == NOON + 25 * HOUR
    assert told.steps.get().code == "hint"


@pytest.mark.django_db
def test_a_refused_answer_starts_no_clock() -> None:
    relayed = NoticeFactory(sent=True)
    answer(relayed, "dispute")

    assert now_of(relayed).notified_at is None


@pytest.mark.django_db
def test_a_note_stands_sealed() -> None:
    notice = NoticeFactory(notified=True)
    answer(notice, "need_information", note="Which customer?")

    reply = Reply.objects.get()
    assert reply.note == "Which customer?"
    assert b"customer" not in bytes(reply.note_sealed or b"")
