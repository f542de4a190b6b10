"""Programs that run as children of one launcher: started, watched, brought back, stopped.

One thread does everything, because a child asks the kernel to be told when *the thread* that started it
dies. Each child leads a process group of its own, so that Ctrl-C at the terminal reaches only the launcher
and what a dead child leaves behind can be swept away.
"""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG = 1
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
LEFTOVERS_LEAVE_S = 10.0
STEADY_AFTER_S = 30.0  # a child that lived this long starts with a short pause again
_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A program did not start, or a request cannot be met; the text is for the person at the terminal."""


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Ask the kernel for this signal when the parent dies, however it dies."""
    _libc.prctl(PR_SET_PDEATHSIG, int(number))


@dataclass(frozen=True)
class Program:
    """What to run and how to stop it.

    `ready` says whether it serves yet. `returns` says whether it is brought back after dying by itself.
    `orphan_signal` is what the kernel sends it when the launcher is gone.
    """

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 8.0
    ready: Callable[[], bool] | None = None
    ready_within_s: float = 60.0
    returns: bool = True
    orphan_signal: signal.Signals = signal.SIGTERM


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    again_at: float | None = None
    wanted: bool = False


class Launcher:
    """Runs programs and answers requests about them on a Unix socket (see `local.control`)."""

    def __init__(self, control: Path, say: Callable[[str], None]) -> None:
        self._children: dict[str, _Child] = {}
        self._say = say
        self.control = control
        control.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(control))
        control.chmod(0o600)
        self._listener.listen(8)

    # -- starting -------------------------------------------------------------------------------------

    def start(self, program: Program, *, wait: bool = True) -> None:
        """Start a program, or one of the same name again. Raises Failed when it ends before it is ready."""
        child = self._children.setdefault(program.name, _Child(program))
        child.program, child.wanted = program, True
        self._spawn(child)
        if wait:
            self.wait_ready(program.name)

    def _spawn(self, child: _Child) -> None:
        program = child.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            child.process = subprocess.Popen(
                program.argv,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(program.orphan_signal),  # one thread only
            )
        child.started_at, child.again_at = time.monotonic(), None

    def wait_ready(self, name: str) -> None:
        """Block until the program serves. Raises Failed with the end of its log when it does not."""
        child = self._children[name]
        ready, limit = child.program.ready, time.monotonic() + child.program.ready_within_s
        # What a killed launcher or server left behind may need seconds to leave: until then a start fails.
        patience = time.monotonic() + (LEFTOVERS_LEAVE_S if child.program.returns else 0)
        while ready is not None and not ready():
            if child.process is None or child.process.poll() is not None:
                if time.monotonic() > patience:
                    raise Failed(f"{name} ended while starting. {_last_words(child.program.log)}")
                time.sleep(FIRST_PAUSE_S)
                self._spawn(child)
            if time.monotonic() > limit:
                raise Failed(f"{name} was not ready in time. {_last_words(child.program.log)}")
            time.sleep(0.05)

    # -- stopping -------------------------------------------------------------------------------------

    def stop(self, *names: str, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask the programs to end, all at once; kill what overstays its time, or when told to hurry."""
        leaving = [child for child in map(self._children.__getitem__, names) if child.process is not None]
        for name in names:
            self._children[name].wanted, self._children[name].again_at = False, None
        for child in leaving:
            _signal(child.process, child.program.stop_signal)
        began = time.monotonic()
        while any(child.process is not None and child.process.poll() is None for child in leaving):
            for child in leaving:
                if hurry() or time.monotonic() - began > child.program.stop_within_s:
                    _signal_group(child.process, signal.SIGKILL)
            time.sleep(0.02)
        for child in leaving:
            _signal_group(child.process, signal.SIGKILL)  # what it left behind
            child.process = None

    def kill(self, name: str) -> None:
        """kill -9 of the program's first process; the watch brings it back if it is one that returns."""
        process = self._running(name)
        process.kill()
        process.wait()

    def pause(self, name: str, *, going: bool) -> None:
        """Hang the whole program (SIGSTOP), or let it go on (SIGCONT)."""
        _signal_group(self._running(name), signal.SIGCONT if going else signal.SIGSTOP)

    def stop_all(self, *last: str) -> None:
        """End everything, the programs named after all others. A second Ctrl-C kills at once."""
        pressed: list[int] = []

        def again(number: int, frame: FrameType | None) -> None:
            pressed.append(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, again)
        self.stop(*(name for name in self._children if name not in last), hurry=lambda: bool(pressed))
        for name in last:
            if name in self._children:
                self.stop(name, hurry=lambda: bool(pressed))
        self._listener.close()
        self.control.unlink(missing_ok=True)

    # -- watching -------------------------------------------------------------------------------------

    def watch(self, until: Callable[[], bool], *, tick_s: float = 0.1) -> None:
        """Bring back what dies and answer requests, until `until()` is true."""
        while not until():
            self._reap()
            readable, _, _ = select.select([self._listener], [], [], tick_s)
            if readable:
                self._answer()

    def alive(self, name: str) -> bool:
        """Whether the program runs at this moment."""
        child = self._children.get(name)
        return child is not None and child.process is not None and child.process.poll() is None

    def _reap(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if not child.wanted or not child.program.returns:
                continue
            if child.again_at is not None and now >= child.again_at:
                self._spawn(child)
            elif child.again_at is None and child.process is not None and child.process.poll() is not None:
                _signal_group(child.process, signal.SIGKILL)
                if now - child.started_at > STEADY_AFTER_S:
                    child.pause_s = FIRST_PAUSE_S
                how = _how_it_ended(child.process.returncode)
                self._say(f"{child.program.name} {how}; it starts again in {child.pause_s:g} s.")
                child.again_at = now + child.pause_s
                child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)

    # -- requests -------------------------------------------------------------------------------------

    def _answer(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(5)
            try:
                request = json.loads(connection.makefile("rb").readline())
                answer = self._do(request)
            except (Failed, ValueError, KeyError, TypeError, OSError) as problem:
                answer = {"error": str(problem) or type(problem).__name__}
            try:
                connection.settimeout(5)
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                return  # the one who asked has left

    def _do(self, request: dict[str, str]) -> dict[str, Any]:
        verb, name = request["do"], request.get("name", "")
        if verb != "list" and name not in self._children:
            raise Failed(f"there is no program {name!r}.")
        if verb in {"stop", "restart"}:
            self.stop(name)
        if verb in {"start", "restart"}:
            if not self.alive(name):
                self.start(self._children[name].program, wait=False)
            self.wait_ready(name)
        elif verb == "kill":
            self.kill(name)
        elif verb in {"pause", "resume"}:
            self.pause(name, going=verb == "resume")
        elif verb not in {"list", "stop"}:
            raise Failed(f"{verb!r} is not one of list, start, stop, restart, kill, pause, resume.")
        return {"programs": self.pids()}

    def pids(self) -> dict[str, int | None]:
        """Every program's process id, None for one that does not run."""
        return {name: self._pid(name) for name in self._children}

    def _pid(self, name: str) -> int | None:
        process = self._children[name].process
        return process.pid if process is not None and process.poll() is None else None

    def _running(self, name: str) -> subprocess.Popen[bytes]:
        process = self._children[name].process
        if process is None or process.poll() is not None:
            raise Failed(f"{name} is not running.")
        return process


def _signal(process: subprocess.Popen[bytes] | None, number: signal.Signals) -> None:
    if process is not None and process.poll() is None:
        process.send_signal(number)


def _signal_group(process: subprocess.Popen[bytes] | None, number: signal.Signals) -> None:
    if process is not None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return


def _how_it_ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "Its last lines:\n    " + "\n    ".join(lines[-12:]) if lines else "It said nothing."
