"""`make check`: everything that can be said about the code without running its tests.

One line per step with its time. The output of a step is shown only when it failed. A step that could not
run, or that ended well without having looked at anything, says NOT RUN and counts as a failure.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
ROOMS = (
    "takedown",
    "portal",
    "cases",
    "accounts",
    "providers",
    "audit",
    "vault",
    "checker",
    "local",
    "bench",
)

# As in production, so that `check --deploy` judges what will be deployed. Nothing is connected to.
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "takedown.settings",
    "DATABASE_URL": "postgres://takedown@127.0.0.1:9/takedown",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "SECRET_KEY": "Only-4-checks-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "BASE_URL": "https://takedown.example.org",
    "SENDER_NAME": "Meldpunt",
    "SENDER_ADDRESS": "meldpunt@hotline.example",
    "ORGANISATION": "Meldpunt | Postbus 1, 1000 AA Amsterdam | +31 20 000 00 00",
    "TRUSTED_PROXIES": "1",
    "DEBUG": "no",
    "PYTHONWARNINGS": "ignore:Got an error checking a consistent migration history",
}


@dataclass(frozen=True)
class Step:
    """A command and what its output must hold (a pattern) as evidence that it looked at something."""

    name: str
    command: Sequence[str]
    evidence: str = ""


@dataclass(frozen=True)
class Outcome:
    """`verdict` is ok, FAILED or NOT RUN."""

    step: Step
    verdict: str
    seconds: float
    output: str

    def line(self) -> str:
        """The step's line, wide enough for all names."""
        return f"{self.step.name:28} {self.verdict:8} {self.seconds:6.1f} s"


def templates() -> list[str]:
    """The folders of templates."""
    return [
        str(path.relative_to(ROOT))
        for path in [ROOT / "templates", *ROOT.glob("*/templates")]
        if path.is_dir()
    ]


def steps() -> list[Step]:
    """The longest first: they run side by side."""
    manage = (sys.executable, "manage.py")
    rooms = [room for room in ROOMS if (ROOT / room).is_dir()]
    return [
        Step("types", ("mypy", "."), r"no issues found in [1-9]\d* source files"),
        Step(
            "security patterns",
            ("bandit", "-ll", "-c", "pyproject.toml", "-r", *rooms),
            r"Total lines of code: [1-9]",
        ),
        Step("templates: lint", ("djlint", "--lint", *templates()), r"Linted [1-9]\d* file"),
        Step("import contracts", ("lint-imports", "--no-cache"), r"Contracts: [1-9]\d* kept, 0 broken"),
        Step(
            "API description", (*manage, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)
        ),
        Step(
            "migrations in step", (*manage, "makemigrations", "--check", "--dry-run"), "No changes detected"
        ),
        Step("deployment settings", (*manage, "check", "--deploy", "--fail-level", "WARNING"), "no issues"),
        Step("translations", (sys.executable, "-m", "local.messages", "check"), "[1-9][0-9]* texts"),
        Step("format", ("ruff", "format", "--check", "."), r"[1-9]\d* files? already formatted"),
        Step("lint", ("ruff", "check", "."), "All checks passed"),
    ]


def take(step: Step, environment: dict[str, str]) -> Outcome:
    """Run one step."""
    program, *rest = step.command
    found = shutil.which(program, path=str(PROGRAMS)) or (program if Path(program).is_absolute() else None)
    if found is None:
        return Outcome(step, "NOT RUN", 0.0, f"{program} is not installed.")
    began = time.monotonic()
    done = subprocess.run(
        [found, *rest],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    output = done.stdout.strip()
    if verdict == "ok" and not re.search(step.evidence, output):
        verdict, output = "NOT RUN", f"it ended well, but nothing shows that it looked at anything:\n{output}"
    return Outcome(step, verdict, time.monotonic() - began, output)


def settings() -> dict[str, str]:
    """The caller's environment under a production-like one with keys of its own."""
    return (
        os.environ
        | SETTINGS
        | {"ENCRYPTION_KEYS": _from_vault("new"), "RECEIPT_KEYS": _from_vault("receipts")}
    )


def _from_vault(word: str) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "vault", word], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return made.stdout.strip() or "none could be made"


def main() -> int:
    """Returns the exit status: 0 when every step is ok."""
    environment = settings()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = []
        for outcome in pool.map(lambda step: take(step, environment), steps()):
            print(outcome.line(), flush=True)
            outcomes.append(outcome)
    bad = [outcome for outcome in outcomes if outcome.verdict != "ok"]
    for outcome in bad:
        print(f"\n-- {outcome.step.name}: {outcome.verdict}\n{outcome.output or '(no output)'}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
