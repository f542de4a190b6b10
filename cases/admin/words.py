"""Judgements in words: each in those of the version of the vocabulary that it was made with."""

from collections.abc import Sequence

from cases.models import Assessment, LegalClass, Question, Term


def in_words(judgements: Sequence[Assessment]) -> list[str]:
    """ "illegal: baseline; age group: infant or toddler", one for each. One query for all of them."""
    versions = {judgement.vocabulary_id for judgement in judgements}
    terms = {
        (term.vocabulary_id, term.question, term.code): term.label
        for term in Term.objects.filter(vocabulary__in=versions)
    }

    def label(judgement: Assessment, question: str, code: str) -> str:
        return terms.get((judgement.vocabulary_id, question, code), code)

    said = []
    for judgement in judgements:
        parts = [str(LegalClass(judgement.legal_class).label)]
        if judgement.reason:
            parts.append(label(judgement, Question.REASON, judgement.reason))
        parts += [
            f"{question.label}: {label(judgement, question, judgement.answers[question])}"
            for question in Question
            if question in judgement.answers
        ]
        said.append("; ".join(parts))
    return said
