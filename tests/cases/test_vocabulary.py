"""The words of a judgement: versions that never change, and drafts that are always usable."""

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import translation

from audit.models import Event
from audit.record import Actor
from cases.models import Assessment, LegalClass, Question, Term, Vocabulary
from cases.services import assess, vocabulary
from cases.services.refused import Invalid, NotFound, WrongState
from tests.factories import NOON, SYSTEM, NoticeFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst() -> Actor:
    """The person who judges."""
    return Actor.of(UserFactory(analyst=True))


def begin() -> Vocabulary:
    return vocabulary.begin_draft(by=SYSTEM, now=NOON)


def in_draft(question: str, code: str) -> Term:
    return Term.objects.get(vocabulary__in_force_at=None, question=question, code=code)


def judge(analyst: Actor, **said: object) -> Assessment:
    notice = NoticeFactory()
    assess.assess(notice_id=notice.pk, by=analyst, now=NOON, **{"legal_class": "baseline"} | said)  # type: ignore[arg-type]
    return Assessment.objects.get(notice=notice)


def test_the_first_words_are_there_in_both_languages_and_within_reach_of_the_keys() -> None:
    first = Vocabulary.objects.get(version=1)

    for question in Question:
        terms = list(first.terms.filter(question=question))
        assert 1 <= len(terms) <= vocabulary.MOST, question
    term = first.terms.get(question="reason", code="nudism")
    assert term.label == "nudism"
    with translation.override("nl"):
        assert term.label == "naturisme"


def test_a_judgement_keeps_its_answers_and_the_version_of_its_words(analyst: Actor) -> None:
    made = judge(analyst, answers={"age_group": "infant", "sex": "", "victim": "new"})

    assert (made.answers, made.vocabulary_id) == ({"age_group": "infant", "victim": "new"}, 1)


@pytest.mark.parametrize(
    "answers",
    [{"age_group": "old"}, {"colour": "red"}, {"reason": "adult"}, {"sex": "infant"}],
)
def test_an_answer_that_is_not_offered_is_refused(analyst: Actor, answers: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        judge(analyst, answers=answers)


def test_what_is_not_illegal_is_not_described(analyst: Actor) -> None:
    made = judge(analyst, legal_class="not_illegal", reason="adult", answers={"sex": "male"})

    assert (made.answers, made.reason) == ({}, "adult")


def test_the_database_wants_no_description_of_what_is_not_illegal() -> None:
    made = Assessment.objects.get(notice=NoticeFactory(dismissed=True))
    made.pk, made.answers, made.token = None, {"sex": "male"}, made.notice.content_id

    with (
        pytest.raises(IntegrityError, match="assessment_answers_are_of_what_is_illegal"),
        transaction.atomic(),
    ):
        made.save()


def test_a_draft_has_all_that_is_in_force_and_changes_nothing_until_it_is(analyst: Actor) -> None:
    draft = begin()
    assert begin() == draft
    vocabulary.change_term(
        term_id=in_draft("reason", "virtual").pk, label_nl="getekend", label_en="drawn", retired=False,
        by=SYSTEM, now=NOON,
    )  # fmt: skip
    vocabulary.add_term(
        question="sex", code="unclear", label_nl="onduidelijk", label_en="unclear", by=SYSTEM, now=NOON
    )
    assert vocabulary.readable(None).version == 1
    with pytest.raises(Invalid):
        judge(analyst, answers={"sex": "unclear"})

    vocabulary.put_in_force(version=draft.version, by=SYSTEM, now=NOON)

    assert judge(analyst, answers={"sex": "unclear"}).vocabulary_id == 2
    old = Term.objects.get(vocabulary=1, question="reason", code="virtual")
    new = Term.objects.get(vocabulary=2, question="reason", code="virtual")
    assert (old.label_en, new.label_en) == ("virtual", "drawn")
    assert Event.objects.filter(subject="vocabulary", subject_id=2, act="put_in_force").exists()


def test_a_form_that_was_opened_before_is_still_taken_in_its_own_words_and_an_older_one_is_not(
    analyst: Actor,
) -> None:
    for _version in (2, 3):
        draft = begin()
        vocabulary.change_term(
            term_id=in_draft("sex", "both").pk, label_nl=f"beide {draft}", label_en=f"both {draft}",
            retired=draft.version == 3, by=SYSTEM, now=NOON,
        )  # fmt: skip
        vocabulary.put_in_force(version=draft.version, by=SYSTEM, now=NOON)

    assert judge(analyst, vocabulary=2, answers={"sex": "both"}).vocabulary_id == 2
    with pytest.raises(Invalid, match="look again"):
        judge(analyst, vocabulary=1, answers={"sex": "both"})
    with pytest.raises(Invalid):
        judge(analyst, answers={"sex": "both"})  # retired by now


@pytest.mark.parametrize(
    "act",
    [
        lambda: Term.objects.filter(vocabulary=1).update(label_en="x"),
        lambda: Term.objects.filter(vocabulary=1).delete(),
        lambda: Term.objects.create(
            vocabulary_id=1, question="sex", code="x", label_nl="x", label_en="x", position=9
        ),
    ],
)
def test_what_was_in_force_never_changes(act: object) -> None:
    with pytest.raises(IntegrityError, match="is in force"), transaction.atomic():
        act()  # type: ignore[operator]
    with pytest.raises(ProgrammingError), transaction.atomic():
        Vocabulary.objects.filter(version=1).update(by="x")


def test_a_draft_never_becomes_unusable() -> None:
    begin()
    added = {"question": "reason", "label_nl": "iets", "label_en": "something", "by": SYSTEM, "now": NOON}
    with pytest.raises(Invalid, match="number keys"):  # nine stand there already
        vocabulary.add_term(code="tenth", **added)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="taken"):
        vocabulary.add_term(code="adult", **added)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="small letters"):
        vocabulary.add_term(code="Two words", **added)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="no such question"):
        vocabulary.add_term(code="x", **{**added, "question": "legal_class"})  # type: ignore[arg-type]

    def change(code: str, *, nl: str = "x", en: str = "x", retired: bool = False) -> None:
        vocabulary.change_term(
            term_id=in_draft("commercial", code).pk,
            label_nl=nl,
            label_en=en,
            retired=retired,
            by=SYSTEM,
            now=NOON,
        )

    with pytest.raises(Invalid, match="words in Dutch"):
        change("yes", nl=" ")
    with pytest.raises(Invalid, match="same words"):
        change("yes", nl="Nee")
    change("yes", retired=True)
    with pytest.raises(Invalid, match="one answer at least"):
        change("no", retired=True)


def test_answers_change_places_and_a_draft_is_thrown_away() -> None:
    begin()
    vocabulary.move_term(term_id=in_draft("sex", "both").pk, up=True, by=SYSTEM, now=NOON)
    vocabulary.move_term(
        term_id=in_draft("sex", "female").pk, up=True, by=SYSTEM, now=NOON
    )  # the first stays

    order = Term.objects.filter(vocabulary=2, question="sex").order_by("position")
    assert [term.code for term in order] == ["female", "both", "male"]
    with pytest.raises(NotFound):
        vocabulary.move_term(term_id=Term.objects.filter(vocabulary=1)[0].pk, up=True, by=SYSTEM, now=NOON)

    vocabulary.discard_draft(by=SYSTEM, now=NOON)
    with pytest.raises(WrongState):
        vocabulary.discard_draft(by=SYSTEM, now=NOON)
    assert Vocabulary.objects.count() == 1


def test_the_classes_of_the_law_are_no_words_of_the_desk() -> None:
    assert "legal_class" not in Question.values
    assert LegalClass.values == ["baseline", "national", "not_illegal", "cannot_judge"]
