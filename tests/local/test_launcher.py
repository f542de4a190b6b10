"""The launcher: what dies comes back, what is told to stop stops, and nothing outlives it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local import control, servers
from local.children import Failed, Launcher, Program

# Tells its process id and then sleeps; deaf to SIGTERM when told so.
SLEEPER = "import os, signal, sys, time; {}; print(os.getpid(), flush=True); time.sleep(60)"


def sleeper(log: Path, *, deaf: bool = False, returns: bool = True, stop_within_s: float = 5) -> Program:
    code = SLEEPER.format("signal.signal(signal.SIGTERM, signal.SIG_IGN)" if deaf else "pass")
    return Program(
        name="sleeper",
        argv=[sys.executable, "-c", code],
        log=log,
        returns=returns,
        stop_within_s=stop_within_s,
        ready=lambda: log.exists() and log.read_text().endswith("\n"),
    )


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def runs(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_is_killed_comes_back(launcher: Launcher, tmp_path: Path) -> None:
    log = tmp_path / "log"
    launcher.start(sleeper(log))

    launcher.kill("sleeper")
    limit = time.monotonic() + 5
    launcher.watch(until=lambda: len(log.read_text().split()) == 2 or time.monotonic() > limit)

    first, second = map(int, log.read_text().split())
    assert not runs(first)
    assert runs(second)


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(
    launcher: Launcher, tmp_path: Path
) -> None:
    broken = Program(
        "broken",
        [sys.executable, "-c", "print('no such port')"],
        tmp_path / "log",
        ready=lambda: False,
        returns=False,
    )

    with pytest.raises(Failed, match=r"(?s)broken ended while starting.*no such port"):
        launcher.start(broken)


def test_a_program_deaf_to_its_signal_is_killed_after_its_time(launcher: Launcher, tmp_path: Path) -> None:
    log = tmp_path / "log"
    launcher.start(sleeper(log, deaf=True, stop_within_s=0.2))

    launcher.stop("sleeper")

    assert not runs(int(log.read_text()))


def test_the_launcher_does_what_a_drill_asks(launcher: Launcher, tmp_path: Path) -> None:
    log = tmp_path / "log"
    launcher.start(sleeper(log))
    seen: list[int | None] = []

    def drill() -> None:
        verbs = ("list", "kill", "start", "pause", "resume", "restart", "stop")
        seen.extend(control.ask(verb, "sleeper", control=launcher.control)["sleeper"] for verb in verbs)

    thread = threading.Thread(target=drill)
    thread.start()
    launcher.watch(until=lambda: not thread.is_alive())

    started, killed, again, paused, resumed, restarted, stopped = seen
    assert started
    assert killed is None
    assert again == paused == resumed != started
    assert restarted not in {None, started, again}
    assert stopped is None


def test_a_request_that_cannot_be_met_is_refused_in_words(launcher: Launcher) -> None:
    said: list[str] = []

    def ask() -> None:
        try:
            control.ask("kill", "nobody", control=launcher.control)
        except control.Unanswered as problem:
            said.append(str(problem))

    thread = threading.Thread(target=ask)
    thread.start()
    launcher.watch(until=lambda: not thread.is_alive())
    assert said == ["there is no program 'nobody'."]


def test_nothing_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    """Real servers and a plain program; the launcher gets no chance to clean up."""
    code = f"""
import sys
from pathlib import Path
from local import servers
from local.children import Launcher, Program
folder = Path({str(tmp_path)!r})
launcher = Launcher(servers.socket_folder(folder) / "control", print)
ready = servers.prepare(folder, durable=False, redis_port=servers.free_port(), redis_password="p" * 8)
launcher.start(ready.redis)
launcher.start(ready.postgres)
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
launcher.start(Program("sleeper", sleep, folder / "sleeper.log"))
print(*launcher.pids().values(), flush=True)
launcher.watch(until=lambda: False)
"""
    killed = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    with killed.stdout:
        pids = [int(pid) for pid in killed.stdout.readline().split()]
    assert len(pids) == 3
    assert all(map(runs, pids))

    killed.send_signal(signal.SIGKILL)
    killed.wait()

    assert within(10, lambda: not any(map(runs, pids)))
    servers.forget(tmp_path)


def test_ctrl_c_at_the_terminal_reaches_the_launcher_alone(launcher: Launcher, tmp_path: Path) -> None:
    log = tmp_path / "log"
    launcher.start(sleeper(log))

    assert os.getpgid(int(log.read_text())) != os.getpgid(0)
