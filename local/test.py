"""`make test`: throw-away servers, then pytest against them.

`T` chooses: `make test T=tests/cases`, `make test T="-k overdue"`, `make test T="-m drill"`. Drills (slow,
they kill things) run only when asked for. The servers answer to `local.control`, so that a test can stop,
kill or hang them. Ctrl-C, a kill -9 and a crash all leave no server behind.

Without `T` it is all of them, and two runs share them (`local.sharing`), each with servers of its own: a run
waits half of its time for a browser, a worker or a clock.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from local import messages, servers
from local.bootstrap import apt_install
from local.children import Failed, Launcher, die_with_parent

ROOT = servers.ROOT
TESTS = ROOT / "var" / "test"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def settings(running: servers.Servers, control: Path) -> dict[str, str]:
    """The environment that the tests run in; what is not here is the settings' own default."""
    return {
        "DJANGO_SETTINGS_MODULE": "takedown.settings",
        "DATABASE_URL": running.database_url,
        "REDIS_URL": running.redis_url,
        "TAKEDOWN_CONTROL": str(control),
        # Plain static files: the manifest storage wants `collectstatic` first.
        "DEBUG": "yes",
        "SECRET_KEY": "only-for-tests-" * 5,
        **{f"{name.upper()}_FILE": str(keys_of_tests(name, word)) for name, word in KEYS.items()},
        "BASE_URL": "http://localhost:8000",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "EMAIL_URL": "smtp://127.0.0.1:9",  # nobody listens: a test that sends brings its own server
        "SENDER_NAME": "Meldpunt",
        "SENDER_ADDRESS": "meldpunt@hotline.example",
        "ORGANISATION": "Meldpunt (test) | Postbus 1, 1000 AA Amsterdam | +31 20 000 00 00",
        # A test that is about logging in says otherwise.
        "SECOND_FACTOR": "waived",
        # A draw would make a test see now a second judgement and now none.
        "SECOND_SAMPLE_PERCENT": "0",
        "RDAP": "off",  # a test that asks brings its own server
        "STATIC_ROOT": str(ROOT / "var" / "test-static"),
    }


#: Name of a file of keys -> the word that makes them.
KEYS = {"encryption_keys": "new", "receipt_keys": "receipts"}


def keys_of_tests(name: str, word: str) -> Path:
    """Keys that only tests use, made once by `python -m vault WORD`."""
    path = TESTS / name
    if not path.exists():
        made = subprocess.run(
            [sys.executable, "-m", "vault", word], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            raise Failed(f"no keys could be made:\n    {made.stderr.strip()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(made.stdout, encoding="utf-8")
    return path


def browser() -> tuple[str | None, str]:
    """The path of a Chromium for the browser tests, or None and the reason; installs one where we may."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen, ""
    for again in (False, True):
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        if found:
            return found, ""
        if (
            again
            or os.geteuid() != 0
            or not Path("/etc/debian_version").exists()
            or not shutil.which("apt-get")
        ):
            break
        print("takedown: installing Chromium for the browser tests (once, about a minute) ...", flush=True)
        if not apt_install("chromium"):
            return None, "apt-get could not install it"
    return (
        None,
        "no Chromium was found. On Debian: sudo apt-get install chromium; or say CHROMIUM=/path/to/it",
    )


def start(
    launcher: Launcher, folder: Path, *, durable: bool = False, more: Sequence[str] = ()
) -> servers.Servers:
    """Start both servers side by side. A free port may be taken in between: then with another one."""
    for tries_left in (2, 1, 0):
        ready = servers.prepare(
            folder,
            durable=durable,
            redis_port=servers.free_port(),
            redis_password=servers.new_password(),
            more=more,
        )
        launcher.start(ready.redis, wait=False)
        if not launcher.alive("postgres"):
            launcher.start(ready.postgres, wait=False)
        try:
            launcher.wait_ready("postgres")
            launcher.wait_ready("redis")
        except Failed:
            if not tries_left:
                raise
        else:
            break
    return ready


def sweep_leftovers() -> None:
    """Remove the folders of runs that were killed. A folder bears the process id of its launcher."""
    for folder in TESTS.glob("[0-9]*"):
        try:
            os.kill(int(folder.name), 0)
        except ProcessLookupError:
            servers.forget(folder)
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:
            continue


def run(arguments: list[str]) -> int:
    """Run the tests. Returns pytest's exit status."""
    TESTS.mkdir(parents=True, exist_ok=True)
    sweep_leftovers()
    messages.compile_stale()
    chromium, why_not = browser()
    folder = TESTS / str(os.getpid())
    folder.mkdir(mode=0o700)
    launcher = Launcher(
        servers.socket_folder(folder) / "control", say=lambda line: print(f"takedown: {line}")
    )
    try:
        environment = os.environ | settings(start(launcher, folder), launcher.control)
        environment |= {"CHROMIUM": chromium} if chromium else {"NO_CHROMIUM": why_not}
        chosen = ["-m", "not drill"] if "-m" not in arguments else []
        # In our process group: Ctrl-C reaches pytest by itself, and it reports before it leaves.
        tests = subprocess.Popen(
            [sys.executable, "-m", "pytest", *chosen, *arguments],
            cwd=ROOT,
            env=environment,
            preexec_fn=die_with_parent,  # one thread only
        )
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, frame: tests.terminate())
        launcher.watch(until=lambda: tests.poll() is not None)
        status = tests.returncode
    finally:
        launcher.stop_all("redis", "postgres")
        servers.forget(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if chromium is None:
        print(f"\ntakedown: THE BROWSER TESTS WERE SKIPPED: {why_not}\n")
    return status if status >= 0 else 128 - status


def run_shared(runs: int = 2) -> int:
    """Run all tests in `runs` runs side by side; what the others say is shown once the first is done.

    Returns the first exit status that is not 0.
    """
    TESTS.mkdir(parents=True, exist_ok=True)
    for name, word in KEYS.items():
        keys_of_tests(name, word)
    messages.compile_stale()
    browser()
    with tempfile.TemporaryDirectory(dir=TESTS, prefix="claims-") as claims:
        logs = [Path(claims) / f"{number}.log" for number in range(runs)]
        environment = os.environ | {"TAKEDOWN_CLAIMS": claims, "T": "", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "local.test", "-p", "local.sharing"]
        started = []
        for log in logs:
            with log.open("wb") as written:
                started.append(
                    subprocess.Popen(
                        command,
                        cwd=ROOT,
                        env=environment,
                        stdout=subprocess.PIPE if log is logs[0] else written,
                        stderr=subprocess.STDOUT,
                        preexec_fn=die_with_parent,  # one thread only
                    )
                )
        # Ctrl-C reaches them by themselves, and they report before they leave.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, frame: _terminate(started))
        said = _followed(started[0])
        statuses = [each.wait() for each in started]
        for log in logs[1:]:
            text = log.read_text(encoding="utf-8", errors="replace")
            sys.stdout.write(f"\n{text}")
            said += text
    counts = closing_counts(said)
    print(
        f"\n{counts['passed']} passed, {counts['failed'] + counts['error']} failed, {counts['skipped']} skipped"
    )
    return next((status if status >= 0 else 128 - status for status in statuses if status), 0)


def _terminate(runs: "Sequence[subprocess.Popen[bytes]]") -> None:
    for each in runs:
        each.terminate()


def _followed(run: "subprocess.Popen[bytes]") -> str:
    """All that a run says, shown as it says it."""
    said = b""
    while run.stdout is not None and (heard := os.read(run.stdout.fileno(), 65_536)):
        sys.stdout.buffer.write(heard)
        sys.stdout.flush()
        said += heard
    return said.decode("utf-8", errors="replace")


def closing_counts(said: str) -> Counter[str]:
    """The sums of pytest's closing lines."""
    counts: Counter[str] = Counter()
    for line in re.findall(r"^(?:=+ )?(\d+ [a-z]+(?:, \d+ [a-z]+)*) in [0-9.]+s", said, re.MULTILINE):
        for number, what in re.findall(r"(\d+) (passed|failed|skipped|error)", line):
            counts[what] += int(number)
    return counts


def main() -> None:
    """`python -m local.test [pytest's arguments ...]`, with `T` from the environment when there are none."""
    arguments = sys.argv[1:] or shlex.split(os.environ.get("T", ""))
    try:
        status = run(arguments) if arguments else run_shared()
    except Failed as problem:
        sys.stderr.write(f"takedown: {problem}\n")
        status = 1
    raise SystemExit(status)


if __name__ == "__main__":
    main()
