"""The words of a judgement: drafting the next version, and putting it in force. What was in force never changes."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import Question, Term, Vocabulary
from cases.services.refused import Invalid, NotFound, WrongState

#: The number keys reach so many answers of one question.
MOST: Final = 9
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,23}")


def readable(version: int | None) -> Vocabulary:
    """The version that a judgement may be in: the one in force, or the one before, which a page may still show.

    Raises Invalid for any other.
    """
    last = list(Vocabulary.objects.in_force()[:2])
    if version is None:
        return last[0]
    found = next((each for each in last if each.version == version), None)
    if found is None:
        raise Invalid(_("The words of the form have changed since: look again."))
    return found


def begin_draft(*, by: Actor, now: datetime) -> Vocabulary:
    """A draft of the next version, with all terms of the one in force; the one that is there, if there is one."""
    with transaction.atomic():
        current = Vocabulary.objects.in_force().select_for_update()[:1].get()
        draft = Vocabulary.objects.filter(in_force_at__isnull=True).first()
        if draft is not None:
            return draft
        draft = Vocabulary.objects.create(version=current.version + 1, by=str(by))
        terms = list(current.terms.all())
        for term in terms:
            term.pk, term.vocabulary = None, draft
        Term.objects.bulk_create(terms)
        record("draft", "vocabulary", draft.version, by=by, at=now)
    return draft


def discard_draft(*, by: Actor, now: datetime) -> None:
    """Throw the draft away. Raises WrongState when there is none."""
    with transaction.atomic():
        draft = _draft()
        record("discard", "vocabulary", draft.version, by=by, at=now)
        draft.delete()


def add_term(
    *,
    question: str,
    code: str,
    label_nl: str,
    label_en: str,
    police_first: bool = False,
    by: Actor,
    now: datetime,
) -> Term:
    """A new answer, at the end of its question. Its code can never be changed. Raises Invalid, WrongState."""
    if question not in Question.values:
        raise Invalid(_("There is no such question."))
    if not _CODE.fullmatch(code):
        raise Invalid(
            _("A code is up to 24 small letters, digits and underscores, and begins with a letter.")
        )
    with transaction.atomic():
        draft = _draft()
        terms = list(draft.terms.filter(question=question))
        if any(term.code == code for term in terms):
            raise Invalid(_("This code is taken: codes mean the same for ever."))
        added = Term(
            vocabulary=draft,
            question=question,
            code=code,
            label_nl=label_nl.strip(),
            label_en=label_en.strip(),
            position=max((term.position for term in terms), default=0) + 1,
            police_first=police_first,
        )
        _refuse_unusable([*terms, added])
        added.save(force_insert=True)
        _record("add", added, by=by, now=now)
    return added


def change_term(
    *,
    term_id: int,
    label_nl: str,
    label_en: str,
    retired: bool,
    police_first: bool = False,
    by: Actor,
    now: datetime,
) -> Term:
    """Other words for an answer, or no longer offer it. Raises Invalid, NotFound, WrongState."""
    with transaction.atomic():
        terms, term = _siblings(term_id)
        term.label_nl, term.label_en = label_nl.strip(), label_en.strip()
        term.retired, term.police_first = retired, police_first
        _refuse_unusable(terms)
        term.save()
        _record("change", term, by=by, now=now)
    return term


def move_term(*, term_id: int, up: bool, by: Actor, now: datetime) -> Term:
    """Change places with the answer before or after; at the end nothing happens. Raises NotFound, WrongState."""
    with transaction.atomic():
        terms, term = _siblings(term_id)
        place = terms.index(term)
        other = place - 1 if up else place + 1
        if 0 <= other < len(terms):
            terms[place], terms[other] = terms[other], terms[place]
            for position, each in enumerate(terms, start=1):
                each.position = position
            Term.objects.bulk_update(terms, ["position"])
            _record("move", term, by=by, now=now)
    return term


def put_in_force(*, version: int, by: Actor, now: datetime) -> Vocabulary:
    """From now on judgements are made in the words of the draft. Raises WrongState, Invalid."""
    with transaction.atomic():
        draft = _draft()
        if draft.version != version:
            raise WrongState(_("This is no draft any more."))
        terms = list(draft.terms.all())
        for question in Question.values:
            _refuse_unusable([term for term in terms if term.question == question])
        draft.in_force_at, draft.by = now, str(by)
        draft.save()
        record("put_in_force", "vocabulary", draft.version, by=by, at=now)
    return draft


def _draft() -> Vocabulary:
    draft = Vocabulary.objects.select_for_update().filter(in_force_at__isnull=True).first()
    if draft is None:
        raise WrongState(_("There is no draft: begin one first."))
    return draft


def _siblings(term_id: int) -> tuple[list[Term], Term]:
    """All terms of the question of a term of the draft, in order, and that term among them."""
    draft = _draft()
    terms = list(draft.terms.order_by("question", "position", "pk"))
    found = next((term for term in terms if term.pk == term_id), None)
    if found is None:
        raise NotFound(_("There is no such answer in the draft."))
    return [term for term in terms if term.question == found.question], found


def _refuse_unusable(terms: Sequence[Term]) -> None:
    """A question has one to MOST answers, each with words of its own in both languages."""
    offered = [term for term in terms if not term.retired]
    if not offered:
        raise Invalid(_("A question must keep one answer at least."))
    if len(offered) > MOST:
        raise Invalid(
            _("The number keys reach %(most)d answers: retire one before you add another.") % {"most": MOST}
        )
    for labels in ([term.label_nl for term in offered], [term.label_en for term in offered]):
        if not all(labels) or max(len(label) for label in labels) > 60:
            raise Invalid(_("An answer needs words in Dutch and in English, 60 characters at most."))
        if max(Counter(label.casefold() for label in labels).values()) > 1:
            raise Invalid(_("Two answers with the same words cannot be told apart."))


def _record(act: str, term: Term, *, by: Actor, now: datetime) -> None:
    data: dict[str, Any] = {"term": f"{term.question}.{term.code}", "retired": term.retired}
    record(act, "vocabulary", term.vocabulary_id, by=by, at=now, data=data)
