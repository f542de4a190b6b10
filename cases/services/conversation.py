"""Messages about a notice, both ways: a provider asks in the portal, the notice desk answers.

None of them moves a state or a clock. That one waits is told by mail, which says of which notice and nothing more.
"""

import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from audit.record import Actor, event, record, record_many
from cases.models import Dispatch, DispatchLine, Message, Notice, Reply
from cases.models.reply import LONGEST_NOTE
from cases.services.enqueue import enqueue
from cases.services.moving import moving
from cases.services.refused import Invalid, NotFound, WrongState
from providers.models import Contact

#: P: so many messages of one notice may wait for us; more are a flood, or belong in a telephone call.
MOST_WAITING: Final = 20
#: Turn the direction of what stands around them, so that a reader sees other words than were written.
_TURNING: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])

Side = Message.Side


def ask(*, notice_id: int, text: str, by: Actor, now: datetime) -> Message:
    """A provider writes to us about a notice of its own; what we wrote before has been read with that.

    The same words again, while they wait, are the same message: a second press adds nothing.
    Raises Invalid, WrongState, NotFound.
    """
    text = written(text)
    with moving(notice_id, "ask", by=by, now=now) as notice:
        waiting = list(notice.messages.waiting().order_by("pk"))
        for before in waiting:
            if before.reply_id is None and before.text == text:
                return before
        if len(waiting) >= MOST_WAITING:
            raise WrongState(
                _("Your messages about this notice wait for our answer; call us if it cannot wait.")
            )
        message = _message(notice, Side.PROVIDER, text, by=by, now=now)
        _read([notice], by=by, now=now)
        record("ask", "notice", notice.pk, by=by, at=now)
    return message


def asked(replies: Iterable[Reply]) -> None:
    """Answers that need information wait for ours, as messages do; call inside the transaction that keeps them."""
    Message.objects.bulk_create(
        (
            Message(
                notice_id=reply.notice_id,
                side=Side.PROVIDER,
                at=reply.at,
                by=reply.by,
                token=uuid.uuid4(),
                reply=reply,
            )
            for reply in replies
            if reply.answer == Reply.Answer.NEED_INFORMATION
        ),
        batch_size=1_000,
    )


def write(*, notice_id: int, text: str, by: Actor, now: datetime) -> Message:
    """Write to the provider of a notice: all that it asked about it is answered by that. Raises Invalid, WrongState."""
    text = written(text)
    with moving(notice_id, "write", by=by, now=now) as notice:
        if notice.sent_at is None or notice.provider_id is None:
            raise WrongState(_("The provider does not know of this notice: nothing of it was sent."))
        tell_of([notice], by=by, now=now)
        message = _message(notice, Side.HOTLINE, text, by=by, now=now)
        notice.messages.waiting().update(handled_at=now, handled_by=str(by))
        record("write", "notice", notice.pk, by=by, at=now)
    return message


def need_no_answer(*, notice_id: int, by: Actor, now: datetime) -> int:
    """All that the provider asked about a notice was read, and needs no answer; returns how many messages.

    Raises WrongState, NotFound.
    """
    with moving(notice_id, "need_no_answer", by=by, now=now) as notice:
        count = notice.messages.waiting().update(handled_at=now, handled_by=str(by))
        if not count:
            raise WrongState(_("No message about this notice waits for an answer any more."))
        record("need_no_answer", "notice", notice.pk, by=by, at=now)
    return count


def read(*, notice_id: int, by: Actor, now: datetime) -> int:
    """Somebody of the provider has our messages about a notice before them; returns how many were new."""
    with moving(notice_id, "read", by=by, now=now) as notice:
        return _read([notice], by=by, now=now)


def reveal(*, message_id: int, by: Actor, now: datetime) -> Message:
    """A message, to be shown with the addresses in it; that somebody looked is written down. Raises NotFound."""
    message = Message.objects.select_related("reply", "notice").filter(pk=message_id).first()
    if message is None:
        raise NotFound(_("There is no such message."))
    record("read_message", "notice", message.notice_id, by=by, at=now)
    return message


def tell_of(notices: Sequence[Notice], *, by: Actor, now: datetime) -> None:
    """Put it in the outbox that a message waits about locked notices, before it is written.

    One mail until they are read: of a notice with an unread message nobody is told again. Without a contact that can
    be used nobody is told; it stands in the portal all the same.
    """
    unread = set(Message.objects.unread().filter(notice__in=notices).values_list("notice_id", flat=True))
    todo = [notice for notice in notices if notice.pk not in unread]
    contacts = _contacts(todo)
    before = dict(
        DispatchLine.objects.filter(notice__in=todo, dispatch__kind=Dispatch.Kind.MESSAGE)
        .order_by()
        .values_list("notice_id")
        .annotate(Max("dispatch__round"))
    )
    groups: dict[tuple[int, int], list[Notice]] = defaultdict(list)
    for notice in todo:
        if notice.pk in contacts:
            groups[contacts[notice.pk], before.get(notice.pk, 0) + 1].append(notice)
    for (contact_id, round_), group in sorted(groups.items()):
        enqueue(
            contact_id=contact_id,
            notices=group,
            kind=Dispatch.Kind.MESSAGE,
            round_=round_,
            by=by,
            now=now,
        )


def waiting() -> QuerySet[Message]:
    """What providers asked and nobody has dealt with: the oldest first."""
    return Message.objects.waiting().order_by("at", "pk")


def written(text: str) -> str:
    """What somebody wrote, as it is kept: line ends as ours, nothing that turns the direction of words. Raises Invalid."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TURNING).strip()
    if not plain:
        raise Invalid(_("Write something."))
    if len(plain) > LONGEST_NOTE:
        raise Invalid(_("Write at most %(most)d characters.") % {"most": LONGEST_NOTE})
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in plain):
        raise Invalid(_("It holds a control character."))
    return plain


def _message(notice: Notice, side: str, text: str, *, by: Actor, now: datetime) -> Message:
    message = Message(notice=notice, side=side, at=now, by=str(by), token=uuid.uuid4())
    message.text = text
    message.save(force_insert=True)
    return message


def _read(notices: Sequence[Notice], *, by: Actor, now: datetime) -> int:
    unread = Message.objects.unread().filter(notice__in=notices)
    ids = sorted(set(unread.values_list("notice_id", flat=True)))
    count = unread.update(read_at=now, read_by=str(by))
    record_many(event("read", "notice", pk, by=by, at=now) for pk in ids)
    return count


def _contacts(notices: Sequence[Notice]) -> dict[int, int]:
    """notice -> the contact that is told: whoever got its last message, or else the provider's first that can be used."""
    usable = Contact.objects.for_notices().filter(provider__in={n.provider_id for n in notices})
    first: dict[int | None, int] = {}
    known = {}
    for contact in usable.order_by("pk"):
        first.setdefault(contact.provider_id, contact.pk)
        known[contact.pk] = contact.provider_id
    told = dict(
        DispatchLine.objects.filter(notice__in=notices, contact__in=known, dropped_because="")
        .exclude(dispatch__kind=Dispatch.Kind.ORIGIN)
        .order_by("pk")
        .values_list("notice_id", "contact_id")
    )
    found = {}
    for notice in notices:
        contact_id = told.get(notice.pk)
        if contact_id is None or known[contact_id] != notice.provider_id:
            contact_id = first.get(notice.provider_id)
        if contact_id is not None:
            found[notice.pk] = contact_id
    return found
