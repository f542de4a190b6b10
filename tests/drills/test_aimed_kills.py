"""Drill: the sending worker is killed at aimed moments, a thousand times; nothing is lost, nothing has two names."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.record import Actor
from cases.models import Attempt, Dispatch, Notice
from cases.services.enqueue import enqueue
from providers.models import Contact
from tests.drills import killed
from tests.drills.world import (
    ROOT,
    Workers,
    assert_each_once,
    assert_verified,
    judged,
    time_passes,
)
from tests.mailserver import MailServer

BY = Actor.system("drill")


class Victim:
    """A worker whose every pass can be ended by SIGKILL."""

    def __init__(self, workers: Workers, mail: MailServer) -> None:
        self._mail = mail
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.killed"],
            cwd=ROOT,
            env=workers.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, point: str, count: int) -> str:
        """One pass; how it ended: "killed" or "ended"."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{point} {count}\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        seen = [0]

        def hook(_recipient: str) -> None:
            seen[0] += 1
            if seen[0] == count:
                os.kill(child, signal.SIGKILL)

        # A pass that ended before the hook is in place met fewer messages than it should have: it goes again.
        self._mail.on_data = hook if point == killed.IN_DATA else lambda recipient: None
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        """No more rounds."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def victim(workers: Workers, mail_server: MailServer) -> Iterator[Victim]:
    """A victim on the test's database and mail server."""
    made = Victim(workers, mail_server)
    try:
        yield made
    finally:
        made.stop()


def put_in_outbox(contacts: int, each: int) -> list[Notice]:
    """`each` notices for every one of `contacts`, on one message each, due now."""
    now = timezone.now()
    notices = judged(contacts=contacts, each=each)
    Notice.objects.filter(routed_at=None).update(routed_at=now)
    for contact in Contact.objects.order_by("pk"):
        own = [notice for notice in notices if notice.provider_id == contact.provider_id]
        with transaction.atomic():
            enqueue(contact_id=contact.pk, notices=own, kind="first", round_=1, by=BY, now=now)
    return notices


def strike(victim: Victim, kills: int, *, contacts: int, each: int) -> tuple[list[Notice], Counter[str]]:
    """`kills` kills at every point in turn, with new work whenever all has arrived. Returns the notices, and the
    number of kills by point."""
    draw = random.Random(4)
    struck: Counter[str] = Counter()
    notices = put_in_outbox(contacts, each)
    while struck.total() < kills:
        point = killed.POINTS[struck.total() % len(killed.POINTS)]
        if victim.run(point, draw.randint(1, 3)) == "killed":
            struck[point] += 1
        time_passes()
        if not Dispatch.objects.filter(state=Dispatch.State.PENDING).exists():
            notices += put_in_outbox(contacts, each)
    for _again in range(3):
        assert victim.run(killed.NEVER, 1) == "ended"
        time_passes()
    return notices, struck


def assert_nothing_lost(notices: list[Notice], mail: MailServer) -> None:
    """Everything is with its provider, once, in one set of words."""
    assert Notice.objects.filter(state=Notice.State.NOTIFIED).count() == len(notices)
    assert_each_once(notices, mail)
    words = {(copy.id, copy.text) for copy in mail.received}
    assert len(words) == len(mail.copies()), "a copy of a message said something else"
    assert_verified()


def test_killed_at_every_point_nothing_is_lost(victim: Victim, mail_server: MailServer) -> None:
    notices, struck = strike(victim, 8, contacts=4, each=2)

    assert set(struck) == set(killed.POINTS)
    assert_nothing_lost(notices, mail_server)


@pytest.mark.drill
def test_killed_a_thousand_times_nothing_is_lost(
    victim: Victim, mail_server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    notices, struck = strike(victim, 1_000, contacts=20, each=2)

    assert_nothing_lost(notices, mail_server)
    copies = mail_server.copies()
    with capsys.disabled(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event WHERE became = 'notified'")
        sys.stdout.write(
            f"\n{struck.total():,} kills ({dict(struck)}): {len(notices):,} notices on {len(copies):,} messages, all"
            f" accepted; {copies.total():,} copies on the wire, {Attempt.objects.count():,} attempts,"
            f" {cursor.fetchone()[0]:,} clocks; no message with two names or two texts\n"
        )
