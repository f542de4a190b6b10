"""Going there: start a program of the island in namespaces of its own, and read what it found."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount")


@cache
def _is_allowed() -> bool:
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def run(program: str, folder: Path, *words: str, within_s: float = 60) -> dict[str, Any]:
    """What a program of the island reports. Skips the test where this machine allows no namespaces."""
    if not _is_allowed():
        pytest.skip("this machine allows no namespaces of our own")
    ended = subprocess.run(
        [*_UNSHARE, sys.executable, "-m", f"tests.island.{program}", str(folder), *words],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=within_s, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
