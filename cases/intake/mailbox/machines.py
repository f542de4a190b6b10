"""Mail that no person sent: it never becomes a report by itself, and never gets an answer (loops end here)."""

from email.message import Message
from typing import Final

#: Headers that only lists write (RFC 2919, 2369), and that only machines do: common beside RFC 3834.
LIST_MARKS: Final = ("List-Id", "List-Post", "List-Unsubscribe")
AUTO_MARKS: Final = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoresponder", "X-Mail-Autoreply")
#: Our own: whatever carries them came from here.
OWN_MARKS: Final = ("X-Takedown-Dispatch", "X-Takedown-Receipt")
_MARKS: Final = (*LIST_MARKS, *AUTO_MARKS, "X-Failed-Recipients", *OWN_MARKS)
SERVERS: Final = ("mailer-daemon@", "postmaster@")


def is_machine(mail: Message, *, sender: str, ours: str) -> bool:
    """Whether `mail` is an automatic answer, a bounce, a list's, or our own. `sender` in lower case or ""."""
    return (
        any(mark in mail for mark in _MARKS)
        or said(mail, "Auto-Submitted") not in {"", "no"}
        or said(mail, "Precedence") in {"bulk", "list", "junk", "auto_reply"}
        or has_null_sender(mail)
        or mail.get_content_type() in {"multipart/report", "message/delivery-status"}
        or sender.startswith(SERVERS)
        or is_ours(sender, ours.lower())
    )


def has_null_sender(mail: Message) -> bool:
    """Whether our server wrote down that nobody is to be told when this mail cannot be delivered (RFC 5321, 4.5.5)."""
    return "".join(said(mail, "Return-Path").split()) == "<>"


def is_ours(sender: str, ours: str) -> bool:
    """Whether it is our own address, or one of its return paths (local+token@domain)."""
    local, _at, domain = ours.rpartition("@")
    return sender == ours or (sender.startswith(f"{local}+") and sender.endswith(f"@{domain}"))


def said(mail: Message, name: str) -> str:
    """The first word of a header, in lower case and without parameters and comments."""
    return str(mail.get(name, "")).partition(";")[0].partition("(")[0].strip().lower()
