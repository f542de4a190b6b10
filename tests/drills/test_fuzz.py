"""Drill: 20,000 requests made up by the description and by chance, at the server as it runs in production.

The time of a request is the server's, from its access log: the client shares two cores with the server, and would
measure itself. What the client saw is printed beside it, with the load of the machine.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from django.db import connections

from tests.api import fuzzing
from tests.drills.world import ROOT, Workers, wait_for
from tests.mailserver import MailServer

pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]

REQUESTS: Final = int(os.environ.get("N") or 20_000)
SLOW_S: Final = 2.0


class Web(Workers):
    """The server that runs in production; it writes of each request how long it took."""

    def __init__(self, mail: MailServer, folder: Path) -> None:
        super().__init__(mail, folder, DEBUG="no", SECOND_FACTOR="", STATIC_ROOT=str(folder / "static"))
        del self.environment["SECOND_FACTOR"]
        self.url = f"http://127.0.0.1:{self.port}"
        self._times = folder / "times"

    def collect(self) -> None:
        """The style sheets under the names that pages say in production; without them a page of an error is one itself."""
        collect = (sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0")
        subprocess.run(collect, cwd=ROOT, env=self.environment, check=True)

    def _command(self, name: str) -> Sequence[str]:
        more = ("--threads", "4", "--access-logfile", str(self._times), "--access-logformat", "%(L)s %(s)s")
        return (*super()._command(name), *more)

    def times(self) -> list[tuple[float, int]]:
        """(seconds, status) of each that came through to the application."""
        lines = self._times.read_text(encoding="ascii").splitlines()
        return [(float(seconds), int(status)) for seconds, status in map(str.split, lines)]

    def faults(self) -> str:
        """What it wrote of faults of its own; a name that is not its host is the caller's."""
        text = (self._folder / "web.log").read_text(encoding="utf-8", errors="replace")
        told = [
            line
            for line in text.splitlines()
            if ('"level": "error"' in line and "DisallowedHost" not in line) or "[ERROR]" in line
        ]
        return "\n".join(told[:5]) or self.words()


@pytest.fixture
def web(mail_server: MailServer, tmp_path: Path) -> Iterator[Web]:
    """A worker of four threads, of which production has two, on the test's database."""
    server = Web(mail_server, tmp_path)
    try:
        server.collect()
        server.start("web")
        wait_for(lambda: fuzzing.answers(server.url), within_s=60, say=server.words)
        yield server
    finally:
        server.stop()
        connections.close_all()


def test_twenty_thousand_requests_find_no_fault_and_no_wait(
    web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, findings = fuzzing.world(tenants=8), fuzzing.Findings()

    fuzzing.by_description(web.url, keys, findings, each=REQUESTS // 28)
    fuzzing.around(web.url, keys, findings, count=REQUESTS // 4)
    fuzzing.by_bytes(web.url, keys, findings, count=max(0, REQUESTS - findings.sent))

    times = web.times()
    server, client = fuzzing.spread([seconds for seconds, _status in times]), fuzzing.spread(findings.seconds)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{findings.sent} requests, answered with {dict(sorted(findings.statuses.items()))}"
            f"\nby the server's clock {server}\nby ours {client}"
            f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
        )
    assert findings.wrong == {}, web.faults()
    assert findings.sent >= REQUESTS
    assert [each for each in times if each[1] >= 500] == []
    assert [each for each in times if each[0] >= SLOW_S] == []
