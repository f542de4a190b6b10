"""From a bare machine to a ready `.venv`, then into it.

`python3 local/bootstrap.py run|test MODULE [ARGUMENT ...]`. Standard library only, and written so that an
old Python can still parse it and be told so. The first argument names the lock: `run.lock`, or `test.lock`,
which holds the same and more. The module then runs inside the environment, in place of this process. A
machine that lacks something gets one line on stderr and exit status 1.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, NoReturn, Sequence  # noqa: UP035  # builtin generics would stop an old Python too early

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
# Newest first: what a machine may have beside a `python3` that is too old.
OTHER_PYTHONS = ("python3.13", "python3.12", "python3.11")
STAMP = "takedown-lock"


def refuse(sentence: str) -> NoReturn:
    """Say why in one line and stop with exit status 1."""
    sys.stderr.write("takedown: " + sentence + "\n")
    raise SystemExit(1)


def say(sentence: str) -> None:
    """One line of progress, on stderr so that a command's own output stays clean."""
    sys.stderr.write("takedown: " + sentence + "\n")
    sys.stderr.flush()


def check_python(version: Sequence[int], argv: Sequence[str]) -> None:
    """Go on with a Python of 3.11 or newer; start again with one that is beside it; else refuse."""
    if tuple(version[:2]) >= OLDEST:
        return
    for name in OTHER_PYTHONS:
        other = shutil.which(name)
        if other:
            os.execv(other, [other, str(Path(__file__).resolve()), *argv])
    refuse(
        "Python 3.11 or newer is needed; this is Python {}.{}. "
        "Install a newer one and say: make PYTHON=/path/to/python3.12 ...".format(*version[:2])
    )


def check_ensurepip() -> None:
    """Debian splits ensurepip off: install the package when we may, else name it."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    package = (
        "python3-venv"
        if sys.executable == "/usr/bin/python3"
        else "python{}.{}-venv".format(*sys.version_info)
    )
    if os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        say("installing " + package + " ...")
        if apt_install(package):
            importlib.invalidate_caches()
            return
    refuse(
        "this Python cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python3-venv"
    )


def apt_install(package: str) -> bool:
    """Install a Debian package without questions; refresh the lists when it is not known yet."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    for command in (install, ["apt-get", "update", "-qq"], install):
        done = subprocess.run(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        if done.returncode == 0 and command is install:
            return True
    return False


def digest(lock: Path) -> str:
    """The stamp of a lock: its name and SHA-256."""
    return lock.name + " " + hashlib.sha256(lock.read_bytes()).hexdigest()


def wanted_lock(name: str, stamp: str) -> Path:
    """The lock to have in place. `make run` takes nothing away: what holds the test set keeps it."""
    return ROOT / ("test.lock" if name == "test" or stamp.startswith("test.lock ") else "run.lock")


def index_settings(pip: Sequence[str]) -> Dict[str, str]:  # noqa: UP006
    """What pip is told about its package index, in uv's words: uv does not read pip's files."""
    listed = subprocess.run(
        [*pip, "config", "list"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    settings = {}
    for line in listed.stdout.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition("=")
        settings[key.rsplit(".", 1)[-1]] = value.strip("'\"")
    found = {}
    for ours, theirs in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        if settings.get(ours) and theirs not in os.environ:
            found[theirs] = settings[ours]
    return found


def install(venv: Path, lock: Path) -> None:
    """Bring the environment to exactly what the lock says, every file checked against its hash."""
    python = str(venv / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", **index_settings(pip))
    environment.pop("VIRTUAL_ENV", None)
    with_uv = [
        str(venv / "bin" / "uv"),
        "pip",
        "sync",
        "-q",
        "--python",
        python,
        "--require-hashes",
        str(lock),
    ]
    with_pip = [*pip, "install", "-q", "--require-hashes", "-r", str(lock)]
    tool = [*pip, "install", "-q", "--require-hashes", "-r", str(ROOT / "tool.lock")]
    if subprocess.run(tool, env=environment, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        if subprocess.run(with_uv, env=environment, check=False).returncode == 0:
            return
        say("uv could not install the packages; trying again with pip ...")
    if subprocess.run(with_pip, env=environment, check=False).returncode != 0:
        refuse("the packages of " + lock.name + " could not be installed; the lines above say why.")


def prepare(name: str) -> Path:
    """Make or mend the environment, unless its stamp says that it is in order. Returns its Python."""
    venv = ROOT / ".venv"
    python, stamp_file = venv / "bin" / "python", venv / STAMP
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "bootstrap.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two makes at once must not install over one another
        stamp = stamp_file.read_text(encoding="utf-8") if stamp_file.exists() else ""
        lock = wanted_lock(name, stamp)
        if stamp == digest(lock) and python.exists():
            return python
        say("setting up the Python packages of " + lock.name + " (once, about a minute) ...")
        if not works(python):
            check_ensurepip()
            shutil.rmtree(str(venv), ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        install(venv, lock)
        stamp_file.write_text(digest(lock), encoding="utf-8")
    return python


def works(python: Path) -> bool:
    """Whether the environment's Python still runs: the one it was made from may be gone."""
    if not python.exists():
        return False
    return (
        subprocess.run(
            [str(python), "-m", "pip", "--version"], stdout=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    )


def main(argv: Sequence[str]) -> None:
    """Prepare, then become the module."""
    check_python(sys.version_info[:3], argv)
    if len(argv) < 2 or argv[0] not in {"run", "test"}:
        sys.stderr.write("usage: bootstrap.py run|test MODULE [ARGUMENT ...]\n")
        raise SystemExit(2)
    python = prepare(argv[0])
    os.chdir(str(ROOT))
    os.execv(str(python), [str(python), "-m", *argv[1:]])


if __name__ == "__main__":
    main(sys.argv[1:])
