"""What a step of `make check` may say of itself."""

import os
import sys

import pytest

from local.check import Step, take


@pytest.mark.parametrize(
    ("code", "evidence", "verdict"),
    [
        ("print('looked at 3 files')", r"looked at [1-9]", "ok"),
        ("print('looked at 0 files')", r"looked at [1-9]", "NOT RUN"),
        ("raise SystemExit(1)", "", "FAILED"),
    ],
)
def test_a_step_is_ok_only_when_it_looked_at_something(code: str, evidence: str, verdict: str) -> None:
    assert take(Step("step", (sys.executable, "-c", code), evidence), dict(os.environ)).verdict == verdict


def test_a_tool_that_is_not_there_is_no_success() -> None:
    outcome = take(Step("step", ("no-such-tool", ".")), dict(os.environ))
    assert (outcome.verdict, outcome.output) == ("NOT RUN", "no-such-tool is not installed.")


def test_what_a_step_said_is_kept() -> None:
    code = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(3)"
    assert take(Step("step", (sys.executable, "-c", code)), dict(os.environ)).output == "out\nerr"
