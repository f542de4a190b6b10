"""`make lock`: the hash-locked requirements anew, from `pyproject.toml`.

Universal: one lock serves every Python from 3.11 and every kind of machine. No local path and no address of
an index is recorded. Versions stay unless `pyproject.toml` or `UPGRADE` (a name, or `all`) says otherwise.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"run.lock": (), "test.lock": ("--group", "test")}


def main() -> None:
    """Write the locks. Ends with uv's status if it fails."""
    wanted = os.environ.get("UPGRADE", "")
    upgrade = ["--upgrade"] if wanted == "all" else ["--upgrade-package", wanted] if wanted else []
    for lock, group in LOCKS.items():
        done = subprocess.run(
            [
                *[
                    str(Path(sys.executable).parent / "uv"),
                    "pip",
                    "compile",
                    "-q",
                    "pyproject.toml",
                    *group,
                    *upgrade,
                ],
                *[
                    "--universal",
                    "--python-version",
                    "3.11",
                    "--generate-hashes",
                    "--no-emit-index-url",
                    "-o",
                    lock,
                ],
            ],
            cwd=ROOT,
            env=os.environ | {"UV_CUSTOM_COMPILE_COMMAND": "make lock", "UV_PYTHON_DOWNLOADS": "never"},
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.returncode)
    print("takedown: run.lock and test.lock are written; the next make installs them.")


if __name__ == "__main__":
    main()
