"""Ask a running launcher about its programs: `python -m local.control VERB [PROGRAM]`.

Verbs: list, start, stop, restart, kill (-9), pause (SIGSTOP), resume (SIGCONT). `start` and `restart` come
back when the program serves again. The launcher's socket is in the environment as TAKEDOWN_CONTROL.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

LONGEST_ANSWER_S = 120


class Unanswered(Exception):
    """The launcher is not there, or refused; the text says which."""


def ask(verb: str, program: str = "", *, control: Path | None = None) -> Mapping[str, int | None]:
    """Do one thing to one program. Returns every program's process id, None for one that does not run."""
    path = control or Path(os.environ.get("TAKEDOWN_CONTROL", ""))
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(LONGEST_ANSWER_S)
            line.connect(str(path))
            line.sendall(json.dumps({"do": verb, "name": program}).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline() or b'{"error": "the launcher hung up."}')
    except OSError as problem:
        raise Unanswered(f"no launcher answers: {problem.strerror or problem}.") from problem
    if "error" in answer:
        raise Unanswered(str(answer["error"]))
    programs: dict[str, int | None] = answer["programs"]
    return programs


def main() -> None:
    """The command line: prints one line per program."""
    if not 2 <= len(sys.argv) <= 3:
        sys.stderr.write(f"{__doc__}\n")
        raise SystemExit(2)
    try:
        programs = ask(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "")
    except Unanswered as problem:
        sys.stderr.write(f"takedown: {problem}\n")
        raise SystemExit(1) from None
    for name, pid in programs.items():
        print(f"{name:16} {pid or 'not running'}")


if __name__ == "__main__":
    main()
