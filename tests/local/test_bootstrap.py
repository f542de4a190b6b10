"""The first step on a bare machine."""

import ast
import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

from local import bootstrap


def test_an_old_python_can_read_the_bootstrap() -> None:
    ast.parse(Path(bootstrap.__file__).read_text(encoding="utf-8"), feature_version=(3, 6))


def test_an_old_python_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    with pytest.raises(SystemExit) as stop:
        bootstrap.check_python((3, 9, 2), ["run", "local.run"])

    assert stop.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("takedown: Python 3.11 or newer is needed; this is Python 3.9.")
    assert said.count("\n") == 1


def test_a_newer_python_beside_an_old_one_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if "3.12" in name else None)
    monkeypatch.setattr(os, "execv", lambda path, argv: started.append(argv))
    monkeypatch.setattr(bootstrap, "refuse", lambda sentence: None)

    bootstrap.check_python((3, 9, 2), ["run", "local.run"])

    assert started == [["/usr/bin/python3.12", str(Path(bootstrap.__file__).resolve()), "run", "local.run"]]


def test_a_missing_ensurepip_names_the_debian_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(SystemExit):
        bootstrap.check_ensurepip()

    assert "python3-venv" in capsys.readouterr().err


def test_running_never_takes_the_test_set_away() -> None:
    assert bootstrap.wanted_lock("run", "").name == "run.lock"
    assert bootstrap.wanted_lock("run", "test.lock 0123").name == "test.lock"
    assert bootstrap.wanted_lock("test", "run.lock 0123").name == "test.lock"


def test_a_wrong_call_says_how() -> None:
    with pytest.raises(SystemExit) as stop:
        bootstrap.main(["something"])
    assert stop.value.code == 2
    assert sys.version_info >= bootstrap.OLDEST
