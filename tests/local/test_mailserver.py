"""The demo's mail server: each wire copy is kept, and it misbehaves on demand."""

import json
import smtplib
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cases.intake.mailbox.server import Fetched
from cases.intake.replies import letter
from local import servers
from local.demo import returns
from tests.mailbox import PASSWORD, USER, ImapServer

MESSAGE = """\
From: meldpunt@hotline.example
To: abuse@alfa.test
Subject: Notice <b>1</b>
Message-ID: <one@hotline.example>
X-Takedown-Dispatch: NTD-2026-000001
Content-Type: text/plain; charset=utf-8

See hxxp://bad[.]example/ <script>alert(1)</script>
""".replace("\n", "\r\n")


WITH_A_FILE = """\
From: meldpunt@hotline.example
To: abuse@alfa.test
Subject: Notice
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=xx

--xx
Content-Type: text/plain

Read the file.
--xx
Content-Type: text/html
Content-Disposition: attachment; filename=lines.csv

<b>1;2</b>
--xx--
""".replace("\n", "\r\n")


class Mail:
    def __init__(self, folder: Path, smtp: int, page: int) -> None:
        self.folder, self._smtp, self._page = folder, smtp, page

    def send(self, *recipients: str, text: str = MESSAGE) -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", self._smtp, timeout=5) as link:
            return link.sendmail("meldpunt@hotline.example", recipients or ("abuse@alfa.test",), text)

    def behave(self, **how: str) -> None:
        told = {name.replace("_", "@") if "_" in name else name: value for name, value in how.items()}
        (self.folder / "behaviour.json").write_text(json.dumps(told))

    def index(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "index.jsonl").read_text().splitlines()]

    def page(self, target: str, method: str = "GET") -> tuple[int, str, str]:
        connection = HTTPConnection("127.0.0.1", self._page, timeout=5)
        connection.request(method, target)
        response = connection.getresponse()
        answer = (
            response.status,
            response.read().decode(),
            response.headers.get("Content-Security-Policy", ""),
        )
        connection.close()
        return answer


@pytest.fixture
def mail(start_module: Callable[..., None], tmp_path: Path) -> Mail:
    smtp, page, folder = servers.free_port(), servers.free_port(), tmp_path / "mail"
    start_module(
        "local.demo.mailserver",
        page,
        DEMO_MAIL_FOLDER=str(folder),
        DEMO_SMTP_PORT=str(smtp),
        DEMO_MAIL_PAGE_PORT=str(page),
    )
    return Mail(folder, smtp, page)


def test_each_wire_copy_is_a_file_and_a_line(mail: Mail) -> None:
    mail.send()
    mail.send()

    first, second = mail.index()
    assert first["rcpt"] == ["abuse@alfa.test"]
    assert first["message_id"] == second["message_id"] == "<one@hotline.example>"
    assert first["dispatch"] == "NTD-2026-000001"
    assert first["file"] != second["file"]
    kept = mail.folder / str(first["file"])
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_bytes().endswith(b"</script>\r\n")


def test_recipients_are_refused_as_told_and_the_others_get_theirs(mail: Mail) -> None:
    mail.behave(full_alfa="451", gone_alfa="550")
    refused = mail.send("full@alfa", "gone@alfa", "abuse@alfa.test")

    assert {address: code for address, (code, _) in refused.items()} == {"full@alfa": 451, "gone@alfa": 550}
    assert [line["rcpt"] for line in mail.index()] == [["abuse@alfa.test"]]


def test_a_dropped_connection_leaves_a_copy_that_the_sender_does_not_know_of(mail: Mail) -> None:
    mail.behave(**{"*": "drop"})
    with pytest.raises((smtplib.SMTPException, ConnectionError)):
        mail.send()
    assert len(mail.index()) == 1


def test_a_slow_server_answers_late(mail: Mail) -> None:
    mail.behave(**{"*": "slow:0.3"})
    assert mail.send() == {}


def test_the_page_shows_messages_as_text_without_links(mail: Mail) -> None:
    mail.send()
    name = mail.index()[0]["file"]

    status, listed, policy = mail.page("/")
    assert status == 200
    assert "1 messages" in listed
    assert "default-src 'none'" in policy
    status, shown, _ = mail.page(f"/message?file={name}")
    assert status == 200
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "Notice &lt;b&gt;1&lt;/b&gt;" in shown
    assert shown.count("href=") == 2  # the stylesheet and the way back


def test_an_attachment_is_shown_as_text_whatever_it_says_that_it_is(mail: Mail) -> None:
    mail.send(text=WITH_A_FILE)
    name = mail.index()[0]["file"]

    _status, shown, _ = mail.page(f"/message?file={name}")
    assert 'number=0">lines.csv</a>, text/html' in shown
    status, part, _ = mail.page(f"/part?file={name}&number=0")
    assert status == 200
    assert "&lt;b&gt;1;2&lt;/b&gt;" in part
    assert [mail.page(f"/part?file={name}&number={n}")[0] for n in ("1", "-1", "x", "9" * 9)] == [404] * 4


@pytest.mark.parametrize(
    "target", ["/message?file=../site.json", "/message?file=none.eml", "/message", "/part", "/x"]
)
def test_there_is_nothing_else_on_the_page(mail: Mail, target: str) -> None:
    assert mail.page(target)[0] == 404
    assert mail.page("/", "POST")[0] == 405


def test_what_comes_back_reaches_the_mailbox_and_is_what_it_says(
    imap_process: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap_process.empty()
    monkeypatch.setenv("REPLIES_URL", f"imap://{USER}:{PASSWORD}@127.0.0.1:{imap_process.port}/Replies")
    original = message_from_bytes(MESSAGE.encode(), _class=EmailMessage, policy=policy.default)
    original["Reply-To"] = "meldpunt+ntd-2026-000001.proof@hotline.example"
    told = {}
    for kind in returns.KINDS:
        made = returns.made(
            kind, original, return_path="meldpunt+secret@hotline.example", recipient="abuse@alfa.test"
        )
        returns.deliver(made)
        raw = made.as_bytes()
        told[kind] = letter.read(Fetched(raw, len(raw), True))

    assert imap_process.count("Replies") == len(returns.KINDS)
    assert {kind: read.kind for kind, read in told.items()} == {
        "receipt": "receipt", "answer": "answer", "bounce": "failed", "report": "delivered",
    }  # fmt: skip
    assert told["receipt"].ticket
    assert "abuse@alfa.test" in told["bounce"].fates[0].addresses
    assert told["bounce"].to == ("meldpunt+secret@hotline.example",)
