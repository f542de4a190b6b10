"""The demo world's mail server: keeps every message, shows them on a page: `python -m local.demo.mailserver`.

Each message that comes over the wire is a file of mode 0600 in `var/mail/` and a line in its `index.jsonl`,
`{"at", "rcpt": [...], "message_id", "dispatch", "file"}`. A message sent twice is there twice: drills count
wire copies.

How it treats a recipient is read anew each time from `behaviour.json` beside it, `{address: behaviour}`, with
`*` for everybody else: `accept`; `451` and `550`, the refusal of a recipient; `slow:SECONDS`, the answer to
DATA comes late; `drop`, the message is kept and the connection cut before the 250, so that the sender
cannot know; `bounce:SECONDS`, `report:SECONDS`, `receipt:SECONDS` and `answer:SECONDS`, the message is taken and
something comes back to it (local/demo/returns.py). Environment: DEMO_MAIL_FOLDER, DEMO_SMTP_PORT, DEMO_MAIL_PAGE_PORT.
"""

import asyncio
import json
import os
import secrets
import signal
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from html import escape
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.demo import plain_http, returns
from local.demo.plain_http import Request, Response

LARGEST_MESSAGE = 40 * 1024 * 1024  # bytes
MESSAGES_PER_PAGE = 100
SHOWN_HEADERS = (
    "From", "To", "Date", "Subject", "Reply-To", "In-Reply-To", "Message-ID", "Auto-Submitted", "X-Takedown-Dispatch",
)  # fmt: skip
#: What is shown of an attachment, in characters.
LARGEST_VIEW = 200_000
#: As a mail program shows plain text: a letter of one width, folded at the window and never wider than 80 characters.
STYLE = """
:root { color-scheme: light dark; --line: light-dark(#c9d3d4, #3a4a4c); --back: light-dark(#f4f7f7, #182224) }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; margin: .6rem 0 }
h2 { font-size: 1rem; margin: 1.2rem 0 .4rem }
a { color: light-dark(#0b5c6b, #7fd0de) }
a:focus-visible, pre:focus-visible { outline: 3px solid currentColor; outline-offset: 2px }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .35rem .8rem .35rem 0; vertical-align: top; overflow-wrap: anywhere }
tr + tr > * { border-top: 1px solid var(--line) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 1rem; padding: .8rem 1rem;
  background: var(--back); border: 1px solid var(--line) }
dt { font-weight: 600 }
dd { margin: 0; overflow-wrap: anywhere }
pre { font: 15px/1.45 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; max-width: 80ch; margin: 0 }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin: 0 0 .4rem }
  pre { font-size: 13px }
  thead { display: none }
  tr, td { display: block }
  tr + tr > * { border: 0 }
  tr { border-bottom: 1px solid var(--line); padding: .4rem 0 }
  td { padding: 0 }
}
"""
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Post:
    """The folder of messages and its index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = folder / "index.jsonl"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.index.touch(mode=0o600)

    def keep(self, recipients: list[str], content: bytes) -> None:
        """Store one wire copy: first the message, then its line, so that a line always has its message."""
        headers = BytesHeaderParser(policy=default).parsebytes(content)
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.eml"
        message = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(message, "wb") as file:
            file.write(content)
        line = {
            "at": now.isoformat(),
            "rcpt": recipients,
            "message_id": str(headers.get("Message-ID", "")).strip(),
            "dispatch": str(headers.get("X-Takedown-Dispatch", "")).strip(),
            "file": name,
        }
        with self.index.open("ab") as index:
            index.write(json.dumps(line).encode() + b"\n")

    def lines(self) -> list[dict[str, str | list[str]]]:
        """The index, oldest first."""
        return [json.loads(line) for line in self.index.read_bytes().splitlines()]

    def behaviour(self, recipient: str) -> str:
        """What is to happen to this recipient now."""
        try:
            told = json.loads((self.folder / "behaviour.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            told = {}
        usual = returns.USUAL.get(recipient.lower(), "accept")
        return str(told.get(recipient.lower(), told.get("*", usual)))


class Reception:
    """aiosmtpd's handler: the conversation of one connection."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or refuse it for now (451) or for good (550)."""
        behaviour = self._post.behaviour(address)
        if behaviour == "451":
            return "451 4.3.0 Try again later"
        if behaviour == "550":
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message, then answer as the recipients' behaviour says."""
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 5.6.0 Send bytes"
        self._post.keep(list(envelope.rcpt_tos), content)
        for recipient in envelope.rcpt_tos:
            behaviour = self._post.behaviour(recipient)
            _send_back(behaviour, content, envelope.mail_from or "", recipient)
            if behaviour == "drop" and isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
            if behaviour.startswith("slow:"):
                await asyncio.sleep(float(behaviour.removeprefix("slow:")))
        return "250 2.0.0 OK: kept"


def _send_back(behaviour: str, content: bytes, return_path: str, recipient: str) -> None:
    """Let something come back to a message, after a while, if that is how its recipient behaves."""
    kind, _colon, seconds = behaviour.partition(":")
    original = message_from_bytes(content, _class=EmailMessage, policy=default)
    if kind not in returns.KINDS or not return_path or not returns.is_fresh(original):
        return
    made = returns.made(kind, original, return_path=return_path, recipient=recipient)
    loop = asyncio.get_running_loop()
    loop.call_later(float(seconds or 3), lambda: loop.run_in_executor(None, returns.deliver, made))


# -- the page: what came in, as text and nothing else -------------------------------------------------------


class Page:
    """Lists the messages and shows one. Everything is escaped; nothing in a message becomes a link."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def answer(self, request: Request) -> Response:
        """GET and HEAD of four paths."""
        parts = urlsplit(request.target)
        if request.method not in {"GET", "HEAD"}:
            return _page(HTTPStatus.METHOD_NOT_ALLOWED, "Only to be read", "")
        if parts.path == "/style.css":
            return Response(HTTPStatus.OK, STYLE, "text/css; charset=utf-8")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/":
            return self._list(query.get("page", "1"))
        if parts.path == "/message":
            return self._message(query.get("file", ""))
        if parts.path == "/part":
            return self._part(query.get("file", ""), query.get("number", ""))
        return _page(HTTPStatus.NOT_FOUND, "No such page", "")

    def _list(self, page: str) -> Response:
        lines = self._post.lines()[::-1]
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
        first = (max(number, 1) - 1) * MESSAGES_PER_PAGE
        rows = "".join(self._row(line) for line in lines[first : first + MESSAGES_PER_PAGE])
        older = first + MESSAGES_PER_PAGE < len(lines)
        return _page(
            HTTPStatus.OK,
            f"{len(lines)} messages",
            f"<table><thead><tr><th>Received (UTC)<th>To<th>Message</thead><tbody>{rows}</table>"
            + (f'<p><a href="/?page={max(number, 1) + 1}">Older</a>' if older else ""),
        )

    def _row(self, line: dict[str, str | list[str]]) -> str:
        """One message of the list. A message that was cleared away is named by its number alone."""
        message = self._read(str(line["file"]))
        name = str(message["Subject"]) if message is not None else str(line["dispatch"])
        return (
            f"<tr><td>{escape(str(line['at'])[:19].replace('T', ' '))}<td>{escape(', '.join(line['rcpt']))}"
            f'<td><a href="/message?file={escape(str(line["file"]))}">{escape(name or "without a subject")}</a>'
        )

    def _message(self, name: str) -> Response:
        message = self._read(name)
        if message is None:
            return _page(HTTPStatus.NOT_FOUND, "No such message", "")
        head = "".join(
            f"<dt>{name}<dd>{escape(str(message[name]))}" for name in SHOWN_HEADERS if message[name]
        )
        body = message.get_body(("plain",))
        text = body.get_content() if body is not None else "(no text)"
        files = "".join(
            f'<li><a href="/part?file={escape(name)}&amp;number={number}">{escape(_named(part))}</a>, '
            f"{escape(part.get_content_type())}, {len(part.get_payload(decode=True) or b'')} bytes"
            for number, part in enumerate(message.iter_attachments())
        )
        attached = f"<h2>Attached</h2><ul>{files}</ul>" if files else ""
        return _page(
            HTTPStatus.OK,
            str(message["Subject"] or "Without a subject"),
            f'<p><a href="/">All messages</a><dl>{head}</dl><pre tabindex="0">{escape(text)}</pre>{attached}',
        )

    def _part(self, name: str, number: str) -> Response:
        """An attachment as text, whatever it says that it is."""
        message = self._read(name)
        parts = list(message.iter_attachments()) if message is not None else []
        if not (number.isascii() and number.isdigit() and len(number) < 4) or int(number) >= len(parts):
            return _page(HTTPStatus.NOT_FOUND, "No such attachment", "")
        part = parts[int(number)]
        text = bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
        cut = "" if len(text) <= LARGEST_VIEW else f"<p>Only the first {LARGEST_VIEW} characters are shown."
        return _page(
            HTTPStatus.OK,
            _named(part),
            f'<p><a href="/message?file={escape(name)}">Back to the message</a>{cut}'
            f'<pre tabindex="0">{escape(text[:LARGEST_VIEW])}</pre>',
        )

    def _read(self, name: str) -> EmailMessage | None:
        """A message of the folder; None for any other name."""
        path = self._post.folder / name
        if Path(name).name != name or not name.endswith(".eml") or not path.is_file():
            return None
        return message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default)


def _named(part: EmailMessage) -> str:
    return part.get_filename() or "without a name"


def _page(status: HTTPStatus, title: str, body: str) -> Response:
    start = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/style.css">'
    )
    page = f"{start}<title>Demo mail</title><main><h1>{escape(title)}</h1>{body}</main>\n"
    return Response(status, page, headers=PAGE_HEADERS)


async def main() -> None:
    """Serve SMTP and the page until told to stop."""
    post = Post(Path(os.environ["DEMO_MAIL_FOLDER"]))
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(Reception(post), data_size_limit=LARGEST_MESSAGE, enable_SMTPUTF8=True, loop=loop),
        "127.0.0.1",
        int(os.environ["DEMO_SMTP_PORT"]),
    )
    page = await plain_http.serve(Page(post).answer, int(os.environ["DEMO_MAIL_PAGE_PORT"]))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    smtp.close()
    page.close()


if __name__ == "__main__":
    asyncio.run(main())
