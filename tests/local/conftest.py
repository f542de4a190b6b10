"""Programs of the local world, started for one test and gone after it."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import servers
from local.children import Launcher, Program


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    """A launcher whose programs all end with the test."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with tempfile.TemporaryDirectory(prefix="td-") as short:  # a socket's path has to be short
        launcher = Launcher(Path(short) / "control", say=lambda line: None)
        yield launcher
        launcher.stop_all()
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def start_module(launcher: Launcher, tmp_path: Path) -> Callable[..., None]:
    """Run a module of the demo world with these variables, and wait until it listens on this port."""

    def start(module: str, port: int, **environment: str) -> None:
        launcher.start(
            Program(
                name=module,
                argv=[sys.executable, "-m", module],
                log=tmp_path / f"{module}.log",
                environment={**os.environ, **environment},
                ready=lambda: servers.in_use(port),
            )
        )

    return start
