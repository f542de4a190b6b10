"""Read the mailbox of the sender's address: what is there is kept, and acted on as far as it proves something."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from audit.record import Actor
from cases.intake.mailbox import rounds
from cases.intake.mailbox.letter import digest_of
from cases.intake.mailbox.server import Fetched
from cases.intake.replies import letter
from cases.models import MailCopy, ReplyMail
from cases.services import replies
from cases.services.mailbox import MAX_TRIES
from cases.services.replies import Returned

logger = logging.getLogger(__name__)


def is_on() -> bool:
    """Whether there is a mailbox to read."""
    return settings.HOST.replies is not None


def read_replies(*, by: Actor, clock: Callable[[], datetime]) -> int:
    """Deal with what came back, for at most a slice; returns how many mails were read."""

    def deal_with(fetched: Fetched, copy: MailCopy) -> None:
        replies.keep(returned=_read_one(fetched, copy.tries), copy=copy, by=by, now=clock())

    return rounds.read_all(
        settings.HOST.replies, deal_with, clock=clock, stop=time.monotonic() + rounds.SLICE_S
    )


def _read_one(fetched: Fetched, tries: int) -> Returned:
    """What a mail is; one that no reader survives, or that a fault of ours makes unreadable, goes to a person."""
    if tries <= MAX_TRIES:
        try:
            return letter.read(fetched)
        except Exception as fault:  # noqa: BLE001 - its text may repeat the mail; neighbours go on
            logger.error("a mail that came back cannot be read: %s", type(fault).__name__)
    digest = digest_of(fetched)
    return replies.unreadable(Returned(digest, digest, fetched.size, kind=ReplyMail.Kind.ANSWER))
