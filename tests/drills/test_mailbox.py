"""Drill: the worker that reads the mailbox is killed between the commit and the moving, again and again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from cases.models import Mail, MailReceipt, Notice, Report, ReportLine
from local.children import die_with_parent
from tests.factories import MailSenderFactory
from tests.mailbox import MX, PASSWORD, USER, ImapServer, mail

ROOT = Path(__file__).resolve().parents[2]
MAILS = 6


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    server = ImapServer()
    server.start()
    yield server
    server.stop()


def sweep(imap: ImapServer) -> "subprocess.Popen[bytes]":
    """`manage.py sweep mailbox` on the test's database, as the worker would do it."""
    database = connection.settings_dict
    settings = {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['HOST']}/{database['NAME']}",
        "MAILBOX_URL": f"imap://{USER}:{PASSWORD}@127.0.0.1:{imap.port}/INBOX",
        "MAILBOX_AUTHSERV_ID": MX,
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "sweep", "mailbox"],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_killed_after_a_commit_and_before_the_moving_nothing_is_lost_or_doubled(imap: ImapServer) -> None:
    MailSenderFactory()
    text = "".join(f"https://forum.example/{{}}/{n:03d}.jpg\n" for n in range(50))
    imap.put(*(mail(text.replace("{}", str(n)), message_id=f"<{n}@partner.example>") for n in range(MAILS)))

    kills = 0
    for wanted in (1, 2, 4):
        process = sweep(imap)
        while process.poll() is None and Mail.objects.filter(state=Mail.State.TAKEN).count() < wanted:
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait(20)
    assert kills >= 2, "it was hardly ever killed: the drill shows nothing"
    assert sweep(imap).wait(60) == 0

    assert Mail.objects.filter(state=Mail.State.TAKEN).count() == Report.objects.count() == MAILS
    assert MailReceipt.objects.count() == MAILS
    assert ReportLine.objects.count() == Notice.objects.count() == 50 * MAILS
    assert imap.count() == 0
