"""Receipts by mail: an outbox of its own, with the lease and the fence of docs/adr/0002.

A receipt goes to a partner whose mail proved where it came from, once per mail, and never to a machine.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.formats import mail_receipt
from cases.models import Mail, MailReceipt
from cases.services import single_mail
from cases.services.refused import NotFound, WrongState
from cases.services.sending import CLAIM, LEASE, PARK_AFTER
from cases.services.single_mail import Held, hand_over_all, new_message_id, pause_after
from providers.channels.result import Accepted, Failed

logger = logging.getLogger(__name__)

#: P: more receipts to one sender within the hour are a conversation of machines.
PER_HOUR: Final = 30

State, Trouble = MailReceipt.State, MailReceipt.Trouble
#: Servers repeat the recipient; who that is stands sealed with the mail, and is erased with it.
_ADDRESS: Final = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+")


def add_receipt(*, mail: Mail, by: Actor, now: datetime) -> MailReceipt:
    """The receipt of a mail that is answerable, inside the caller's transaction. Its Message-ID is minted here."""
    lately = MailReceipt.objects.filter(
        created_at__gt=now - timedelta(hours=1), mail__sender_key=mail.sender_key
    ).exclude(trouble=Trouble.CAPPED)
    is_capped = lately[: PER_HOUR + 1].count() >= PER_HOUR
    receipt = MailReceipt.objects.create(
        mail=mail,
        state=State.PARKED if is_capped else State.PENDING,
        trouble=Trouble.CAPPED if is_capped else "",
        message_id=new_message_id("receipt"),
        created_at=now,
        next_attempt_at=now,
    )
    record("add", "mail_receipt", receipt.pk, by=by, at=now, became=receipt.state)
    return receipt


def send_due(*, by: Actor, clock: Callable[[], datetime]) -> int:
    """Hand over every receipt that is due; returns how many hand-overs were tried."""
    return hand_over_all(
        name="receipt",
        take=lambda: claim(now=clock(), limit=CLAIM),
        prepare=lambda held: prepare(held, by=by, now=clock()),
        settle=lambda held, result: settle(held, result, by=by, now=clock()),
    )


def claim(*, now: datetime, limit: int) -> list[Held]:
    """Take up to `limit` due receipts in order; others skip them while the lease lasts."""
    return single_mail.claim(
        MailReceipt.objects.due(now=now).order_by("next_attempt_at", "pk"), now=now, limit=limit
    )


def prepare(held: Held, *, by: Actor, now: datetime) -> tuple[EmailMessage, str] | None:
    """Look again whether the sender may still be answered, and write the receipt in its language."""
    with transaction.atomic():
        receipt = _fenced(held)
        if receipt is None:
            return None
        mail = receipt.mail
        if not mail.answerable or not mail.sender or mail.report is None or mail.listed_as is None:
            _park(receipt, Trouble.SENDER, by=by, now=now)
            return None
        MailReceipt.objects.filter(pk=receipt.pk).update(leased_until=now + LEASE)
    with translation.override(mail.listed_as.language):
        message = mail_receipt.message(receipt, at=now)
    return message, settings.HOST.dry_run_address or mail.sender


def settle(held: Held, result: Accepted | Failed, *, by: Actor, now: datetime) -> None:
    """Write down what became of an attempt. Once: fenced."""
    with transaction.atomic():
        receipt = _fenced(held)
        if receipt is None:
            return
        receipt.answer, receipt.leased_until = _ADDRESS.sub("…", result.answer), None
        if isinstance(result, Accepted):
            receipt.sent_at, receipt.trouble, receipt.failures = now, "", 0
            _move(receipt, State.SENT, "send", by=by, now=now)
            return
        receipt.failures += 1
        if result.permanent or receipt.failures >= PARK_AFTER:
            _park(receipt, Trouble.REFUSED if result.permanent else Trouble.NO_LUCK, by=by, now=now)
            return
        receipt.trouble = Trouble.LATER
        receipt.next_attempt_at = now + pause_after(receipt.failures)
        receipt.save()


def retry_receipt(*, receipt_id: int, by: Actor, now: datetime) -> MailReceipt:
    """A person lets a parked receipt be tried again. Raises NotFound, WrongState."""
    with transaction.atomic():
        receipt = MailReceipt.objects.select_for_update(of=("self",)).filter(pk=receipt_id).first()
        if receipt is None:
            raise NotFound(_("There is no such receipt."))
        if receipt.state != State.PARKED:
            raise WrongState(_("This receipt is not set aside."))
        receipt.failures, receipt.trouble, receipt.next_attempt_at = 0, "", now
        _move(receipt, State.PENDING, "retry", by=by, now=now)
    return receipt


def _fenced(held: Held) -> MailReceipt | None:
    """The receipt, locked, if the claim still holds it."""
    return (
        MailReceipt.objects.select_related("mail__listed_as", "mail__report")
        .select_for_update(of=("self",))
        .filter(pk=held.pk, attempt=held.attempt, state=State.PENDING)
        .first()
    )


def _park(receipt: MailReceipt, trouble: MailReceipt.Trouble, *, by: Actor, now: datetime) -> None:
    receipt.trouble, receipt.leased_until = trouble, None
    _move(receipt, State.PARKED, "park", by=by, now=now)


def _move(receipt: MailReceipt, to: MailReceipt.State, act: str, *, by: Actor, now: datetime) -> None:
    was, receipt.state = receipt.state, to
    receipt.save()
    record(act, "mail_receipt", receipt.pk, by=by, at=now, was=was, became=to)
