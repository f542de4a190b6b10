"""A sending worker that is killed at an aimed moment: `python -m tests.drills.killed`, driven line by line.

Each line on stdin is a round: "POINT COUNT". A child of this process, forked so that nothing has to be loaded anew,
makes one pass over what is due; at the COUNT-th time that it comes to POINT it is killed with SIGKILL, by itself or
(POINT "data") by the mail server, which is told the child's number. Prints the child's number, then how it ended.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

#: Where a child can be struck. "none": it makes its pass to the end.
BEFORE_CONNECT, IN_DATA, AFTER_250, BEFORE_COMMIT, NEVER = "connect", "data", "answered", "commit", "none"
POINTS = (BEFORE_CONNECT, IN_DATA, AFTER_250, BEFORE_COMMIT)


def main() -> None:
    """Serve rounds until stdin ends."""
    django.setup()
    # Loaded once, here; the children share it.
    import cases.tasks  # noqa: F401

    for line in sys.stdin:
        point, count = line.split()
        child = os.fork()
        if not child:
            _pass(point, int(count))
            os._exit(0)
        _say(str(child))
        _pid, status = os.waitpid(child, 0)
        _say("killed" if os.WIFSIGNALED(status) else "ended")


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _pass(point: str, count: int) -> None:
    from audit.record import Actor
    from cases.clock import database_now
    from cases.services.sending import deliver_due, settling
    from providers.channels import smtp
    from providers.sources.resolver import NoResolver

    strike = _strike(count)
    if point == BEFORE_CONNECT:
        smtp._made = _then(strike, smtp._made)
    elif point == AFTER_250:
        smtp.SMTPChannel.hand_over = _and_then(smtp.SMTPChannel.hand_over, strike)  # type: ignore[method-assign]
    elif point == BEFORE_COMMIT:
        # The last thing in the transaction: all is written, and nothing of it is committed.
        settling.recover = _and_then(settling.recover, strike)
    deliver_due(resolver=NoResolver(), by=Actor.system("killed"), clock=database_now)


def _strike(count: int) -> Callable[[], None]:
    left = [count]

    def strike() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return strike


def _then(first: Callable[[], None], call: Callable[..., Any]) -> Callable[..., Any]:
    def both(*args: Any, **more: Any) -> Any:
        first()
        return call(*args, **more)

    return both


def _and_then(call: Callable[..., Any], after: Callable[[], None]) -> Callable[..., Any]:
    def both(*args: Any, **more: Any) -> Any:
        result = call(*args, **more)
        after()
        return result

    return both


if __name__ == "__main__":
    main()
