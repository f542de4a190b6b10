"""How well a contact can be reached, from its figures: one word, and the reasons for it in words.

A refusal counts until something worked after it; silence counts in messages, because a desk that gets one a year
is not silent after a week. The limits are proposals (P).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from providers.models import Contact, ContactHealth

Word = ContactHealth.Word

#: Unanswered first notices in a row from which a contact is doubtful, and bad.
SILENT: Final = (3, 8)
#: Refusals for a while among the latest messages from which a contact is doubtful.
PUT_OFF: Final = 3
#: An address at which nothing worked for so long is looked at again before it is trusted.
UNUSED: Final = timedelta(days=365)
#: A median answer after the term is too late to help.
SLOW: Final = timedelta(hours=24)

_WORST_FIRST: Final = (Word.BAD, Word.DOUBTFUL, Word.GOOD, Word.UNKNOWN)


@dataclass(frozen=True)
class Reason:
    """Why a contact is not simply good; `word` is how much it weighs."""

    word: ContactHealth.Word
    text: str


def word(health: ContactHealth, *, mode: str) -> ContactHealth.Word:
    """The word that the heaviest reason gives; unknown as long as nothing was ever sent there. `mode`: Contact.mode."""
    found = {reason.word for reason in reasons(health, mode=mode)}
    for each in _WORST_FIRST:
        if each in found:
            return each
    return Word.GOOD if health.messages else Word.UNKNOWN


def reasons(health: ContactHealth, *, mode: str) -> list[Reason]:
    """What weighs against a contact, the heaviest first."""
    return sorted(_reasons(health, mode), key=lambda reason: _WORST_FIRST.index(reason.word))


def _reasons(health: ContactHealth, mode: str) -> Iterator[Reason]:
    worked_at = health.last_success_at or health.last_sent_at
    refused = health.last_bounced_at
    if health.bounced_hard:
        text = ngettext(
            "%(count)d of the last %(all)d messages was refused for good.",
            "%(count)d of the last %(all)d messages were refused for good.",
            health.bounced_hard,
        )
        still = refused is not None and (worked_at is None or worked_at <= refused)
        said = text % {"count": health.bounced_hard, "all": health.messages}
        yield Reason(Word.BAD if still else Word.DOUBTFUL, said)
    if health.failing:
        text = ngettext(
            "%(count)d message cannot be handed over.",
            "%(count)d messages cannot be handed over.",
            health.failing,
        )
        yield Reason(Word.DOUBTFUL, text % {"count": health.failing})
    if health.bounced_soft >= PUT_OFF:
        text = _("Their server put us off %(count)d times lately.")
        yield Reason(Word.DOUBTFUL, text % {"count": health.bounced_soft})
    if health.unanswered >= SILENT[0]:
        text = _("The last %(count)d first notices brought neither an answer nor a removal.")
        weight = Word.BAD if health.unanswered >= SILENT[1] else Word.DOUBTFUL
        yield Reason(weight, text % {"count": health.unanswered})
    if worked_at is not None and health.counted_at - worked_at > UNUSED:
        yield Reason(Word.DOUBTFUL, _("Nothing has worked there for more than a year."))
    if health.median_answer is not None and health.median_answer > SLOW:
        yield Reason(Word.DOUBTFUL, _("The first answer mostly comes after more than 24 hours."))
    unseen = health.portal_opened_at is None and health.last_answered_at is None
    if mode == Contact.Mode.PORTAL and health.messages and unseen:
        yield Reason(Word.DOUBTFUL, _("Addresses are shown in the portal only, and nobody ever opened it."))
