"""What the demo's providers send back: a receipt of a ticket system, a person's answer, a bounce, a delivery report.

It is put in the mailbox that REPLIES_URL names, as our own mail server would have left it there.
"""

import os
import secrets
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient

from local.demo.mailbox import MX

#: Who answers how, as long as `behaviour.json` says nothing else of them.
USUAL = {"noc@delta.test": "receipt", "abuse@bravo.test": "answer"}
#: What a behaviour sends back; each may be followed by `:SECONDS`.
KINDS = ("receipt", "answer", "bounce", "report")
#: Nobody answers the past that the demo world is made with.
FRESH = timedelta(hours=6)


def made(kind: str, original: EmailMessage, *, return_path: str, recipient: str) -> EmailMessage:
    """The mail that comes back to `original`, which was sent from `return_path`."""
    reports = kind in {"bounce", "report"}
    domain = recipient.rpartition("@")[2]
    out = EmailMessage(policy=SMTP)
    if reports:
        out["Return-Path"] = "<>"
    else:
        out["Authentication-Results"] = f"{MX}; dmarc=pass (p=reject) header.from={domain}"
    out["Received"] = f"from mail.{domain} by {MX}; {format_datetime(datetime.now(UTC))}"
    out["From"] = f"MAILER-DAEMON@mail.{domain}" if reports else recipient
    out["To"] = return_path if reports else str(original["Reply-To"])
    out["Message-ID"] = f"<{secrets.token_hex(8)}@mail.{domain}>"
    out["Date"] = format_datetime(datetime.now(UTC))
    if reports:
        _report(out, kind, original, recipient)
    else:
        _answer(out, kind, original)
    return out


def _answer(out: EmailMessage, kind: str, original: EmailMessage) -> None:
    out["In-Reply-To"] = out["References"] = str(original["Message-ID"])
    if kind == "receipt":
        number = f"{datetime.now(UTC):%Y%m%d}{secrets.randbelow(10**6):06d}"
        out["Auto-Submitted"] = "auto-replied"
        out["Subject"] = f"[Ticket#{number}] {original['Subject']}"
        out.set_content(f"Uw melding is ontvangen en geregistreerd onder nummer {number}.\n")
    else:
        out["Subject"] = f"Re: {original['Subject']}"
        out.set_content(
            "Hello,\n\nwe have disabled the account of this customer; the pages are gone.\n\nKind regards,\nBillie\n"
        )


def _report(out: EmailMessage, kind: str, original: EmailMessage, recipient: str) -> None:
    action, status, words = {
        "bounce": ("failed", "5.1.1", "550 5.1.1 no such mailbox"),
        "report": ("delivered", "2.0.0", "250 2.0.0 taken"),
    }[kind]
    out["Auto-Submitted"] = "auto-replied"
    out["Subject"] = "Undelivered mail" if kind == "bounce" else "Delivery report"
    out.set_content(f"<{recipient}>: {words}\n")
    out.make_mixed()
    fields = EmailMessage()
    fields["Reporting-MTA"] = f"dns; mail.{recipient.rpartition('@')[2]}"
    of_it = EmailMessage()
    of_it["Final-Recipient"] = of_it["Original-Recipient"] = f"rfc822; {recipient}"
    of_it["Action"], of_it["Status"], of_it["Diagnostic-Code"] = action, status, f"smtp; {words}"
    part = EmailMessage()
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([fields, of_it])
    out.attach(part)
    out.replace_header("Content-Type", f"{out['Content-Type']}".replace("mixed", "report", 1))
    out.set_param("report-type", "delivery-status")


def is_fresh(original: EmailMessage) -> bool:
    """Whether it was written just now, and not for the past of the world."""
    try:
        at = parsedate_to_datetime(str(original["Date"]))
    except ValueError:
        return False
    return datetime.now(UTC) - at < FRESH


def deliver(*mails: EmailMessage) -> None:
    """Put mails in the mailbox, which is made when it is missing."""
    there = urlsplit(os.environ["REPLIES_URL"])
    folder = unquote(there.path.strip("/"))
    with IMAPClient(there.hostname, there.port, ssl=False, timeout=10) as client:
        client.login(there.username, there.password)
        if not client.folder_exists(folder):
            client.create_folder(folder)
        for mail in mails:
            client.append(folder, mail.as_bytes())
