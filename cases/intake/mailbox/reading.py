"""Read the partners' mailbox: each mail is kept, and taken in if it may be.

What a crash leaves behind is found by the next reading: a row that was accepted and has no report.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError

from audit.record import Actor
from cases.intake.mailbox import letter, rounds, server, texts
from cases.intake.way import Unreadable
from cases.models import Mail, MailCopy, Report
from cases.services import mailbox
from cases.services.mailbox import Arrived
from cases.services.receive import digest_of, receive
from cases.services.refused import Refused

logger = logging.getLogger(__name__)


def is_on() -> bool:
    """Whether there is a mailbox to read."""
    return settings.HOST.mailbox is not None


def read_mailbox(*, by: Actor, clock: Callable[[], datetime]) -> int:
    """Deal with what lies in the mailbox, for at most a slice; returns how many mails were read."""

    def deal_with(fetched: server.Fetched, copy: MailCopy) -> None:
        mail = mailbox.keep(arrived=_read_one(fetched, copy.tries), copy=copy, by=by, now=clock())
        if mail.state == Mail.State.ACCEPTED:
            take_in(mail_id=mail.pk, by=by, now=clock())

    stop = time.monotonic() + rounds.SLICE_S
    take_accepted(by=by, clock=clock)
    return rounds.read_all(settings.HOST.mailbox, deal_with, clock=clock, stop=stop)


def _read_one(fetched: server.Fetched, tries: int) -> Arrived:
    """What a mail is; one that no reader survives, or that a fault of ours makes unreadable, goes to a person."""
    if tries <= mailbox.MAX_TRIES:
        try:
            return letter.read(fetched)
        except Exception as fault:  # noqa: BLE001 - its text may repeat the mail; neighbours go on
            logger.error("a mail cannot be read: %s", type(fault).__name__)
    digest = letter.digest_of(fetched)
    return Arrived(digest, digest, fetched.size, trouble=Mail.Reason.UNREADABLE)


def take_accepted(*, by: Actor, clock: Callable[[], datetime]) -> None:
    """Take in what was accepted and has no report yet: a crash came between, or a person just said so."""
    for pk in list(Mail.objects.accepted().order_by("received_at", "pk").values_list("pk", flat=True)[:100]):
        take_in(mail_id=pk, by=by, now=clock())


def take_in(*, mail_id: int, by: Actor, now: datetime) -> None:
    """Make an accepted mail a report. The same mail is the same report: what was broken off goes on."""
    mail = Mail.objects.select_related("source").get(pk=mail_id)
    if mail.state != Mail.State.ACCEPTED or mail.source is None:
        return
    try:
        report = receive(
            source=mail.source,
            way=Report.Way.MAIL,
            lines=read_lines(mail).lines,
            digest=digest_of("mail", bytes(mail.message_key).hex(), bytes(mail.content_key).hex()),
            by=by,
            now=now,
        )
    except Unreadable:
        mailbox.hand_back(mail_id=mail_id, reason=Mail.Reason.BAD_FILE, by=by, now=now)
    except Refused:
        mailbox.hand_back(mail_id=mail_id, reason=Mail.Reason.NO_LINES, by=by, now=now)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise  # the database is away, or time is up: that is no fault of this mail, and it goes on later
    except Exception:
        logger.exception("mail %s cannot be taken in", mail.reference)
        mailbox.hand_back(mail_id=mail_id, reason=Mail.Reason.FAULT, by=by, now=now)
    else:
        mailbox.finish(mail_id=mail_id, report=report, by=by, now=now)


def read_lines(mail: Mail) -> texts.Read:
    """The lines that a mail makes. Raises Unreadable."""
    return texts.read(json.loads(mail.texts_json or "[]"), domain=mail.sender.rpartition("@")[2])
