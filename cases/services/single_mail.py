"""Mails of our own that are one row and go to one reader: their turn, their lease and their fence (docs/adr/0002).

What goes to a provider about notices is an outbox of its own kind: `cases.services.sending`.
"""

import logging
import random
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from cases.models import MailReceipt, SystemMail
from cases.services.sending import BACK_OFF, LEASE
from providers.channels import CHANNELS
from providers.channels.result import Accepted, Channel, Failed

Mail = TypeVar("Mail", SystemMail, MailReceipt)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """A mail in our hands; `attempt` is the fence."""

    pk: int
    attempt: int


def new_message_id(kind: str) -> str:
    """Minted once, and kept: every copy of a mail has the same."""
    domain = parseaddr(settings.HOST.sender_address)[1].rpartition("@")[2]
    return f"<{kind}.{secrets.token_urlsafe(18)}@{domain}>"


def claim(due: "QuerySet[Mail]", *, now: datetime, limit: int) -> list[Held]:
    """Take up to `limit` of the `due` rows, in their order; others skip them while the lease lasts."""
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True).only("pk", "attempt")[:limit])
        due.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(
            leased_until=now + LEASE, attempt=F("attempt") + 1
        )
    return [Held(row.pk, row.attempt + 1) for row in rows]


def hand_over_all(
    *,
    name: str,
    take: Callable[[], list[Held]],
    prepare: Callable[[Held], tuple[EmailMessage, str] | None],
    settle: Callable[[Held, Accepted | Failed], None],
) -> int:
    """Hand over what `take` gives until it gives nothing more; returns how many hand-overs were tried.

    `prepare`: the mail and its recipient, or None when it is not to be sent. `name` is for the log.
    """
    total = 0
    with ExitStack() as stack:
        channel: Channel | None = None
        while held_now := take():
            for held in held_now:
                try:
                    ready = prepare(held)
                    if ready is None:
                        continue
                    message, recipient = ready
                    channel = channel or stack.enter_context(CHANNELS["smtp"]())
                    # The null sender: no machine answers what a machine says (RFC 3834, 3).
                    result = channel.hand_over(message, sender="", recipient=recipient)
                except (OperationalError, InterfaceError):
                    raise  # the database is away: that is no fault of this row
                except Exception:
                    logger.exception("%s %s cannot be handed over", name, held.pk)
                    result = Failed(_("This message cannot be made; the log says why."), permanent=False)
                settle(held, result)
                total += 1
    return total


def pause_after(failures: int) -> timedelta:
    """How long a mail waits that failed so often, with jitter: what failed together does not come back together."""
    return BACK_OFF[min(failures, len(BACK_OFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
