"""One instant by which everything must have ended, however slowly the bytes drip in."""

import time
from datetime import timedelta

from providers.fetch.answer import TooSlow


class Deadline:
    """Of one request with all its redirects: name server, connection, TLS, sending and reading."""

    def __init__(self, within: timedelta) -> None:
        self._end = time.monotonic() + within.total_seconds()

    def left_s(self) -> float:
        """Seconds left, more than 0. Raises TooSlow when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> TooSlow:
        """What to raise when a wait has ended without an answer."""
        return TooSlow("it took too long")
