"""Look again just before anything leaves, and make the messages: a handful at a time, asked of the database once."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor
from cases.formats import event, mail, text
from cases.formats.files import Unmade
from cases.formats.letter import Letter
from cases.models import Attempt, Dispatch, DispatchLine, Notice
from cases.services.enqueue import FIRST, split
from cases.services.letters import known_of, write
from cases.services.moving import moving_many
from cases.services.pages import pages_of
from cases.services.route import refresh_attributions
from cases.services.sending import deliveries
from cases.services.sending.claiming import LEASE, Claim, fenced
from cases.services.sending.copies import begun, called, keys_of, secrets_of
from cases.services.sending.failing import change, failed, give_up, park, unmade
from cases.services.sending.fallback import fall_back
from cases.services.sending.keeping import keep
from cases.services.writing import fields_of, write_rows
from providers.channels import CHANNELS
from providers.channels.result import Call, Failed
from providers.models import Contact, ContactKey
from providers.sources.resolver import Resolver

logger = logging.getLogger(__name__)

_WRITTEN = fields_of(Dispatch, "subject", "template", "body_sealed", "body_digest", "leased_until")


@dataclass(frozen=True)
class Ready:
    """A message that may go out now."""

    held: Claim
    message: EmailMessage | Call
    sender: str
    recipient: str
    channel: str


def prepare(held: Claim, *, resolver: Resolver, by: Actor, now: datetime) -> Ready | None:
    """`prepare_many` for one; None when nothing is to be sent now."""
    return next(iter(prepare_many([held], resolver=resolver, by=by, now=now)), None)


def prepare_many(held: Sequence[Claim], *, resolver: Resolver, by: Actor, now: datetime) -> list[Ready]:
    """Look again before anything leaves: contact, withdrawals, place. Returns what is to be sent now.

    Once an attempt ended in silence (a crash), that copy may be with them already: the words stay as they are
    unless a line has to go.
    """
    claims = {each.dispatch_id: each for each in held}
    of = DispatchLine.objects.filter(dispatch__in=claims, dropped_because="").order_by("pk")
    unknown = refresh_attributions(
        list(of.filter(step=FIRST).values_list("notice_id", flat=True)), resolver=resolver, by=by, now=now
    )
    with transaction.atomic():
        lines = list(of)
        with moving_many([line.notice_id for line in lines], "drop", by=by, now=now) as notices:
            dispatches = fenced(held)
            on: dict[int, list[tuple[DispatchLine, Dispatch, Notice]]] = defaultdict(list)
            known = {notice.pk: notice for notice in notices}
            for line in lines:
                if line.dispatch_id in dispatches:
                    on[line.dispatch_id].append((line, dispatches[line.dispatch_id], known[line.notice_id]))
            open_ = [
                dispatch
                for dispatch in dispatches.values()
                if _may_go(dispatch, on[dispatch.pk], unknown, by=by, now=now)
            ]
            kept = keep([line for dispatch in open_ for line in on[dispatch.pk]], by=by, now=now)
            for dispatch in open_:
                if not kept.get(dispatch.pk):
                    change(dispatch, Dispatch.State.CANCELLED, "cancel", by=by, now=now)
        going = [dispatch for dispatch in open_ if kept.get(dispatch.pk)]
        frozen = _silent(going) - {pk for pk, rest in kept.items() if len(rest) < len(on[pk])}
        return _made(going, kept, frozen, claims, by=by, now=now)


def _may_go(
    dispatch: Dispatch,
    lines: Sequence[tuple[DispatchLine, Dispatch, Notice]],
    unknown: set[int],
    *,
    by: Actor,
    now: datetime,
) -> bool:
    """Whether a locked dispatch may be made; what may not has been dealt with."""
    if not dispatch.contact.usable:
        if not fall_back(dispatch, [notice for _line, _dispatch, notice in lines], by=by, now=now):
            park(dispatch, Dispatch.Trouble.CONTACT, by=by, now=now)
        return False
    if dispatch.contact.channel not in CHANNELS:
        park(dispatch, Dispatch.Trouble.CHANNEL, by=by, now=now)
        return False
    if any(line.step == FIRST and notice.pk in unknown for line, _dispatch, notice in lines):
        silence = Failed(_("The name servers did not answer."), permanent=False)
        failed(dispatch, silence, by=by, now=now, is_theirs=False)
        return False
    return True


def _silent(dispatches: Sequence[Dispatch]) -> set[int]:
    """Those with an attempt that began and never ended: nobody knows whether a copy is with them."""
    open_ = Attempt.objects.filter(dispatch__in=[each.pk for each in dispatches], ended_at__isnull=True)
    return set(open_.values_list("dispatch_id", flat=True))


def _made(
    dispatches: Sequence[Dispatch],
    kept: Mapping[int, Sequence[Notice]],
    frozen: set[int],
    claims: Mapping[int, Claim],
    *,
    by: Actor,
    now: datetime,
) -> list[Ready]:
    """The messages, with their exact words and the begun attempt written down."""
    if not dispatches:
        return []
    known = known_of([(dispatch, kept[dispatch.pk]) for dispatch in dispatches], now=now)
    keys = keys_of({dispatch.contact_id for dispatch in dispatches})
    secrets = secrets_of({dispatch.contact_id for dispatch in dispatches if _by_webhook(dispatch)}, now=now)
    pages = pages_of(dispatches, frozen=frozen, now=now)
    most = settings.HOST.message_max_mb * 1_000_000
    made: list[tuple[Dispatch, EmailMessage | Call]] = []
    attempts: list[Attempt] = []
    for dispatch in dispatches:
        own = [notice.pk for notice in kept[dispatch.pk]]
        try:
            letter = write(dispatch, own, known, now=now, page=pages.get(dispatch.pk))
            if dispatch.pk not in frozen:
                _word(dispatch, letter)
            attempt, message = _begun(dispatch, letter, claims[dispatch.pk].attempt, keys, secrets, now=now)
        except DatabaseError:
            raise
        except Unmade as problem:
            logger.error("dispatch %s cannot be made: %s", dispatch.pk, problem)
            give_up(dispatch, problem, by=by, now=now)
            continue
        except Exception:
            logger.exception("dispatch %s cannot be handed over", dispatch.pk)
            unmade(dispatch, by=by, now=now)
            continue
        if (
            isinstance(message, EmailMessage)
            and mail.size(message) > most
            and len(own) > 1
            and dispatch.pk not in frozen
        ):
            split(dispatch, by=by, now=now)
            continue
        dispatch.leased_until = now + LEASE
        made.append((dispatch, message))
        attempts.append(attempt)
    write_rows([dispatch for dispatch, _message in made], _WRITTEN)
    Attempt.objects.bulk_create(attempts)
    deliveries.begin([(dispatch, message) for dispatch, message in made if isinstance(message, Call)])
    return [
        Ready(
            held=claims[dispatch.pk],
            message=message,
            sender=mail.return_path(dispatch.token),
            recipient=settings.HOST.dry_run_address or dispatch.contact.address,
            channel=dispatch.contact.channel if _by_webhook(dispatch) else Contact.Channel.SMTP,
        )
        for dispatch, message in made
    ]


def _by_webhook(dispatch: Dispatch) -> bool:
    """A dry run goes by mail, whatever the channel: no provider hears of it."""
    return dispatch.contact.channel == Contact.Channel.WEBHOOK and not settings.HOST.dry_run_address


def _word(dispatch: Dispatch, letter: Letter) -> None:
    """Keep the exact words of the message, and their digest."""
    if _by_webhook(dispatch):
        dispatch.subject, dispatch.body = event.TYPES[dispatch.kind], event.body(letter)
    else:
        dispatch.subject, dispatch.body = text.subject(letter), text.body(letter)
        dispatch.template = letter.wording
    dispatch.body_digest = hashlib.sha256(dispatch.body.encode()).digest()


def _begun(
    dispatch: Dispatch,
    letter: Letter,
    number: int,
    keys: Mapping[int, ContactKey],
    secrets: Mapping[int, Sequence[str]],
    *,
    now: datetime,
) -> tuple[Attempt, EmailMessage | Call]:
    """The attempt with its copy, and what is handed over. Raises Unmade."""
    contact = dispatch.contact_id
    if _by_webhook(dispatch):
        return called(dispatch, number=number, secrets=secrets.get(contact, ()), now=now)
    clear = mail.message(letter, subject=dispatch.subject, body=dispatch.body, in_reply_to=_thread(dispatch))
    return begun(dispatch, clear, number=number, key=keys.get(contact), now=now)


def _thread(dispatch: Dispatch) -> str:
    """The Message-ID that a reminder answers to: that of the first message about its first notice."""
    if dispatch.kind == Dispatch.Kind.FIRST:
        return ""
    first = (
        Dispatch.objects.filter(
            lines__notice__in=dispatch.lines.values("notice"), lines__step=FIRST, contact=dispatch.contact
        )
        .order_by("created_at", "pk")
        .values_list("message_id", flat=True)
        .first()
    )
    return first or ""
