"""`python -m tests.island.checker FOLDER [slow]`: the real checker among hostile servers; what it did, as JSON."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.hostile import CERTIFICATE, Site, drips, secured
from tests.island import attacks, network

ROOT = Path(__file__).parents[2]
#: Where anybody may leave files; on the island they are empty and ours.
SHARED = ("/var/tmp", "/dev/shm")  # noqa: S108
MARKER = os.urandom(16).hex().encode()


def main(folder: Path, *, slow: bool) -> dict[str, Any]:
    """Let one round of checks run over every attack there is."""
    network.settle(folder)
    names = network.Names()
    names.turns |= attacks.TURNS
    behaviours = attacks.answers(MARKER) | (attacks.slow(MARKER) if slow else {})
    urls = [*attacks.direct(), *(f"http://{name}.bad.test/page" for name in behaviours)]
    urls += [
        "http://hop.test/page",
        "http://late.test/page",
        "https://site.test/page",
        "https://other.test/page",
    ]
    if slow:
        urls.append("https://slow.test:8443/page")
    web, tls = Site(address=network.WEB, port=80), Site(address=network.WEB, port=443)
    stuck = Site(address=network.WEB, port=8443)
    web.otherwise = tls.otherwise = attacks.by_host(behaviours)
    tls.greets, stuck.greets = secured, drips(b"\x16\x03\x01", b"\x00")
    with network.Shore() as shore, web, tls, stuck:
        api = _Api(urls)
        ended, opened = _run(folder, api)
        counted = network.counted(shore)
    return {
        **counted,
        "status": ended.returncode,
        "log": ended.stderr,
        "asked": len(urls),
        "outcomes": {urls[int(number)]: said["outcome"] for number, said in api.said.items()},
        "reported": json.dumps(list(api.said.values())),
        "requests": web.connections + tls.connections + stuck.connections,
        "opened": opened,
        "marked": _marked(folder),
        "marker": MARKER.decode(),
    }


class _Api:
    """Hands every check out once, and keeps what is said of it. On an ordinary address, so that inside is nobody."""

    def __init__(self, urls: list[str]) -> None:
        until = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
        digest = "ab" * 32
        due = [
            {
                "notice": str(n),
                "url": url,
                "lease_until": until,
                "expect_digest": digest if "changed" in url else None,
            }
            for n, url in enumerate(urls)
        ]
        self.said: dict[str, dict[str, Any]] = {}
        api = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                some, due[:] = due[:500], due[500:]
                self._say({"checks": some})

            def do_POST(self) -> None:
                sightings = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["sightings"]
                api.said |= {each["notice"]: each for each in sightings}
                self._say(
                    {"results": [{"notice": each["notice"], "outcome": "recorded"} for each in sightings]}
                )

            def _say(self, answer: object) -> None:
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        server = ThreadingHTTPServer((network.API, 8000), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


def _run(folder: Path, api: _Api) -> tuple["subprocess.CompletedProcess[str]", list[str]]:
    """The program, alone with its own folder, home and temporary files; and every file that it had open to write."""
    home = folder / "home"
    for part in ("home", "home/tmp"):
        (folder / part).mkdir()
    shutil.copytree(
        ROOT / "checker", folder / "program" / "checker", ignore=shutil.ignore_patterns("__pycache__")
    )
    for place in SHARED:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    program = subprocess.Popen(
        [sys.executable, "-m", "checker", "--api", f"http://{network.API}:8000", "--key", "k", "--once", "--limit", "500"],
        cwd=home,
        env={
            "PYTHONPATH": str(folder / "program"), "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home), "TMPDIR": str(home / "tmp"), "SSL_CERT_FILE": str(CERTIFICATE), "PATH": os.environ["PATH"],
        },
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    opened: Counter[str] = Counter()
    words: list[str] = []
    reader = threading.Thread(target=lambda: words.extend(program.communicate()), daemon=True)
    reader.start()
    while reader.is_alive():
        opened.update(_open_to_write(program.pid))
        time.sleep(0.02)
    return subprocess.CompletedProcess(program.args, program.returncode, *words), sorted(opened)


def _open_to_write(pid: int) -> list[str]:
    """Files (not sockets, not pipes) that a process has open to write at this moment."""
    process, found = Path(f"/proc/{pid}"), []
    try:
        for open_file in (process / "fd").iterdir():
            target = str(open_file.readlink())
            flags = (process / "fdinfo" / open_file.name).read_text().partition("flags:")[2].split()[0]
            if target.startswith("/") and target != "/dev/null" and int(flags, 8) & os.O_ACCMODE:
                found.append(target)
    except OSError:
        pass  # it has closed it, or ended
    return found


def _marked(folder: Path) -> list[str]:
    """Files that hold what a hostile server said, in all places that the program can write to."""
    places = (folder, *map(Path, SHARED))
    files = (
        path for place in places for path in place.rglob("*") if path.is_file() and not path.is_symlink()
    )
    return [str(path) for path in files if MARKER in path.read_bytes()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), slow="slow" in sys.argv)))
