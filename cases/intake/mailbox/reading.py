"""Read the mailbox: each mail is kept, taken in if it may be, and only then put away on the server.

What a crash leaves behind is found by the next reading: a mail that lies on the server without a row, a row that
was accepted and has no report, a mail with a row that was not put away.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError

from audit.record import Actor
from cases.intake.mailbox import letter, server, texts
from cases.intake.way import Unreadable
from cases.models import Mail, Report
from cases.services import mailbox
from cases.services.mailbox import Arrived
from cases.services.receive import digest_of, receive
from cases.services.refused import Refused

logger = logging.getLogger(__name__)

#: seconds; then the worker is free for others, and the next sweep goes on.
SLICE_S: Final = 20.0


def is_on() -> bool:
    """Whether there is a mailbox to read."""
    return settings.HOST.mailbox is not None


def read_mailbox(*, by: Actor, clock: Callable[[], datetime]) -> int:
    """Deal with what lies in the mailbox, for at most a slice; returns how many mails were read.

    A mailbox that cannot be reached is said in the log, and by its age in health.
    """
    stop = time.monotonic() + SLICE_S
    take_accepted(by=by, clock=clock)
    try:
        return _read(by=by, clock=clock, stop=stop)
    except server.Unreachable as fault:
        logger.warning("the mailbox cannot be read: %s", fault)
        return 0


def _read(*, by: Actor, clock: Callable[[], datetime], stop: float) -> int:
    with server.opened() as folder:
        known = mailbox.known_uids(mailbox=folder.name, uid_validity=folder.uid_validity)
        uids = folder.uids()
        # Dealt with before, and a crash or the server kept us from putting it away.
        folder.put_away([uid for uid in uids if uid in known])
        read = []
        for uid in uids:
            if uid in known:
                continue
            if time.monotonic() > stop:
                break
            if _deal_with(folder, uid, by=by, clock=clock):
                read.append(uid)
        else:
            mailbox.came_to_the_end(mailbox=folder.name, now=clock())
        folder.put_away(read)
        return len(read)


def _deal_with(folder: server.Session, uid: int, *, by: Actor, clock: Callable[[], datetime]) -> bool:
    """Keep one mail and take it in if it may be; False when it is gone meanwhile."""
    copy = mailbox.begin(mailbox=folder.name, uid_validity=folder.uid_validity, uid=uid)
    try:
        fetched = folder.fetch(uid)
    except server.Unreachable:
        mailbox.not_begun(copy=copy)
        raise
    if fetched is None:
        mailbox.not_begun(copy=copy)
        return False
    mail = mailbox.keep(arrived=_read_one(fetched, copy.tries), copy=copy, by=by, now=clock())
    if mail.state == Mail.State.ACCEPTED:
        take_in(mail_id=mail.pk, by=by, now=clock())
    return True


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
