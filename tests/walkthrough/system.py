"""The real programs, started against the database of the tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.models import ApiKey
from local.demo.hosts import RESOLVER_FILE
from local.servers import free_port

ROOT = settings.BASE_DIR
PATIENCE_S = 60.0


class System:
    """Web, the workers, beat, checker, a mail server and a web site of the outside world."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mail = folder, folder / "mail"
        self.web, self.smtp, self.mail_page, self.site = (free_port() for _ in range(4))
        self.base = f"http://localhost:{self.web}"
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        database = connection.settings_dict  # of the tests' own database; its HOST is a folder with a socket
        self.environment = os.environ | {
            "DATABASE_URL": "postgres://{USER}@/{HOST}/{NAME}".format_map(database),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.smtp}",
            "BASE_URL": self.base,
            "RELAY_IS_FINAL_HOP": "yes",
            "RESOLVER_FILE": str(RESOLVER_FILE),
            "SWEEP_EVERY_S": "1",
            "GROUPING_WINDOW_S": "1",
            "REMOVAL_GAP_S": "1",
            "REMOVAL_SPAN_S": "2",
            "CHECK_EVERY_S": "2",
            "DEMO_MAIL_FOLDER": str(self.mail),
            "DEMO_SMTP_PORT": str(self.smtp),
            "DEMO_MAIL_PAGE_PORT": str(self.mail_page),
            "DEMO_SITE_PORT": str(self.site),
            "DEMO_SITE_FILE": str(folder / "site.json"),
        }

    def start(self) -> None:
        """Everything but the checker, which needs a key first."""
        worker = [
            "celery",
            "-A",
            "takedown",
            "worker",
            "--without-mingle",
            "--without-gossip",
            "-l",
            "WARNING",
        ]
        self.run("demo-mail", "local.demo.mailserver")
        self.run("demo-site", "local.demo.website")
        self.run(
            "web",
            "gunicorn",
            "takedown.wsgi",
            "-b",
            f"127.0.0.1:{self.web}",
            "--threads",
            "4",
            "--no-control-socket",
        )
        self.run("sweeps", *worker, "-n", "sweeps@walk", "-Q", "sweeps", "-P", "prefork", "-c", "1")
        self.run("jobs", *worker, "-n", "jobs@walk", "-Q", "jobs", "-P", "prefork", "-c", "1")
        self.run("sending", *worker, "-n", "sending@walk", "-Q", "sending", "-P", "threads", "-c", "4")
        self.run(
            "beat",
            "celery",
            "-A",
            "takedown",
            "beat",
            "-l",
            "WARNING",
            "--pidfile=",
            "-s",
            str(self.folder / "b"),
        )
        eventually(lambda: self._answers("/healthz"), "the web server serves")

    def start_checker(self) -> None:
        """The isolated checker, with a key of its own; it reaches the world through the site's proxy."""
        _key, secret = ApiKey.mint(name="walkthrough", scopes=["sightings:write"], provider=None)
        self.environment["CHECKER_KEY"] = secret
        proxy = f"http://127.0.0.1:{self.site}"
        self.run(
            "checker", "checker", "--api", self.base, "--proxy", proxy, "--every", "1", "--vantage", "walk-nl"
        )

    def run(self, name: str, *module: str) -> None:
        """Start `python -m module ...`; its output is kept for a failure."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._programs[name] = subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """kill -9, children and all."""
        program = self._programs.pop(name)
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()

    def stop(self) -> None:
        """Everything, children and all."""
        for program in self._programs.values():
            program.terminate()
        for name in list(self._programs):
            try:
                self._programs[name].wait(timeout=5)
            except subprocess.TimeoutExpired:
                pass
            finally:
                program = self._programs.pop(name)
                try:
                    os.killpg(program.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                finally:
                    program.wait()

        with connection.cursor() as cursor:
            # What a killed program left open would keep the tests from dropping their database.
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def letters(self) -> list[dict[str, Any]]:
        """What the outside mail server keeps, in order: one entry per wire copy."""
        index = self.mail / "index.jsonl"
        return [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []

    def _answers(self, path: str) -> bool:
        connection = HTTPConnection("127.0.0.1", self.web, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def eventually(true: Callable[[], Any], what: str, *, within_s: float = PATIENCE_S) -> Any:
    """Wait until `true()` is truthy and return that; fails with `what` when it does not come."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := true():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {within_s:.0f} s: {what}")


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[System]:
    """The system, with some `settings` of its own; stopped in the end whatever happens."""
    system = System(folder)
    system.environment |= settings
    try:
        system.start()
        yield system
    finally:
        system.stop()
