"""Workers of our own beside the test: real Celery processes on the test's database, to be killed and hung."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection, connections
from django.db.models import F
from django.utils import timezone

from audit.models import Event
from cases.models import Dispatch, Notice, Pace
from local import control
from local.children import die_with_parent
from local.servers import free_port
from providers.models import Contact
from tests.factories import AttributionFactory, ContactFactory, ProviderFactory, many
from tests.mailserver import MailServer

REFERENCE = re.compile(r"\bN-[0-9A-Z]{10}\b")
ROOT = Path(__file__).resolve().parents[2]
CELERY = (sys.executable, "-m", "celery", "-A", "takedown")
WEB = (sys.executable, "-m", "gunicorn", "--no-control-socket", "-w", "1", "takedown.wsgi")
WORKER = (*CELERY, "worker", "--without-mingle", "--without-gossip", "--loglevel", "WARNING")


class Workers:
    """Programs on the test's database, broker and mail server."""

    def __init__(self, mail: MailServer, folder: Path, **settings: str) -> None:
        database = connection.settings_dict
        self.environment = os.environ | {
            "DATABASE_URL": f"postgres://{database['USER']}@/{database['HOST']}/{database['NAME']}",
            "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
            "RELAY_IS_FINAL_HOP": "yes",
            "GROUPING_WINDOW_S": "0",
            "SWEEP_EVERY_S": "1",
            **settings,
        }
        self._folder = folder
        #: Where web... listens.
        self.port = free_port()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    # -- programs -----------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start programs: sweeps..., sending..., jobs..., web... and beat... (a number behind the name makes
        another one)."""
        for name in names:
            self._running[name] = self._spawn(name, self._command(name))

    def _command(self, name: str) -> Sequence[str]:
        if name.startswith("sweeps"):
            return (*WORKER, "-n", f"{name}@drill", "-Q", "sweeps", "-P", "prefork", "-c", "1")
        if name.startswith("sending"):
            return (*WORKER, "-n", f"{name}@drill", "-Q", "sending", "-P", "threads", "-c", "4")
        if name.startswith("jobs"):
            return (*WORKER, "-n", f"{name}@drill", "-Q", "jobs", "-P", "prefork", "-c", "1")
        if name.startswith("web"):
            return (*WEB, "-b", f"127.0.0.1:{self.port}")
        return (*CELERY, "beat", "--loglevel", "WARNING", "--pidfile=", "-s", str(self._folder / name))

    def _spawn(self, name: str, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def kill(self, name: str) -> None:
        """kill -9 of the program and all its children. Safe from any thread, also twice."""
        self._signal(name, signal.SIGKILL)

    def hang(self, name: str) -> None:
        """SIGSTOP: it holds what it holds."""
        self._signal(name, signal.SIGSTOP)

    def wake(self, name: str) -> None:
        """SIGCONT."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self._running[name]
        if process.poll() is None:
            os.killpg(process.pid, number)

    def stop(self) -> None:
        """End everything that was started here."""
        for process in self._running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._running.values():
            process.wait(10)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`manage.py ...` to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def words(self) -> str:
        """The end of every log, for a test that failed."""
        return "\n".join(
            f"--- {path.stem}\n{path.read_text(encoding='utf-8', errors='replace')[-2_000:]}"
            for path in sorted(self._folder.glob("*.log"))
        )


# -- the rows --------------------------------------------------------------------------------------------


def judged(contacts: int, each: int) -> list[Notice]:
    """Notices that were judged just now and wait for routing: `each` for every contact of `contacts`."""
    now = timezone.now()
    made: list[Notice] = []
    for number in range(contacts):
        provider = ProviderFactory(code=f"hoster-{number:03d}")
        ContactFactory(provider=provider, approved=True, approved_at=now - timedelta(days=9), known_since=now)
        made += many(
            each,
            assessed=True,
            received_at=now - timedelta(hours=2),
            assessed_at=now - timedelta(hours=1),
            provider=provider,
            attribution=AttributionFactory(provider=provider, at=now),
        )
    return made


def time_passes() -> None:
    """Everything that a clock holds back is due now: leases, back-offs, rests. Instead of sleeping."""
    Dispatch.objects.filter(state="pending", leased_until__isnull=False).update(leased_until=F("created_at"))
    Dispatch.objects.filter(state="pending").update(next_attempt_at=F("created_at"))
    Pace.objects.update(paid_until=None, rests_until=None, asked=False)


def all_accepted(count: int) -> bool:
    """Whether `count` notices are with their providers. The database may be away for a moment."""
    return Notice.objects.filter(state="notified").count() == count


def wait_for(what: Callable[[], bool], *, within_s: float, say: Callable[[], str]) -> float:
    """Ask until it is so; returns the seconds it took. Fails with `say()` when it takes too long."""
    began = time.monotonic()
    while True:
        try:
            if what():
                return time.monotonic() - began
        except Exception:  # noqa: BLE001 - the database is being restarted
            connections.close_all()
        assert time.monotonic() - began < within_s, say()
        time.sleep(0.1)


def restart(program: str) -> None:
    """One of the test's servers: postgres or redis."""
    connections.close_all()
    control.ask("restart", program)
    connections.close_all()


def assert_each_once(notices: Sequence[Notice], mail: MailServer) -> None:
    """Everything is with its provider under one Message-ID, and its clock started once."""
    dispatches = {each.message_id: each for each in Dispatch.objects.exclude(state="cancelled")}
    assert {each.state for each in dispatches.values()} == {"accepted"}
    assert set(mail.copies()) == set(dispatches), "a copy went out under a Message-ID that is no dispatch's"
    told: dict[str, set[str]] = {notice.reference: set() for notice in notices}
    for copy in mail.received:
        for reference in set(REFERENCE.findall(copy.text)) & told.keys():
            told[reference].add(copy.id)
    assert {reference for reference, ids in told.items() if len(ids) != 1} == set()
    started = Event.objects.filter(subject="notice", became="notified").values_list("subject_id", flat=True)
    assert sorted(started) == sorted(notice.pk for notice in notices)
    assert Contact.objects.filter(dispatches__isnull=False).exists()


def assert_verified() -> None:
    """`manage.py verify` finds every invariant whole."""
    call_command("verify")
