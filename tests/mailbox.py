"""A real IMAP server on loopback (pymap, in a process of its own), a wire that can be cut, and mails to put in."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from imapclient import IMAPClient, SocketTimeout

from cases import models
from cases.intake.mailbox import letter
from cases.intake.mailbox.server import DONE, Fetched
from cases.services import mailbox
from takedown.env import Mailbox
from tests.factories import NOON, SYSTEM

USER, PASSWORD = "hotline", "not-a-secret"
#: How our own mail server signs its verdicts.
MX = "mx.hotline.example"
PARTNER = "reports@partner.example"
STRANGER = "someone@stranger.example"


class ImapServer:
    """Mail in memory. `restart` makes another mailbox of it: empty, with another UIDVALIDITY."""

    def __init__(self, *tls: str) -> None:
        """`tls`: pymap's options for its certificate; without them it offers no TLS."""
        self.port = _free_port()
        self._tls = tls or ("--no-tls",)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        code = "import sys; from pymap.main import main; sys.argv[0] = 'pymap'; main()"
        argv = ["--no-service", "admin", "--no-service", "managesieve", "--host", "127.0.0.1"]
        argv += [
            "--port",
            str(self.port),
            *self._tls,
            "dict",
            "--demo-user",
            USER,
            "--demo-password",
            PASSWORD,
        ]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
        self._process = subprocess.Popen([sys.executable, "-c", code, *argv], env=environment)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end, "the IMAP server did not start"
                assert self._process.poll() is None, "the IMAP server ended"
                time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """The same address, and nothing of what was there."""
        self.stop()
        self.start()

    @property
    def setting(self) -> Mailbox:
        """What MAILBOX_URL would say."""
        return Mailbox(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, tls="", folder="INBOX")

    def client(self) -> IMAPClient:
        """A log-in of a mail program."""
        client = IMAPClient("127.0.0.1", self.port, use_uid=True, ssl=False, timeout=SocketTimeout(5, 20))
        client.login(USER, PASSWORD)
        return client

    def put(self, *mails: bytes | EmailMessage) -> None:
        """Deliver mails."""
        with self.client() as client:
            for mail in mails:
                client.append("INBOX", mail if isinstance(mail, bytes) else mail.as_bytes(policy=SMTP))

    def count(self, folder: str = "INBOX") -> int:
        """How many mails lie in a folder."""
        with self.client() as client:
            return (
                client.select_folder(folder, readonly=True)[b"EXISTS"] if client.folder_exists(folder) else 0
            )

    def put_back(self) -> None:
        """Move everything that was dealt with to the inbox again, as a person might."""
        with self.client() as client:
            client.select_folder(DONE)
            client.move(client.search(["ALL"]), "INBOX")

    def empty(self) -> None:
        """Forget all mail."""
        with self.client() as client:
            for folder in ("INBOX", DONE):
                if client.folder_exists(folder):
                    client.select_folder(folder)
                    uids = client.search(["ALL"])
                    if uids:
                        client.delete_messages(uids)
                        client.expunge()


class Wire:
    """A TCP proxy before the server that cuts each connection after `after` bytes of the server's answers, or
    passes them on one by one. `tls`: with TLS on the client's side."""

    def __init__(
        self, port: int, after: int = 1 << 40, *, tls: ssl.SSLContext | None = None, byte_s: float = 0
    ) -> None:
        self.after, self.cuts = after, 0
        self._tls, self._byte_s = tls, byte_s
        self._to = port
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> "Wire":
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)

        async def asks() -> None:
            while data := await reader.read(65_536):
                there_writer.write(data)
                await there_writer.drain()

        asking = asyncio.ensure_future(asks())
        left = self.after
        try:
            while data := await there_reader.read(1 if self._byte_s and left < self.after - 300 else 65_536):
                await asyncio.sleep(self._byte_s)
                writer.write(data[:left])
                await writer.drain()
                left -= len(data)
                if left <= 0:
                    self.cuts += 1
                    break
        except ConnectionError:
            pass
        finally:
            asking.cancel()
            writer.transport.abort()
            there_writer.transport.abort()


def mail(
    text: str = "https://forum.example/img/0001.jpg\n",
    *,
    sender: str = PARTNER,
    verdict: str | None = "",
    message_id: str = "<1@partner.example>",
    subject: str = "Reports",
    files: dict[str, str | bytes] | None = None,
    **headers: str,
) -> EmailMessage:
    """A mail as our server leaves it in the mailbox; `verdict` is its Authentication-Results ("": DMARC passed,
    None: it wrote none). `files`: name -> contents."""
    out = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2].rstrip(">")
    if verdict is not None:
        out["Authentication-Results"] = verdict or f"{MX}; dmarc=pass (p=none dis=none) header.from={domain}"
    out["Received"] = f"from mail.{domain} by {MX}; Tue, 24 Nov 2026 11:59:00 +0000"
    out["From"] = sender
    out["To"] = "meldpunt@hotline.example"
    out["Subject"] = subject
    if message_id:
        out["Message-ID"] = message_id
    for name, value in headers.items():
        out[name.replace("_", "-")] = value
    out.set_content(text)
    for name, contents in (files or {}).items():
        kind: dict[str, Any] = {"maintype": "application", "subtype": "octet-stream"}
        data = contents.encode() if isinstance(contents, str) else contents
        out.add_attachment(data, filename=name, **kind)
    return out


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def arrive(
    number: int = 1, text: str = "Look\nhttps://forum.example/img/0001.jpg\n", sender: str = STRANGER
) -> models.Mail:
    """A mail that was read from our server and kept: in the tray, unless its sender is a partner."""
    raw = mail(
        text, sender=sender, message_id=f"<{number}@x.example>", subject="See https://forum.example/x now"
    ).as_bytes()
    box, _new = models.Mailbox.objects.get_or_create(name="test")
    copy = models.MailCopy.objects.create(mailbox=box, uid_validity=1, uid=number)
    arrived = letter.read(Fetched(raw, len(raw), True))
    return mailbox.keep(arrived=arrived, copy=copy, by=SYSTEM, now=NOON + timedelta(minutes=number))
