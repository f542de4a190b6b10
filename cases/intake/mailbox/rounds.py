"""One round through a mailbox: each mail is kept, and only then put away on the server.

What a crash leaves behind is found by the next round: a mail that lies on the server without a row, a mail with a
row that was not put away.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cases.intake.mailbox import server
from cases.models import MailCopy
from cases.services import mailbox

logger = logging.getLogger(__name__)

#: seconds; then the worker is free for others, and the next sweep goes on.
SLICE_S: Final = 20.0

#: Keeps a mail that was fetched, and says so on its copy.
Deal = Callable[[server.Fetched, MailCopy], None]


def read_all(
    place: server.Place | None, deal_with: Deal, *, clock: Callable[[], datetime], stop: float
) -> int:
    """Deal with what lies in a mailbox until `stop` (monotonic seconds); returns how many mails were read.

    A mailbox that cannot be reached is said in the log, and by its age in health.
    """
    if place is None:
        return 0
    try:
        with server.opened(place) as folder:
            return _read(folder, deal_with, clock=clock, stop=stop)
    except server.Unreachable as fault:
        logger.warning("the mailbox %s cannot be read: %s", place.folder, fault)
        return 0


def _read(folder: server.Session, deal_with: Deal, *, clock: Callable[[], datetime], stop: float) -> int:
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
        if _fetch(folder, uid, deal_with):
            read.append(uid)
    else:
        mailbox.came_to_the_end(mailbox=folder.name, now=clock())
    folder.put_away(read)
    return len(read)


def _fetch(folder: server.Session, uid: int, deal_with: Deal) -> bool:
    """Fetch one mail and deal with it; False when it is gone meanwhile."""
    copy = mailbox.begin(mailbox=folder.name, uid_validity=folder.uid_validity, uid=uid)
    try:
        fetched = folder.fetch(uid)
    except server.Unreachable:
        mailbox.not_begun(copy=copy)
        raise
    if fetched is None:
        mailbox.not_begun(copy=copy)
        return False
    deal_with(fetched, copy)
    return True
