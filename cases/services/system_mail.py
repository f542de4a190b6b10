"""System mails: an outbox of its own, with the lease and the fence of docs/adr/0002. What they say is written when
they leave, so that what happened meanwhile is in them, and nobody gets one who must not any more.
"""

import logging
import random
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.formats import system_mail as words
from cases.models import Dispatch, Reply, SystemMail
from cases.services.sending import BACK_OFF, CLAIM, LEASE, PARK_AFTER
from providers.channels import CHANNELS
from providers.channels.result import Accepted, Channel, Failed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A mail in our hands; `attempt` is the fence."""

    mail_id: int
    attempt: int


def confirm(*, dispatch: Dispatch, now: datetime) -> None:
    """The contact of a message is told soon what was answered by its link; one mail for what comes together."""
    SystemMail.objects.bulk_create(
        [
            SystemMail(
                about=SystemMail.About.ANSWERS,
                dispatch=dispatch,
                message_id=_new_message_id(),
                created_at=now,
                due_at=now + settings.HOST.confirm_after,
            )
        ],
        ignore_conflicts=True,  # one waits already
    )


def _new_message_id() -> str:
    domain = parseaddr(settings.HOST.sender_address)[1].rpartition("@")[2]
    return f"<system.{secrets.token_urlsafe(18)}@{domain}>"


def send_due(*, by: Actor, clock: Callable[[], datetime]) -> int:
    """Hand over every system mail that is due; returns how many hand-overs were tried."""
    total = 0
    with ExitStack() as stack:
        channel: Channel | None = None
        while claims := claim(now=clock(), limit=CLAIM):
            for held in claims:
                try:
                    ready = prepare(held, now=clock())
                    if ready is None:
                        continue
                    message, recipient = ready
                    channel = channel or stack.enter_context(CHANNELS["smtp"]())
                    # The null sender: no machine answers what a machine says (RFC 3834, 3).
                    result = channel.hand_over(message, sender="", recipient=recipient)
                except (OperationalError, InterfaceError):
                    raise  # the database is away: that is no fault of this row
                except Exception:
                    logger.exception("system mail %s cannot be handed over", held.mail_id)
                    result = Failed(_("This message cannot be made; the log says why."), permanent=False)
                settle(held, result, by=by, now=clock())
                total += 1
    return total


def claim(*, now: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` due mails in order; others skip them while the lease lasts."""
    due = SystemMail.objects.due(now=now).order_by("due_at", "pk")
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True).only("pk", "attempt")[:limit])
        SystemMail.objects.filter(pk__in=[row.pk for row in rows]).update(
            leased_until=now + LEASE, attempt=F("attempt") + 1
        )
    return [Claim(row.pk, row.attempt + 1) for row in rows]


def prepare(held: Claim, *, now: datetime) -> tuple[EmailMessage, str] | None:
    """The mail in the reader's language, and to whom; None when nobody is there to get it any more."""
    with transaction.atomic():
        mail = _fenced(held)
        if mail is None:
            return None
        dispatch = mail.dispatch
        if dispatch is None or not dispatch.contact.usable:
            mail.dropped_at, mail.leased_until = now, None
            mail.save(update_fields=["dropped_at", "leased_until"])
            return None
        SystemMail.objects.filter(pk=mail.pk).update(leased_until=now + LEASE)
    said = Reply.objects.filter(by=str(Actor.link(dispatch.number)), at__gte=mail.created_at)
    with translation.override(dispatch.contact.provider.language):
        message = words.confirmation(
            mail, list(said.select_related("notice").order_by("notice", "at", "pk")), at=now
        )
    return message, settings.HOST.dry_run_address or dispatch.contact.address


def settle(held: Claim, result: Accepted | Failed, *, by: Actor, now: datetime) -> None:
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
            pause = BACK_OFF[min(mail.failures, len(BACK_OFF)) - 1]
            mail.due_at = now + pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            if result.permanent or mail.failures >= PARK_AFTER:
                mail.dropped_at = now
        mail.save()
        if mail.dispatch_id is not None and (mail.sent_at or mail.dropped_at):
            act = "confirm" if mail.sent_at else "confirm_failed"
            record(act, "dispatch", mail.dispatch_id, by=by, at=now)


def _fenced(held: Claim) -> SystemMail | None:
    """The mail, locked, if the claim still holds it."""
    return (
        SystemMail.objects.waiting()
        .select_related("dispatch__contact__provider")
        .select_for_update(of=("self",))
        .filter(pk=held.mail_id, attempt=held.attempt)
        .first()
    )
