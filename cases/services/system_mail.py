"""System mails: an outbox of its own, with the lease and the fence of docs/adr/0002. What they say is written when
they leave, so that what happened meanwhile is in them, and nobody gets one who must not any more.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import translation

from accounts.models import ApiKey
from audit.record import Actor, record
from cases.formats import system_mail as words
from cases.models import Dispatch, MailChoice, Reply, SystemMail
from cases.services import single_mail
from cases.services.sending import CLAIM, LEASE, PARK_AFTER
from cases.services.single_mail import Held, hand_over_all, new_message_id, pause_after
from providers.channels.result import Accepted, Failed
from providers.models import Proposal
from providers.services.proposal import CODE_VALID, code_of

logger = logging.getLogger(__name__)

About = SystemMail.About


#: P: so many days before a key ends, its owner is told.
WARN_DAYS: Final = (14, 3)


def confirm(*, dispatch: Dispatch, now: datetime) -> None:
    """The contact of a message is told soon what was answered by its link; one mail for what comes together."""
    # One that waits already says this as well.
    _add([_new(About.ANSWERS, now=now, due_at=now + settings.HOST.confirm_after, dispatch=dispatch)])


def warn_of_keys(*, now: datetime) -> None:
    """Whose key ends in so many days is told, once for each number; not when another takes its place."""
    usable = ApiKey.objects.usable(now=now).filter(owner__isnull=False)
    ending = usable.exclude(Exists(usable.filter(replaces=OuterRef("pk"))))
    for days, next_days in zip(WARN_DAYS, (*WARN_DAYS[1:], 0), strict=True):
        due = ending.filter(
            expires_at__lte=now + timedelta(days=days), expires_at__gt=now + timedelta(days=next_days)
        ).exclude(warnings__days=days)
        _add([_new(About.KEY_ENDS, now=now, due_at=now, key=key, days=days) for key in due])


def send_code(*, proposal: Proposal, now: datetime) -> None:
    """Have the code of a proposal sent to its address; call it in the transaction that asked for one."""
    _add([_new(About.CODE, now=now, due_at=now, proposal=proposal)])


def tell_many(
    *, told: Sequence[tuple[MailChoice, dict[str, int]]], about: SystemMail.About, now: datetime
) -> None:
    """Have readers told these facts; call it in the transaction that says up to when they were."""
    _add([_new(about, now=now, due_at=now, choice=choice, facts=facts) for choice, facts in told])


def _new(about: SystemMail.About, *, now: datetime, due_at: datetime, **fields: Any) -> SystemMail:
    return SystemMail(
        about=about, message_id=new_message_id("system"), created_at=now, due_at=due_at, **fields
    )


def _add(mails: Sequence[SystemMail]) -> None:
    SystemMail.objects.bulk_create(mails, ignore_conflicts=True)


def send_due(*, by: Actor, clock: Callable[[], datetime]) -> int:
    """Hand over every system mail that is due; returns how many hand-overs were tried."""
    return hand_over_all(
        name="system mail",
        take=lambda: claim(now=clock(), limit=CLAIM),
        prepare=lambda held: prepare(held, now=clock()),
        settle=lambda held, result: settle(held, result, by=by, now=clock()),
    )


def claim(*, now: datetime, limit: int) -> list[Held]:
    """Take up to `limit` due system mails in order; others skip them while the lease lasts."""
    return single_mail.claim(SystemMail.objects.due(now=now).order_by("due_at", "pk"), now=now, limit=limit)


def prepare(held: Held, *, now: datetime) -> tuple[EmailMessage, str] | None:
    """The mail in the reader's language, and to whom; None when nobody is there to get it any more."""
    with transaction.atomic():
        mail = _fenced(held)
        if mail is None:
            return None
        if not _has_reader(mail, now=now):
            mail.dropped_at, mail.leased_until = now, None
            mail.save(update_fields=["dropped_at", "leased_until"])
            return None
        SystemMail.objects.filter(pk=mail.pk).update(leased_until=now + LEASE)
    message, recipient = _WRITTEN[About(mail.about)](mail, now=now)
    return message, settings.HOST.dry_run_address or recipient


def _has_reader(mail: SystemMail, *, now: datetime) -> bool:
    """Whether the contact is in use, the key still opens something for its owner, the code still counts, or whoever
    asked for news is still there."""
    match mail.about:
        case About.ANSWERS:
            return mail.dispatch is not None and mail.dispatch.contact.usable
        case About.KEY_ENDS:
            usable = ApiKey.objects.usable(now=now).filter(owner__isnull=False)
            return mail.key_id is not None and usable.filter(pk=mail.key_id).exists()
        case About.CODE:
            proposal = mail.proposal
            return (
                proposal is not None
                and proposal.state == Proposal.State.UNPROVEN
                and proposal.code_asked_at == mail.created_at
            )
    return mail.choice is not None and mail.choice.reader is not None


def _confirmation(mail: SystemMail, *, now: datetime) -> tuple[EmailMessage, str]:
    assert mail.dispatch is not None  # `_has_reader` has looked
    contact = mail.dispatch.contact
    said = Reply.objects.filter(
        notice__in=mail.dispatch.lines.values("notice"),
        by=str(Actor.link(mail.dispatch.number)),
        at__gte=mail.created_at,
    )
    replies = list(said.select_related("notice").order_by("notice", "at", "pk"))
    with translation.override(contact.provider.language):
        return words.confirmation(mail, replies, at=now), contact.address


def _warning(mail: SystemMail, *, now: datetime) -> tuple[EmailMessage, str]:
    assert mail.key is not None  # `_has_reader` has looked
    assert mail.key.owner is not None
    with translation.override(mail.key.owner.language):
        return words.key_ends(mail, mail.key, to=mail.key.owner.email, at=now), mail.key.owner.email


def _code(mail: SystemMail, *, now: datetime) -> tuple[EmailMessage, str]:
    assert mail.proposal is not None  # `_has_reader` has looked
    hours = round(CODE_VALID.total_seconds() / 3600)
    with translation.override(mail.proposal.provider.language):
        message = words.code(mail, code_of(mail.proposal), hours=hours, at=now)
    return message, mail.proposal.address


def _news(mail: SystemMail, *, now: datetime) -> tuple[EmailMessage, str]:
    assert mail.choice is not None  # `_has_reader` has looked
    assert mail.choice.reader is not None
    address, language = mail.choice.reader
    with translation.override(language):
        return words.news(mail, to=address, at=now), address


#: What a mail is about -> how it is written.
_WRITTEN: Final[dict[SystemMail.About, Callable[..., tuple[EmailMessage, str]]]] = {
    About.ANSWERS: _confirmation,
    About.KEY_ENDS: _warning,
    About.CODE: _code,
    About.NEWS: _news,
    About.WEEKLY: _news,
}


def settle(held: Held, result: Accepted | Failed, *, by: Actor, now: datetime) -> None:
    """Write down what became of an attempt. Once: fenced."""
    with transaction.atomic():
        mail = _fenced(held)
        if mail is None:
            return
        mail.answer, mail.leased_until = result.answer, None
        if isinstance(result, Accepted):
            mail.sent_at = now
        else:
            mail.failures += 1
            mail.due_at = now + pause_after(mail.failures)
            if result.permanent or mail.failures >= PARK_AFTER:
                mail.dropped_at = now
        mail.save()
        if mail.sent_at or mail.dropped_at:
            _record_end(mail, by=by, now=now)


def _record_end(mail: SystemMail, *, by: Actor, now: datetime) -> None:
    """In the trail of the message or the key that it is about; codes and news are in none."""
    if mail.dispatch_id is not None:
        act, subject, pk = "confirm", "dispatch", mail.dispatch_id
    elif mail.key_id is not None:
        act, subject, pk = "warn", "key", mail.key_id
    else:
        return
    record(act if mail.sent_at else f"{act}_failed", subject, pk, by=by, at=now)


def _fenced(held: Held) -> SystemMail | None:
    """The mail, locked, if the claim still holds it."""
    return (
        SystemMail.objects.waiting()
        .select_related(
            "dispatch__contact__provider",
            "key__owner",
            "proposal__provider",
            "choice__user",
            "choice__contact__provider",
        )
        .select_for_update(of=("self",))
        .filter(pk=held.pk, attempt=held.attempt)
        .first()
    )
