"""Mail of the corpus (tests/data/replies) as it comes back to a message of ours."""

from datetime import datetime
from pathlib import Path

from cases.formats.mail import reply_path, return_path
from cases.intake.mailbox.server import Fetched
from cases.intake.replies import letter
from cases.models import Dispatch, Mailbox, MailCopy, Notice, ReplyMail
from cases.services import replies
from tests.factories import NOON, SYSTEM
from tests.mailbox import MX

SAMPLES = Path(__file__).resolve().parent / "data" / "replies"


def message(notice: Notice) -> Dispatch:
    """The message that a notice stands on."""
    return notice.dispatch_lines.select_related("dispatch").get().dispatch


def sample(name: str, dispatch: Dispatch, *, proven: bool = False, **swap: str) -> bytes:
    """A mail of the corpus as it comes back to this message."""
    raw = (SAMPLES / f"{name}.eml").read_text(encoding="utf-8")
    swaps = {
        "meldpunt+token-ntd-2026-000123@hotline.example": return_path(dispatch.token),
        "meldpunt+ntd-2026-000123.proof@hotline.example": reply_path(dispatch.number),
        "<ntd-2026-000123.00112233445566aa@hotline.example>": dispatch.message_id,
        "NTD-2026-000123": dispatch.number,
        **swap,
    }
    for old, new in swaps.items():
        raw = raw.replace(old, new)
    if proven:
        raw = f"Authentication-Results: {MX}; dmarc=pass header.from=alfa.example\n{raw}"
    return raw.replace("\n", "\r\n").encode()


def came_back(raw: bytes, at: datetime = NOON) -> ReplyMail:
    """A mail that was read, without a server between."""
    box, _new = Mailbox.objects.get_or_create(name="test")
    copy = MailCopy.objects.create(mailbox=box, uid_validity=1, uid=MailCopy.objects.count() + 1)
    returned = letter.read(Fetched(raw, len(raw), True))
    return replies.keep(returned=returned, copy=copy, by=SYSTEM, now=at)
