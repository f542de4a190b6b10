"""The demo world's mailbox of partner hotlines, over IMAP: `python -m local.demo.mailbox`.

Mail lies in memory: three mails arrive whenever it starts. A partner's, with a list, that our mail server found
proven; a stranger's; an automatic answer. The world knows them again after a restart and takes nothing in twice.
What comes back to our messages lies in another folder: a question about nobody knows which message, and what the
demo's mail server puts there (local/demo/returns.py). Environment: MAILBOX_URL, REPLIES_URL.
"""

import os
import sys
import threading
import time
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient
from pymap.main import main as serve

MX = "mx.hotline.example"
PARTNER = "reports@hotline.test"
STRANGER = "bezorgd@stranger.test"
#: Of hosts.csv.
HOSTS = (
    "p08.forum.test",
    "img07.beeldhost.example",
    "www.site09.example",
    "files13.store.test",
    "www.site10.example",
)
#: seconds that the server gets to come up.
PATIENCE_S = 20.0


def mails() -> list[EmailMessage]:
    """What arrives, oldest first."""
    listed = "url;reference\r\n" + "".join(
        f"http://{host}/partner/{number:04d}.html;HT-{number}\r\n"
        for number, host in enumerate(HOSTS, start=1)
    )
    report = _mail(
        PARTNER,
        "Five addresses hosted in your country",
        "Dear colleagues,\n\nplease find five addresses attached; we saw all of them online this morning.\n\nKind regards",
        verdict=f"{MX}; dmarc=pass (p=reject) header.from=hotline.test",
    )
    report.add_attachment(listed, subtype="csv", filename="report.csv")
    report.add_attachment(b"not a picture", maintype="image", subtype="png", filename="logo.png")
    stranger = _mail(
        STRANGER,
        "Iets gezien",
        "Goedemiddag,\n\nik kwam dit tegen en weet niet waar ik het moet melden:\n\nhttp://p00.forum.test/stranger/0001.html\n",
        verdict=f"{MX}; dmarc=none header.from=stranger.test",
    )
    away = _mail(
        "desk@other-hotline.test",
        "Automatic reply: out of office",
        "I am away until Monday.\n",
        verdict=f"{MX}; dmarc=pass header.from=other-hotline.test",
    )
    away["Auto-Submitted"] = "auto-replied"
    return [report, stranger, away]


def question() -> EmailMessage:
    """What a provider writes that does not say about which message."""
    return _mail(
        "noc@delta.test",
        "Welke klant?",
        "Goedemorgen,\n\nover welke klant gaat uw laatste bericht? Wij zien twee kandidaten.\n\nGroet, NOC Delta\n",
        verdict=f"{MX}; dmarc=pass header.from=delta.test",
    )


def _mail(sender: str, subject: str, text: str, *, verdict: str) -> EmailMessage:
    domain = sender.partition("@")[2]
    out = EmailMessage(policy=SMTP)
    out["Authentication-Results"] = verdict
    out["Received"] = f"from mail.{domain} by {MX}; Tue, 24 Nov 2026 09:00:00 +0000"
    out["From"] = sender
    out["To"] = "meldpunt@hotline.example"
    out["Subject"] = subject
    out["Message-ID"] = f"<demo-1@{domain}>"
    out.set_content(text)
    return out


def deliver() -> None:
    """Put the mails in as soon as the server answers."""
    there = urlsplit(os.environ["MAILBOX_URL"])
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with IMAPClient(there.hostname, there.port, ssl=False, timeout=5) as client:
                client.login(there.username, there.password)
                for mail in mails():
                    client.append("INBOX", mail.as_bytes())
                replies = unquote(urlsplit(os.environ["REPLIES_URL"]).path.strip("/"))
                if not client.folder_exists(replies):
                    client.create_folder(replies)
                client.append(replies, question().as_bytes())
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def main() -> None:
    """Serve until told to stop."""
    there = urlsplit(os.environ["MAILBOX_URL"])
    threading.Thread(target=deliver, daemon=True).start()
    sys.argv = ["pymap", "--no-service", "admin", "--no-service", "managesieve", "--no-tls"]
    sys.argv += ["--host", str(there.hostname), "--port", str(there.port), "dict"]
    sys.argv += ["--demo-user", str(there.username), "--demo-password", str(there.password)]
    serve()


if __name__ == "__main__":
    main()
