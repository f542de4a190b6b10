"""What `make run` refuses, and what it keeps."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local import run, servers
from local.children import Failed


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "VAR", tmp_path)
    monkeypatch.setattr(run, "SECRETS", tmp_path / "secrets")
    return tmp_path


def test_a_port_in_use_is_named_in_one_sentence() -> None:
    port = servers.free_port()
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(Failed, match=f"port {port} is in use.*PORT="),
    ):
        run.Ports(port).check_free(0)


@pytest.mark.parametrize("raw", ["80", "0", "70000", "eighty", "8000.5", "-1", "٨٠٠٠"])
def test_a_port_that_cannot_be_is_refused(raw: str) -> None:
    with pytest.raises(Failed, match="PORT must be"):
        run.Ports.of(raw)


def test_a_second_run_is_told_where_the_first_one_is(var: Path) -> None:
    with run.alone(run.Ports(8000)) as was_killed:
        assert not was_killed
        with (
            pytest.raises(Failed, match=r"already runs here, at http://localhost:8000 \(process \d+\)"),
            run.alone(run.Ports(9000)),
        ):
            pass
    assert not (var / "run.lock").read_text()


def test_a_run_after_a_kill_knows_it(var: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from local import run; run.VAR = Path(sys.argv[1])\n"
        "with run.alone(run.Ports(8000)): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(var)], check=False)

    with run.alone(run.Ports(8000)) as was_killed:
        assert was_killed


def test_a_secret_is_made_once_and_is_ours_alone(var: Path) -> None:
    path = run.secret("key", lambda: "first")
    assert run.secret("key", lambda: "second").read_text() == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_starting_over_leaves_what_is_not_the_worlds(var: Path) -> None:
    for name in (
        "postgres/PG_VERSION",
        "mail/index.jsonl",
        "secrets/secret_key",
        "test/1/kept",
        "bench.json",
    ):
        (var / name).parent.mkdir(parents=True, exist_ok=True)
        (var / name).touch()

    run.wipe()

    assert sorted(path.name for path in var.iterdir()) == ["bench.json", "test"]


def test_a_make_that_goes_on_is_not_taken_for_an_interrupted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    assert not run.make_was_interrupted()  # the parent is pytest's launcher or a shell, no make
    monkeypatch.delenv("MAKELEVEL")
    assert not run.make_was_interrupted()
