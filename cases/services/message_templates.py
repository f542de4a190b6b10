"""The words of messages: drafted by one person, read on a real notice and put in force by another.

A message is written by the version in force at that moment and names it, so which words were used can always be
answered (cases/services/letters.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.formats import text, wording
from cases.models import Dispatch, MessageTemplate, Notice
from cases.models.template import PARTS
from cases.services.letters import letter_of
from cases.services.refused import Invalid, NotFound, Refused, WrongState
from providers.models import Contact

#: What a notice must have behind it to be written about in a message of a kind.
_PREVIEWABLE: Final[dict[str, dict[str, Any]]] = {
    Dispatch.Kind.FIRST: {"provider__isnull": False},
    Dispatch.Kind.REMINDER: {"provider__isnull": False, "notified_at__isnull": False},
    Dispatch.Kind.WITHDRAWAL: {"provider__isnull": False, "sent_at__isnull": False},
    Dispatch.Kind.ORIGIN: {"provider__isnull": False},
    Dispatch.Kind.MESSAGE: {"provider__isnull": False, "sent_at__isnull": False},
}


class Faulty(Invalid):
    """The words are not those of a message; `faults` says what is wrong, by part and line."""

    code = "faulty"

    def __init__(self, faults: Sequence[wording.Fault]) -> None:
        self.faults = list(faults)
        super().__init__(_("These words cannot be those of a message: nothing was saved."))


class YourOwn(Refused):
    """Whoever wrote the words does not put them in force."""

    code = "your_own"


@dataclass(frozen=True)
class Preview:
    """A message as it would be about a real notice; its addresses masked, its number and token nobody's."""

    reference: str
    subject: str
    body: str


def begin_draft(*, kind: str, language: str, by: Actor, now: datetime) -> MessageTemplate:
    """A draft with the words in force; the one that is there, if there is one. Raises NotFound."""
    with transaction.atomic():
        current = _in_force(kind, language)
        draft = MessageTemplate.objects.of(kind, language).filter(in_force_at__isnull=True).first()
        if draft is not None:
            return draft
        draft = _following(current, current.words, by=by, now=now)
        draft.save(force_insert=True)
        _record("draft", draft, by=by, now=now)
    return draft


def save_draft(*, template_id: int, words: Mapping[str, str], by: Actor, now: datetime) -> MessageTemplate:
    """Other words for a draft; whoever saves them answers for all of them. Raises Faulty, NotFound, WrongState."""
    tidied = {part: wording.tidy(words.get(part, "")) for part in PARTS}
    with transaction.atomic():
        draft = _draft(template_id)
        if faults := wording.faults(draft.kind, tidied):
            raise Faulty(faults)
        if tidied == draft.words:
            return draft
        for part, said in tidied.items():
            setattr(draft, part, said)
        draft.restores = None
        draft.drafted_at, draft.drafted_by = now, str(by)
        draft.previewed_on = draft.previewed_by = ""
        draft.save()
        _record("change", draft, by=by, now=now)
    return draft


def discard_draft(*, template_id: int, by: Actor, now: datetime) -> None:
    """Throw a draft away. Raises NotFound, WrongState."""
    with transaction.atomic():
        draft = _draft(template_id)
        _record("discard", draft, by=by, now=now)
        draft.delete()


def preview(*, template_id: int, reference: str, by: Actor, now: datetime) -> Preview:
    """Any version on a real notice: the one of `reference`, or the newest that fits.

    Of a draft it is kept who read these words on which notice. Raises NotFound, Invalid when the notice does not fit.
    """
    with transaction.atomic():
        template = MessageTemplate.objects.select_for_update().filter(pk=template_id).first()
        if template is None:
            raise NotFound(_("There is no such version."))
        notice = _notice_for(template.kind, reference.strip().upper())
        letter = letter_of(_message_for(template, notice, now), [notice], now=now, wording=template)
        made = Preview(notice.reference, text.subject(letter), text.body(letter))
        if template.is_draft:
            template.previewed_on, template.previewed_by = notice.reference, str(by)
            template.save(update_fields=["previewed_on", "previewed_by"])
            _record("preview", template, by=by, now=now, notice=notice.reference)
    return made


def put_in_force(*, template_id: int, seal: str, by: Actor, now: datetime) -> MessageTemplate:
    """From now on messages are written in the words of a draft. `seal` is of the words that were read.

    By somebody else than who wrote them, after reading them on a real notice. Raises NotFound, WrongState, YourOwn.
    """
    with transaction.atomic():
        draft = _draft(template_id)
        if draft.seal != seal:
            raise WrongState(_("Somebody has changed these words since you read them: read them again."))
        if draft.drafted_by == str(by):
            raise YourOwn(_("You wrote these words: a second person puts them in force."))
        if draft.previewed_by != str(by):
            raise WrongState(_("Read these words on a real notice first."))
        draft.in_force_at, draft.in_force_by = now, str(by)
        draft.save()
        _record("put_in_force", draft, by=by, now=now)
    return draft


def go_back(*, template_id: int, by: Actor, now: datetime) -> MessageTemplate:
    """Put the words of an earlier version in force again, at once, as a new version; a draft stays beside it.

    One person may: two have answered for these words before. Raises NotFound, WrongState.
    """
    with transaction.atomic():
        earlier = MessageTemplate.objects.filter(pk=template_id).first()
        if earlier is None:
            raise NotFound(_("There is no such version."))
        current = _in_force(earlier.kind, earlier.language)
        if earlier.is_draft or earlier.pk == current.pk:
            raise WrongState(_("This is no earlier version."))
        if faults := wording.faults(earlier.kind, earlier.words):
            # What a message must say has grown since.
            raise Faulty(faults)
        again = _following(current, earlier.words, by=by, now=now)
        again.restores = earlier.version
        draft = (
            MessageTemplate.objects.of(earlier.kind, earlier.language)
            .filter(in_force_at__isnull=True)
            .first()
        )
        if draft is not None:
            draft.version += 1
            draft.save(update_fields=["version"])
        again.in_force_at, again.in_force_by = now, str(by)
        again.save(force_insert=True)
        _record("go_back", again, by=by, now=now, restores=earlier.version)
    return again


def _in_force(kind: str, language: str) -> MessageTemplate:
    """The words that count, locked: versions follow one another. Raises NotFound."""
    found = MessageTemplate.objects.of(kind, language).in_force().select_for_update()[:1].first()
    if found is None:
        raise NotFound(_("There is no such kind of message."))
    return found


def _draft(template_id: int) -> MessageTemplate:
    found = MessageTemplate.objects.select_for_update().filter(pk=template_id).first()
    if found is None:
        raise NotFound(_("There is no such version."))
    if not found.is_draft:
        raise WrongState(_("This is no draft any more."))
    return found


def _following(
    current: MessageTemplate, words: Mapping[str, str], *, by: Actor, now: datetime
) -> MessageTemplate:
    return MessageTemplate(
        kind=current.kind,
        language=current.language,
        version=current.version + 1,
        drafted_at=now,
        drafted_by=str(by),
        **words,
    )


def _notice_for(kind: str, reference: str) -> Notice:
    """The notice of `reference`, or the newest, that a message of `kind` can be about. Raises NotFound, Invalid."""
    notices: QuerySet[Notice] = Notice.objects.select_related("provider").order_by("-pk")
    if not reference:
        found = notices.filter(**_PREVIEWABLE[kind]).first()
        if found is None:
            raise Invalid(_("There is no notice yet on which these words can be read."))
        return found
    named = notices.filter(reference=reference)
    if not named.exists():
        raise NotFound(_("There is no such notice."))
    found = named.filter(**_PREVIEWABLE[kind]).first()
    if found is None:
        raise Invalid(_("Such a message cannot be about this notice: it has no provider, or was not sent."))
    return found


def _message_for(template: MessageTemplate, notice: Notice, now: datetime) -> Dispatch:
    """A message that is never saved, to the notice's provider in the template's language."""
    provider = notice.provider
    if provider is None:
        raise Invalid(_("Nobody was found who hosts it."))
    known = Contact.objects.for_notices().filter(provider=provider).order_by("pk").first()
    provider.language = template.language
    contact = Contact(
        provider=provider, address=known.address if known else "abuse@…", mode=Contact.Mode.PORTAL
    )
    return Dispatch(number=f"NTD-{now.year}-000000", contact=contact, kind=template.kind)


def _record(act: str, template: MessageTemplate, *, by: Actor, now: datetime, **data: Any) -> None:
    said = {"kind": template.kind, "language": template.language, "version": template.version, **data}
    record(act, "message_template", template.pk, by=by, at=now, data=said)
