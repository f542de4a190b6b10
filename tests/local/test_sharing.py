"""Two runs of the tests side by side run each test once."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.servers import ROOT
from local.test import closing_counts

MODULE = """
import pytest

@pytest.fixture(scope="module")
def kept():
    print("made {name}")
    yield
    print("let go {name}")

@pytest.mark.parametrize("number", range(3))
def test_it(kept, number):
    assert number != {bad}
"""


def side_by_side(tests: Path, claims: Path, arguments: Sequence[str] = ()) -> list[tuple[int, str]]:
    """Exit status and words of two runs that share `claims`."""
    command = [sys.executable, "-m", "pytest", "-p", "local.sharing", "-vs", *arguments]
    runs = [
        subprocess.Popen(
            [*command, "-c", os.devnull, "--rootdir", str(tests), str(tests)],
            cwd=ROOT,
            env=os.environ | {"TAKEDOWN_CLAIMS": str(claims), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    return [(run.returncode, words) for run, words in zip(runs, said, strict=True)]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Where tests stand, with four modules of three; and an empty one."""
    tests, claims = tmp_path / "tests", tmp_path / "claims"
    tests.mkdir()
    claims.mkdir()
    for name in "abcd":
        (tests / f"test_{name}.py").write_text(MODULE.format(name=name, bad=1 if name == "c" else 9))
    return tests, claims


def test_each_test_runs_once_and_a_failure_is_counted_once(folders: tuple[Path, Path]) -> None:
    runs = side_by_side(*folders)

    ran = [
        each
        for _status, words in runs
        for each in re.findall(r"test_([a-d])\.py::test_it\[(\d)\]", words.partition("= FAILURES")[0])
    ]
    assert sorted(ran) == [(name, number) for name in "abcd" for number in "012"]
    said = "".join(words for _status, words in runs)
    assert closing_counts(said) == {"passed": 11, "failed": 1}
    assert sorted(status for status, _words in runs) == [0, 1]
    # What a module's fixtures hold is let go before the next begins.
    for _status, words in runs:
        acts = re.findall(r"(made|let go) ([a-d])", words)
        assert [act for act, _name in acts] == ["made", "let go"] * (len(acts) // 2)


def test_a_run_that_collects_nothing_whole_fails_and_takes_nothing(folders: tuple[Path, Path]) -> None:
    tests, claims = folders
    (tests / "test_e.py").write_text("import nothing_of_that_name\n")

    runs = side_by_side(tests, claims)

    assert all(status not in {0, 5} for status, _words in runs)
    assert not list(claims.iterdir())
