"""How often one host is asked: one look at a time, and a pause after it for every request it took."""

import time
from collections.abc import Callable

PAUSE_S = 1.0  # per request made
SLOWED_DOWN_S = 60.0  # after a host has said 429


class Politeness:
    """Whose turn it is. Used by one thread; hosts are compared without `www.`."""

    def __init__(
        self,
        pause_s: float = PAUSE_S,
        slowed_down_s: float = SLOWED_DOWN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pause_s = pause_s
        self._slowed_down_s = slowed_down_s
        self._clock = clock
        self._busy: set[str] = set()
        self._free_at: dict[str, float] = {}

    def start(self, host: str) -> bool:
        """Take the host's turn; False when it is not free yet."""
        host = host.removeprefix("www.")
        if host in self._busy or self._free_at.get(host, 0.0) > self._clock():
            return False
        self._busy.add(host)
        return True

    def finish(self, host: str, *, requests: int, slow_down: bool) -> None:
        """Give the turn back after a look of so many requests."""
        host, now = host.removeprefix("www."), self._clock()
        self._busy.discard(host)
        self._free_at = {name: free_at for name, free_at in self._free_at.items() if free_at > now}
        self._free_at[host] = now + (self._slowed_down_s if slow_down else self._pause_s * requests)
