"""Mail that no person sent: it never becomes a report by itself, and never gets an answer (loops end here)."""

from email.message import Message
from typing import Final

#: Headers that only machines and lists write (RFC 2919, 2369, 3834 and what is common beside them).
_MARKS: Final = (
    "List-Id",
    "List-Post",
    "List-Unsubscribe",
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply",
    "X-Failed-Recipients",
    # Our own: whatever carries them came from here.
    "X-Takedown-Dispatch",
    "X-Takedown-Receipt",
)
_SERVERS: Final = ("mailer-daemon@", "postmaster@")


def is_machine(mail: Message, *, sender: str, ours: str) -> bool:
    """Whether `mail` is an automatic answer, a bounce, a list's, or our own. `sender` in lower case or ""."""
    return (
        any(mark in mail for mark in _MARKS)
        or _said(mail, "Auto-Submitted") not in {"", "no"}
        or _said(mail, "Precedence") in {"bulk", "list", "junk", "auto_reply"}
        or "".join(_said(mail, "Return-Path").split()) == "<>"
        or mail.get_content_type() in {"multipart/report", "message/delivery-status"}
        or sender.startswith(_SERVERS)
        or _is_ours(sender, ours.lower())
    )


def _is_ours(sender: str, ours: str) -> bool:
    """Whether it is our own address, or one of its return paths (local+token@domain)."""
    local, _at, domain = ours.rpartition("@")
    return sender == ours or (sender.startswith(f"{local}+") and sender.endswith(f"@{domain}"))


def _said(mail: Message, name: str) -> str:
    """The first word of a header, in lower case and without parameters and comments."""
    return str(mail.get(name, "")).partition(";")[0].partition("(")[0].strip().lower()
