"""`make run`: the whole of Takedown with its demo world on this machine, until Ctrl-C.

`PORT` (8000) moves all ports, `FRESH=1` starts over, `TERM_HOURS=0.05` sets the providers' term. Everything
it keeps is under `var/`; a second `make run` continues there. What dies by itself is started again.
`var/env.sh` holds the running world's environment for `make manage`, `make live` and `make shell`.
"""

import fcntl
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Any

from local import messages, servers
from local.children import Failed, Launcher, Program, die_with_parent

ROOT = servers.ROOT
VAR = ROOT / "var"
SECRETS = VAR / "secrets"
DEMO = VAR / "demo.json"
LOADING = VAR / "demo.loading"
ENV_SH = VAR / "env.sh"
# What FRESH=1 removes. Not here: the test servers' folder, the bench's results, the locks.
KEPT = ("postgres", "redis", "mail", "secrets", "log", "static", "site.json", "demo.json", "demo.loading")
KEPT_FILES = ("redis.conf", "beat-schedule", "static.stamp", "term")
NOTICES = 200  # in the demo world
CHECKER_ASKS_EVERY_S = "2"
AFTER_A_KILL_S = 15.0  # what a killed launcher left behind needs some time to leave

# Quicker than in earnest: a visitor sees a notice live within a minute. The environment may say otherwise.
PACE = {
    "GROUPING_WINDOW_S": "20",  # long enough to undo a judgement
    "SWEEP_EVERY_S": "2",
    "REMOVAL_GAP_S": "3",
    "REMOVAL_SPAN_S": "8",
    "CHECK_EVERY_S": "30",
    "SENDER_NAME": "Meldpunt (demo)",
    "SENDER_ADDRESS": "meldpunt@hotline.example",
    "ORGANISATION": "Meldpunt (demo) | Postbus 1, 1000 AA Amsterdam | +31 20 000 00 00",
}


def say(line: str) -> None:
    """One line of progress."""
    print(f"takedown: {line}", flush=True)


@dataclass(frozen=True)
class Ports:
    """All on loopback, counted upward from the web's (docs/operations.md)."""

    web: int

    @classmethod
    def of(cls, raw: str) -> "Ports":
        """Raises Failed unless `raw` is a port with room for the others above it."""
        if not raw.isascii() or not raw.isdigit() or not 1024 <= int(raw) <= 65_000:
            raise Failed("PORT must be a number from 1024 to 65000.")
        return cls(int(raw))

    @property
    def mail_page(self) -> int:
        """The page that shows the demo's mail."""
        return self.web + 1

    @property
    def site(self) -> int:
        """The demo's web sites, as a forward proxy."""
        return self.web + 2

    @property
    def smtp(self) -> int:
        """The demo's mail server."""
        return self.web + 3

    @property
    def redis(self) -> int:
        """The Redis-compatible server."""
        return self.web + 4

    @property
    def imap(self) -> int:
        """The demo's mailbox of partner hotlines."""
        return self.web + 5

    @property
    def base_url(self) -> str:
        """The address people use."""
        return f"http://localhost:{self.web}"

    def check_free(self, patience_s: float) -> None:
        """Raises Failed when another program holds one of them, still after `patience_s`."""
        limit = time.monotonic() + patience_s
        for port in (self.web, self.mail_page, self.site, self.smtp, self.redis, self.imap):
            while servers.in_use(port):
                if time.monotonic() > limit:
                    raise Failed(
                        f"port {port} is in use by another program; choose others with: "
                        f"make run PORT={self.web + 1000}"
                    )
                time.sleep(0.1)


# -- what is there once ------------------------------------------------------------------------------------


@contextmanager
def alone(ports: Ports) -> Iterator[bool]:
    """Hold the world for ourselves; yields whether the last run was killed. Raises Failed if one runs."""
    with (VAR / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Failed(
                f"it already runs here, {file.read() or 'and is just starting'}. Stop that one first."
            ) from None
        file.seek(0)
        was_killed = bool(file.read())
        file.truncate(0)
        file.write(f"at {ports.base_url} (process {os.getpid()})")
        file.flush()
        try:
            yield was_killed
        finally:
            file.truncate(0)


def wipe() -> None:
    """Start over: remove what the world keeps."""
    for name in KEPT:
        path = VAR / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in [each for name in KEPT_FILES for each in VAR.glob(f"{name}*")]:
        path.unlink()


def secret(name: str, make: Callable[[], str]) -> Path:
    """The file of a secret, made once, of mode 0600."""
    path = SECRETS / name
    if not path.exists():
        SECRETS.mkdir(mode=0o700, exist_ok=True)
        half = path.with_suffix(".half")
        half.touch(mode=0o600)
        half.write_text(make(), encoding="utf-8")
        half.replace(path)
    return path


def _from_vault(word: str) -> Callable[[], str]:
    def make() -> str:
        command = [sys.executable, "-m", "vault", word]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Failed(f"no secret could be made:\n    {made.stderr.strip()}")
        return made.stdout

    return make


def environment(ports: Ports, running: servers.Servers, control: Path) -> dict[str, str]:
    """What the world's programs get beyond the caller's environment."""
    chosen = {name: os.environ.get(name) or value for name, value in PACE.items()}
    return chosen | {
        "DJANGO_SETTINGS_MODULE": "takedown.settings",
        "DATABASE_URL": running.database_url,
        "REDIS_URL": running.redis_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "MAILBOX_URL": f"imap://meldpunt:demo@127.0.0.1:{ports.imap}/INBOX",
        "MAILBOX_AUTHSERV_ID": "mx.hotline.example",
        "REPLIES_URL": f"imap://meldpunt:demo@127.0.0.1:{ports.imap}/Replies",
        "SECRET_KEY_FILE": str(secret("secret_key", _from_vault("secret"))),
        "ENCRYPTION_KEYS_FILE": str(secret("encryption_keys", _from_vault("new"))),
        "RECEIPT_KEYS_FILE": str(secret("receipt_keys", _from_vault("receipts"))),
        "BASE_URL": ports.base_url,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        # The demo's mail server is the provider's own: what it accepts has arrived.
        "RELAY_IS_FINAL_HOP": "yes",
        "RESOLVER_FILE": str(ROOT / "local" / "demo" / "hosts.csv"),
        # The registry of the demo's networks; no other is ever asked.
        "RDAP": f"http://127.0.0.1:{ports.site}/rdap/",
        "FETCH_ALSO": f"127.0.0.1:{ports.site}",
        "STATIC_ROOT": str(VAR / "static"),
        "DEBUG": "no",
        "DEMO": "yes",
        # The log-ins that are printed open with their password; who sets up a passkey or an app is asked for it.
        "SECOND_FACTOR": "waived",
        "DEMO_API": ports.base_url.replace("localhost", "127.0.0.1"),
        "DEMO_MAIL_FOLDER": str(VAR / "mail"),
        "DEMO_SMTP_PORT": str(ports.smtp),
        "DEMO_MAIL_PAGE_PORT": str(ports.mail_page),
        "DEMO_SITE_PORT": str(ports.site),
        "DEMO_SITE_FILE": str(VAR / "site.json"),
        "TAKEDOWN_CONTROL": str(control),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # glibc's arena per thread would double the memory of the threaded programs
    }


def write_env_sh(world: dict[str, str], postgres_bin: Path) -> None:
    """For a shell that wants into the running world: `. var/env.sh`."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(world.items())]
    lines.append(f"export PATH={shlex.quote(f'{Path(sys.executable).parent}:{postgres_bin}')}:$PATH\n")
    ENV_SH.touch(mode=0o600)
    ENV_SH.write_text("".join(lines), encoding="utf-8")


# -- the programs ------------------------------------------------------------------------------------------


class World:
    """The running programs and the steps between them."""

    def __init__(self, ports: Ports, launcher: Launcher, running: servers.Servers) -> None:
        self._ports = ports
        self._launcher = launcher
        self._own = environment(ports, running, launcher.control)
        self._all = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._all |= self._own
        write_env_sh(self._own, running.postgres_bin)

    def _program(self, name: str, *argv: str, **more: Any) -> Program:
        return Program(
            name, [sys.executable, "-m", *argv], VAR / "log" / f"{name}.log", environment=self._all, **more
        )

    def _once(self, *argv: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *argv],
            cwd=ROOT,
            env=self._all,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # one thread only
        )

    def _finish(self, what: str, *running: "subprocess.Popen[bytes]") -> None:
        """Wait for steps that run once, and keep the programs alive meanwhile. Raises Failed if one fails."""
        self._launcher.watch(
            until=lambda: all(each.poll() is not None for each in running) or make_was_interrupted()
        )
        if any(each.returncode for each in running):
            raise Failed(f"{what} failed; the lines above say why.")

    def set_up(self) -> None:
        """Bring the database and the static files in step with the code."""
        steps = [self._once("manage.py", "migrate", "--noinput", "--verbosity=0")]
        stamp, now = VAR / "static.stamp", static_digest()
        if not stamp.exists() or stamp.read_text(encoding="ascii") != now:
            steps.append(self._once("manage.py", "collectstatic", "--noinput", "--clear", "--verbosity=0"))
        self._finish("setting up", *steps)
        stamp.write_text(now, encoding="ascii")

    def set_term(self, hours: str) -> None:
        """A term for the providers from now on, unless it is the one already set."""
        done = VAR / "term"
        if hours and (not done.exists() or done.read_text(encoding="ascii") != hours):
            self._finish("setting the term", self._once("manage.py", "set_term", hours, "--from", "now"))
            done.write_text(hours, encoding="ascii")

    def start_web(self) -> None:
        """The pages first: they show while the rest comes up."""
        addresses = [f"127.0.0.1:{self._ports.web}", *([f"[::1]:{self._ports.web}"] if has_ipv6() else [])]
        bind = [part for address in addresses for part in ("--bind", address)]
        options = ["--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "5"]
        options += ["--no-control-socket", "--log-level", "warning"]
        self._launcher.start(
            self._program("web", "gunicorn", "takedown.wsgi", *bind, *options, ready=self._web_answers)
        )

    def _web_answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._ports.web, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def start_neighbours(self) -> None:
        """The demo's mail servers and sites: the demo world's past is sent and taken down there for real."""
        self._launcher.start(self._program("demo-mail", "local.demo.mailserver"), wait=False)
        self._launcher.start(self._program("demo-mailbox", "local.demo.mailbox"), wait=False)
        self._launcher.start(self._program("demo-site", "local.demo.website"), wait=False)

    def start_workers(self) -> None:
        """Three kinds of worker, and the clock; after the demo world's past, which they would overtake."""
        celery = ["celery", "-A", "takedown"]
        worker = [*celery, "worker", "--without-mingle", "--without-gossip", "--loglevel", "WARNING"]
        sweeps = ["-n", "sweeps@%h", "-Q", "sweeps", "-P", "prefork", "-c", "1"]
        jobs = ["-n", "jobs@%h", "-Q", "jobs", "-P", "prefork", "-c", "1"]
        sending = ["-n", "sending@%h", "-Q", "sending", "-P", "threads", "-c", "8"]
        beat = [*celery, "beat", "--loglevel", "WARNING", "--pidfile=", "-s", str(VAR / "beat-schedule")]
        for program in (
            self._program("worker-sweeps", *worker, *sweeps),
            self._program("worker-jobs", *worker, *jobs),
            self._program("worker-sending", *worker, *sending),
            self._program("beat", *beat),
        ):
            self._launcher.start(program, wait=False)

    def load_demo(self) -> None:
        """Fill an empty database, once; the command says how far it is."""
        if not DEMO.exists():
            LOADING.touch()
            self._finish("loading the demo world", self._once("manage.py", "demo", "--notices", str(NOTICES)))
            if not DEMO.exists():
                raise Failed("the demo world was loaded but left no var/demo.json with its log-ins.")
            DEMO.chmod(0o600)
        LOADING.unlink(missing_ok=True)

    def start_outsiders(self) -> None:
        """Those who hold a key of the API: the checker, and the provider that answers."""
        keys = json.loads(DEMO.read_text(encoding="utf-8"))["keys"]
        for name in ("checker", "alfa"):
            path = SECRETS / f"{name}_key"
            path.touch(mode=0o600)
            path.write_text(keys[name], encoding="utf-8")
        self._all["DEMO_PROVIDER_KEY_FILE"] = str(SECRETS / "alfa_key")
        proxy = f"http://127.0.0.1:{self._ports.site}"
        # The checker lives apart from the rest: it gets nothing of our settings and secrets but its own key.
        outside = {name: value for name, value in self._all.items() if name not in self._own}
        outside |= {"CHECKER_KEY_FILE": str(SECRETS / "checker_key"), "PYTHONUNBUFFERED": "1"}
        argv = ["--api", self._own["DEMO_API"], "--proxy", proxy, "--every", CHECKER_ASKS_EVERY_S]
        checker = self._program("checker", "checker", *argv)
        self._launcher.start(
            Program(checker.name, checker.argv, checker.log, environment=outside), wait=False
        )
        self._launcher.start(self._program("demo-provider", "local.demo.provider"), wait=False)

    def greeting(self) -> str:
        """Where everything is."""
        base, mail = self._ports.base_url, f"http://localhost:{self._ports.mail_page}/"
        demo = json.loads(DEMO.read_text(encoding="utf-8"))
        rows: list[Sequence[str]] = [
            ("Public page", f"{base}/"),
            ("Staff", f"{base}/staff/"),
            ("Providers", f"{base}/portal/"),
            ("API", f"{base}/api/v1/docs/"),
            ("Mail", f"{mail}  (files in var/mail/)"),
            ("Demo sites", f"HTTP proxy http://localhost:{self._ports.site}"),
            ("Logs", "var/log/"),
        ]
        lines = [f"  {name:12} {value}" for name, value in rows]
        width = max((len(login["email"]) for login in demo["logins"]), default=0)
        logins = [
            f"  {login['role']:22} {login['email']:{width}}  {login['password']}  {login['url']}"
            for login in demo["logins"]
        ]
        return "\n".join(
            [
                "",
                "Takedown is running.",
                "",
                *lines,
                "",
                "Demo log-ins",
                *logins,
                "",
                "Ctrl-C stops all of it.",
                "",
            ]
        )


def static_digest() -> str:
    """Changes when a static file or an installed package may have changed."""
    found = hashlib.sha256((ROOT / "run.lock").read_bytes())
    for path in sorted(ROOT.glob("static/**/*")) + sorted(ROOT.glob("*/static/**/*")):
        if path.is_file() and VAR not in path.parents:
            status = path.stat()
            found.update(f"{path}:{status.st_size}:{status.st_mtime_ns};".encode())
    return found.hexdigest()


def has_ipv6() -> bool:
    """Whether `localhost` may mean ::1 here."""
    path = Path("/proc/net/if_inet6")
    return path.exists() and f"{1:032x}" in path.read_text(encoding="ascii")


# -- from start to stop ------------------------------------------------------------------------------------


def run() -> None:
    """Start all, then watch until Ctrl-C or SIGTERM (both arrive as KeyboardInterrupt)."""
    VAR.mkdir(exist_ok=True)
    VAR.chmod(0o700)
    ports = Ports.of(os.environ.get("PORT") or "8000")
    with alone(ports) as was_killed:
        ports.check_free(AFTER_A_KILL_S if was_killed else 0)
        if os.environ.get("FRESH") in {"1", "yes"}:
            wipe()
        messages.compile_stale()
        password = secret("redis_password", servers.new_password).read_text(encoding="ascii")
        running = servers.prepare(VAR, durable=True, redis_port=ports.redis, redis_password=password)
        launcher = Launcher(servers.socket_folder(VAR) / "control", say)
        try:
            say("starting PostgreSQL and Redis ...")
            launcher.start(running.redis, wait=False)
            launcher.start(running.postgres)
            launcher.wait_ready("redis")
            if LOADING.exists() and not DEMO.exists():
                say("the demo world was not loaded to its end: starting over with an empty database.")
                servers.empty_database(VAR)
            world = World(ports, launcher, running)
            world.set_up()
            world.start_web()
            say(f"the pages are there: {ports.base_url}/ ; the rest follows ...")
            world.start_neighbours()
            world.load_demo()
            world.set_term(os.environ.get("TERM_HOURS", ""))
            world.start_workers()
            world.start_outsiders()
            print(world.greeting(), flush=True)
            launcher.watch(until=make_was_interrupted)
        except KeyboardInterrupt:
            say("stopping ...")
        finally:
            launcher.stop_all("redis", "postgres")
            servers.forget(VAR)
            ENV_SH.unlink(missing_ok=True)
        say("stopped; `make run` continues with the same data.")


def make_was_interrupted() -> bool:
    """Whether SIGINT went to the make above us alone; then KeyboardInterrupt rises here.

    Make passes SIGTERM on, but takes SIGINT to have reached everybody from the terminal, and waits for us.
    It lets go of its own handler first, and that can be seen. A make that a shell put in the background
    never had one: there is nothing to let go of.
    """
    if MAKE_LISTENS and _make_listens() is False:
        raise KeyboardInterrupt
    return False


def _make_listens() -> bool | None:
    """Whether the make above us has a handler for SIGINT; None when there is no make."""
    if "MAKELEVEL" not in os.environ:
        return None
    try:
        status = Path(f"/proc/{os.getppid()}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    if not status.startswith("Name:\tmake\n"):
        return None
    caught = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt")), 0)
    return bool(caught & 1 << (signal.SIGINT - 1))


#: As it was when we started.
MAKE_LISTENS = _make_listens()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Exit status 0 after a stop that was asked for, 1 with one sentence otherwise."""
    signal.signal(signal.SIGINT, _interrupt)  # also where a shell started us with it ignored
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    if "MAKELEVEL" in os.environ:
        die_with_parent()  # a make that is killed takes its world along
    try:
        run()
    except Failed as problem:
        sys.stderr.write(f"takedown: {problem}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
