"""The work: lease due checks, look in a few threads, report; go on while the API is down.

What is in hand lives in memory only. What is lost with the process comes due again when its lease ends.
"""

import logging
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any

from checker.client import BATCH_MAX, ApiDown, Check, Client, KeyRefused, ReportRefused
from checker.look import UNKNOWN, Finding, Looker
from checker.politeness import Politeness
from checker.target import NotUsable, Target

log = logging.getLogger("checker")

LOOKERS = 8
REPORT_WITHIN_S = 5.0  # of the look, so that sightings travel together; at once after the last look
BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
ONCE_PATIENCE = 4  # failed tries in a row after which a single round gives up
_LAST_WORDS_S = 1.0
_TICK_S = 0.05


@dataclass
class _Batch:
    """Sightings on their way; every try carries the same key, so that they count once."""

    sightings: list[dict[str, Any]]
    key: str = field(default_factory=lambda: uuid.uuid4().hex)


class Rounds:
    """One checker at work. `run` belongs to one thread; only the looks are made in others."""

    def __init__(
        self,
        client: Client,
        looker: Looker,
        stop: threading.Event,
        *,
        vantage: str,
        limit: int,
        every_s: float,
        once: bool,
        politeness: Politeness | None = None,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._looker, self._stop = client, looker, stop
        self._vantage, self._limit, self._every_s, self._once = vantage, limit, every_s, once
        self._politeness = politeness or Politeness()
        self._back_off_s = back_off_s
        self._clock = clock
        self._waiting: list[Check] = []
        self._looking = 0
        self._jobs: queue.SimpleQueue[Check] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[tuple[Check, Finding]] = queue.SimpleQueue()
        self._unreported: list[dict[str, Any]] = []
        self._batches: deque[_Batch] = deque()
        self._lease_at = self._report_at = self._api_at = 0.0
        self._has_leased = False
        self._failed_tries = 0

    def run(self) -> None:
        """Work until stopped, or with `once` until what was due has been looked at and reported.

        Raises KeyRefused; with `once` also ApiDown.
        """
        for number in range(LOOKERS):
            # Daemons: a look may take 20 s, and stopping must not wait for it.
            threading.Thread(target=self._look_on, name=f"look-{number}", daemon=True).start()
        while not self._stop.is_set():
            self._collect()
            if self._clock() >= self._api_at:
                try:
                    self._talk()
                except ApiDown as fault:
                    self._back_off(fault)
            self._start_looks()
            if self._once and self._has_leased and not self._has_work():
                return
            self._stop.wait(_TICK_S)
        self._last_words()

    def _has_work(self) -> bool:
        return bool(self._waiting or self._looking or self._unreported or self._batches)

    def _talk(self) -> None:
        """Report and lease, as far as it is time. Raises KeyRefused or ApiDown."""
        now = self._clock()
        is_last = not self._waiting and not self._looking
        if now >= self._report_at or is_last or len(self._unreported) * 2 >= self._limit:
            self._pack()
        self._report()
        # What is seen and not reported is in hand as well: so no more than `limit` can ever wait for the API.
        room = self._limit - len(self._waiting) - self._looking - len(self._unreported)
        if now >= self._lease_at and room * 2 >= self._limit and not (self._once and self._has_leased):
            checks = self._client.lease(room, self._vantage)
            self._has_leased = True
            self._waiting += checks
            # A full answer means that more is due.
            self._lease_at = now if len(checks) >= room else now + self._every_s
        self._failed_tries = 0

    def _back_off(self, fault: ApiDown) -> None:
        self._failed_tries += 1
        if self._once and self._failed_tries >= ONCE_PATIENCE:
            raise fault
        usual_s = self._back_off_s[min(self._failed_tries, len(self._back_off_s)) - 1]
        wait_s = max(usual_s, fault.retry_after_s or 0.0) * SystemRandom().uniform(1.0, 1.2)
        self._api_at = self._clock() + wait_s
        log.warning("%s; next try in %.0f s", fault, wait_s)

    def _start_looks(self) -> None:
        now, still_waiting = datetime.now(UTC), []
        for check in self._waiting:
            if check.lease_until <= now:
                log.info("%s: its lease ended before its turn", check.notice)  # it comes due again
            elif self._looking < LOOKERS and self._politeness.start(_host(check)):
                self._looking += 1
                self._jobs.put(check)
            else:
                still_waiting.append(check)
        self._waiting = still_waiting

    def _look_on(self) -> None:
        while True:
            check = self._jobs.get()
            try:
                finding = self._looker.look(check.url, check.expect_digest)
            # Whatever goes wrong here is our fault and says nothing of the site; its text may hold the URL.
            except Exception as error:  # noqa: BLE001
                log.error("%s: the look failed (%s)", check.notice, type(error).__name__)
                finding = Finding(UNKNOWN, datetime.now(UTC), note="fault of the checker")
            self._found.put((check, finding))

    def _collect(self) -> None:
        while not self._found.empty():
            check, finding = self._found.get()
            if not self._unreported:
                self._report_at = self._clock() + REPORT_WITHIN_S
            self._looking -= 1
            self._politeness.finish(
                _host(check), requests=finding.requests, slow_down=finding.is_plea_to_slow_down
            )
            self._unreported.append(_sighting(check, finding, self._vantage))
            log.info("%s: %s", check.notice, finding.outcome)

    def _pack(self) -> None:
        for start in range(0, len(self._unreported), BATCH_MAX):
            self._batches.append(_Batch(self._unreported[start : start + BATCH_MAX]))
        self._unreported = []

    def _report(self) -> None:
        """Report every batch. Raises KeyRefused or ApiDown; what is not reported stays."""
        while self._batches:
            batch = self._batches[0]
            try:
                receipts = self._client.report(batch.sightings, batch.key)
            except ReportRefused as refusal:
                self._batches.popleft()
                self._halve(batch, refusal)
            else:
                self._batches.popleft()
                for receipt in receipts:
                    if receipt.outcome == "refused":
                        log.warning("%.40r: sighting refused: %.200r", receipt.notice, receipt.reason)

    def _halve(self, batch: _Batch, refusal: ReportRefused) -> None:
        """One sighting that the API cannot take must not hold up the others."""
        if len(batch.sightings) == 1:
            log.error("%s: sighting given up: %s", batch.sightings[0]["notice"], refusal)
            return
        middle = len(batch.sightings) // 2
        self._batches.extendleft((_Batch(batch.sightings[middle:]), _Batch(batch.sightings[:middle])))

    def _last_words(self) -> None:
        """Before stopping: report what has been seen, if the API takes it at once."""
        self._collect()
        self._pack()
        self._client.timeout_s = _LAST_WORDS_S
        try:
            self._report()
        except (ApiDown, KeyRefused) as fault:
            unreported = sum(len(batch.sightings) for batch in self._batches)
            log.warning("%d sightings are lost, their checks come due again: %s", unreported, fault)


def _host(check: Check) -> str:
    """The host whose turn a look takes; checks that lead nowhere share one."""
    try:
        return Target.parse(check.url).host
    except NotUsable:
        return ""


def _sighting(check: Check, finding: Finding, vantage: str) -> dict[str, Any]:
    sighting: dict[str, Any] = {
        "notice": check.notice,
        "seen_at": finding.seen_at.isoformat(timespec="microseconds"),
        "outcome": finding.outcome,
        "vantage": vantage,
    }
    if finding.http_status is not None and 100 <= finding.http_status <= 599:
        sighting["http_status"] = finding.http_status
    if finding.digest is not None:
        sighting["digest"] = finding.digest
    if finding.note:
        sighting["note"] = finding.note
    return sighting
