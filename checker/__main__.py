"""`python -m checker`: the options, the log, the signals, the exit status."""

import argparse
import logging
import os
import re
import resource
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from checker import look
from checker.client import ApiDown, Client, KeyRefused
from checker.exits import ByProxy, Direct, Exit, tls_context
from checker.guard import Guard
from checker.look import Looker
from checker.rounds import Rounds

log = logging.getLogger("checker")

STOPPED_WITHIN_S = 1.5
_HEADER_TEXT = re.compile(r"[ -~]{1,200}\Z")
_KEY = re.compile(r"[!-~]{1,500}\Z")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence instead of the usage; `--help` has that."""
        print(f"checker: {message}", file=sys.stderr)
        raise SystemExit(2)


def _origin(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise argparse.ArgumentTypeError("it must look like http://host:port")
    if parts.username is not None or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError("no user, query or fragment belongs in it")
    return parts


def _proxy(text: str) -> SplitResult:
    parts = _origin(text)
    if parts.scheme != "http" or parts.port is None or parts.path not in {"", "/"}:
        raise argparse.ArgumentTypeError("it must look like http://host:port")
    return parts


def _text(text: str) -> str:
    if not _HEADER_TEXT.match(text):
        raise argparse.ArgumentTypeError("it must be 1 to 200 plain characters")
    return text


def _vantage(text: str) -> str:
    if len(_text(text)) > 60:
        raise argparse.ArgumentTypeError("it must be at most 60 characters")
    return text


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 500:
        raise argparse.ArgumentTypeError("it must be a number from 1 to 500")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= 86_400:
        raise argparse.ArgumentTypeError("it must be a number of seconds, more than 0 and at most a day")
    return float(text)


def _options(arguments: Sequence[str], environment: Mapping[str, str]) -> argparse.Namespace:
    """What was asked for. Raises SystemExit(2) after one sentence, which never shows the key."""
    parser = _Parser(
        prog="python -m checker",
        description="Looks from outside whether reported material is still there, and reports it.",
        epilog="Every option may also come as CHECKER_API, CHECKER_KEY, CHECKER_ONCE=1 and so on; "
        "the key also as CHECKER_KEY_FILE, the path of a file that holds it.",
    )
    parser.add_argument("--api", type=_origin, metavar="URL", help="where Takedown runs")
    parser.add_argument("--key", help="key with scope sightings:write (seen in the list of processes)")
    parser.add_argument("--once", action="store_true", help="look at what is due now, then stop")
    parser.add_argument("--vantage", type=_vantage, metavar="NAME", help="where we look from (checker)")
    parser.add_argument(
        "--proxy", type=_proxy, metavar="HTTP://HOST:PORT", help="forward proxy for every look"
    )
    parser.add_argument("--every", type=_seconds, metavar="SECONDS", help="pause when nothing is due (30)")
    parser.add_argument("--limit", type=_limit, metavar="N", help="checks held at a time (100)")
    parser.add_argument("--user-agent", type=_text, metavar="TEXT", help="what sites are told about us")
    defaults = {"vantage": "checker", "every": "30", "limit": "100", "user_agent": look.USER_AGENT}
    for option in ("api", "key", "vantage", "proxy", "every", "limit", "user_agent"):
        # A default in text goes through the option's own check, as if it had been typed.
        parser.set_defaults(**{option: environment.get(f"CHECKER_{option.upper()}") or defaults.get(option)})
    options = parser.parse_args(arguments)
    options.once = options.once or environment.get("CHECKER_ONCE", "").lower() in {"1", "true", "yes"}
    if options.api is None:
        parser.error("say where Takedown runs: --api URL or CHECKER_API.")
    if options.key is None and (path := environment.get("CHECKER_KEY_FILE")):
        try:
            options.key = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            parser.error("CHECKER_KEY_FILE names a file that cannot be read.")
    if not options.key:
        parser.error("a key is needed: --key KEY, CHECKER_KEY or CHECKER_KEY_FILE.")
    if not _KEY.match(options.key):
        parser.error("the key holds characters that no key has.")
    return options


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run until stopped (0), or until the API refuses the key or, with --once, does not answer (1)."""
    options = _options(arguments, environment)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s checker %(message)s")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not write what is in memory to disk
    if options.api.scheme == "http" and options.api.hostname not in _LOOPBACK:
        log.warning("the API is asked without TLS: key and URLs can be read on the way")
    way_out: Exit
    if options.proxy is None:
        way_out = Direct(Guard(), tls_context())
    else:
        way_out = ByProxy(options.proxy.hostname, options.proxy.port, tls_context())
    stop = threading.Event()
    rounds = Rounds(
        Client(options.api, options.key),
        Looker(way_out, user_agent=options.user_agent),
        stop,
        vantage=options.vantage,
        limit=options.limit,
        every_s=options.every,
        once=options.once,
    )
    return _run(rounds, stop)


def _run(rounds: Rounds, stop: threading.Event) -> int:
    """The rounds in a thread of their own: this one must be free to hear a signal at any time."""
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not `stop.set()`: taking the event's lock inside a handler could wait for ourselves.
        signal.signal(number, lambda received, _: signals.append(received))
    failures: list[Exception] = []

    def work() -> None:
        try:
            rounds.run()
        except (KeyRefused, ApiDown) as fault:
            failures.append(fault)

    worker = threading.Thread(target=work, name="rounds", daemon=True)
    worker.start()
    while worker.is_alive() and not signals:
        worker.join(0.1)
    stop.set()
    worker.join(STOPPED_WITHIN_S)
    if failures:
        print(f"checker: {failures[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
