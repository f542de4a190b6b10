"""The hands that messages are given to: several at once, each with an open session, none with a database."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from cases.services.sending.claiming import Claim
from cases.services.sending.preparing import Ready
from providers.channels import CHANNELS
from providers.channels.result import Accepted, Channel, Failed

logger = logging.getLogger(__name__)

#: seconds; what was looked at longer ago than that is looked at again instead of handed over.
FRESH_S: Final = 10.0
#: seconds; how long the pass waits for the next hand before it asks again what is due.
PATIENCE_S: Final = 1.0
#: seconds; how long it then waits for others.
COMPANY_S: Final = 0.1


class Back(NamedTuple):
    """What a hand came back with. `result` is None when it did not begin: the message was not fresh any more."""

    held: Claim
    result: Accepted | Failed | None
    fault: Exception | None = None


class Hands:
    """So many hand-overs at once. A peer that is slow takes one hand, and the others go on."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="hand")
        self._back: SimpleQueue[Back] = SimpleQueue()
        self._sessions = _Sessions()
        self._out = 0
        self._moved_at = time.monotonic()

    @property
    def out(self) -> int:
        """Messages that are with a hand, or wait for one."""
        return self._out

    @property
    def has_room(self) -> bool:
        """Whether what is prepared now will find a hand: one is free, or they come back all the time."""
        moves = time.monotonic() - self._moved_at < PATIENCE_S
        return self._out < (2 * self._count if moves else self._count)

    def give(self, ready: Ready) -> None:
        """Let the next free hand take it."""
        self._out += 1
        self._pool.submit(self._hand_over, ready, time.monotonic())

    def come_back(self, *, wait: bool) -> list[Back]:
        """What came back by now; with `wait`, at least one if any comes within `PATIENCE_S`.

        While there is no room for more anyway, it waits a moment for others: to settle them together costs as little.
        """
        found: list[Back] = []
        until = time.monotonic() + PATIENCE_S
        try:
            while len(found) < self._out:
                is_full = self._out - len(found) >= 2 * self._count
                found.append(
                    self._back.get(wait and (is_full or not found), max(0.0, until - time.monotonic()))
                )
                if len(found) == 1:
                    until = time.monotonic() + COMPANY_S
        except Empty:
            pass
        if found:
            self._out -= len(found)
            self._moved_at = time.monotonic()
        return found

    def close(self) -> None:
        """What has not begun will not; what has is left to its own time limit."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._sessions.close()

    def _hand_over(self, ready: Ready, since: float) -> None:
        try:
            if time.monotonic() - since > FRESH_S:
                self._back.put(Back(ready.held, None))
                return
            with self._sessions.one(ready.channel) as channel:
                result = channel.hand_over(ready.message, sender=ready.sender, recipient=ready.recipient)
            self._back.put(Back(ready.held, result))
        except Exception as fault:
            logger.exception("dispatch %s cannot be handed over", ready.held.dispatch_id)
            self._back.put(Back(ready.held, None, fault))


class _Sessions:
    """Open sessions that are in nobody's hand; the one that was used last is used first."""

    def __init__(self) -> None:
        self._idle: dict[str, list[Channel]] = {}
        self._open = ExitStack()
        self._lock = threading.Lock()

    @contextmanager
    def one(self, code: str) -> Iterator[Channel]:
        with self._lock:
            idle = self._idle.setdefault(code, [])
            channel = idle.pop() if idle else self._open.enter_context(CHANNELS[code]())
        yield channel
        with self._lock:
            self._idle[code].append(channel)

    def close(self) -> None:
        with self._lock:
            self._open.close()
