"""Look again just before anything leaves, and make the message."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor
from cases.formats import mail, text
from cases.models import Attempt, Dispatch, DispatchLine
from cases.services.enqueue import FIRST
from cases.services.letters import letter_of
from cases.services.moving import moving_many
from cases.services.route import refresh_attributions
from cases.services.sending.claiming import LEASE, Claim, fenced
from cases.services.sending.failing import change, failed, park
from cases.services.sending.keeping import keep
from providers.channels import CHANNELS
from providers.channels.result import Failed
from providers.sources.resolver import Resolver


@dataclass(frozen=True)
class Ready:
    """A message that may go out now."""

    message: EmailMessage
    sender: str
    recipient: str
    channel: str


def prepare(held: Claim, *, resolver: Resolver, by: Actor, now: datetime) -> Ready | None:
    """Look again before anything leaves: contact, withdrawals, place. None when nothing is to be sent now.

    Once an attempt ended in silence (a crash), that copy may be with them already: the words stay as they are
    unless a line has to go. Raises Unmade, with nothing written.
    """
    lines = DispatchLine.objects.filter(dispatch_id=held.dispatch_id, dropped_because="")
    unknown = refresh_attributions(
        list(lines.filter(step=FIRST).values_list("notice_id", flat=True)), resolver=resolver, by=by, now=now
    )
    with transaction.atomic():
        ids = list(lines.values_list("notice_id", flat=True))
        with moving_many(ids, "drop", by=by, now=now) as notices:
            dispatch = fenced(held)
            if dispatch is None:
                return None
            if not dispatch.contact.usable:
                park(dispatch, Dispatch.Trouble.CONTACT, by=by, now=now)
                return None
            if dispatch.contact.channel not in CHANNELS:
                park(dispatch, Dispatch.Trouble.CHANNEL, by=by, now=now)
                return None
            if unknown:
                failed(
                    dispatch, Failed(_("The name servers did not answer."), permanent=False), by=by, now=now
                )
                return None
            kept = keep(dispatch, notices, by=by, now=now)
            if not kept:
                change(dispatch, Dispatch.State.CANCELLED, "cancel", by=by, now=now)
                return None
        letter = letter_of(dispatch, kept, now=now)
        silent = dispatch.attempts.filter(ended_at__isnull=True).exists()
        if not silent or len(kept) < len(notices):
            dispatch.subject, dispatch.body = text.subject(letter), text.body(letter)
            dispatch.body_digest = hashlib.sha256(dispatch.body.encode()).digest()
            dispatch.template = letter.wording
        dispatch.leased_until = now + LEASE
        dispatch.save(update_fields=["subject", "template", "body_sealed", "body_digest", "leased_until"])
        Attempt.objects.create(dispatch=dispatch, number=held.attempt, started_at=now)
        message = mail.message(
            letter, subject=dispatch.subject, body=dispatch.body, in_reply_to=_thread(dispatch)
        )
    return Ready(
        message=message,
        sender=mail.return_path(dispatch.token),
        recipient=settings.HOST.dry_run_address or dispatch.contact.address,
        channel=dispatch.contact.channel,
    )


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
