"""Our API, as the checker knows it: lease the checks that are due, report what was seen."""

import json
import logging
import re
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlencode

log = logging.getLogger("checker")

BATCH_MAX = 500  # sightings in one report
CLOCKS_APART_MAX = timedelta(minutes=1)  # a sighting is evidence: its instant must hold

_ANSWER_CAP_BYTES = 16 * 1024 * 1024
_RETRY_AFTER_MAX_S = 300.0
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,40}\Z")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}\Z")


class KeyRefused(Exception):
    """The API does not accept the key, or not for this."""


class ApiDown(Exception):
    """No usable answer now; the text says why, `retry_after_s` is what the API asked for, or None."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class ReportRefused(Exception):
    """The API will not take this report, now or later."""


@dataclass(frozen=True)
class Check:
    """One notice that is due a look, ours until `lease_until`."""

    notice: str
    url: str = field(repr=False)
    expect_digest: str | None
    lease_until: datetime


@dataclass(frozen=True)
class Receipt:
    """What became of one sighting: `recorded`, `known` (from an earlier try), or `refused` and why."""

    notice: str
    outcome: str
    reason: str


class Client:
    """The API at one base URL, by one key. Follows no redirect: the key goes nowhere else."""

    def __init__(self, api: SplitResult, key: str, *, timeout_s: float = 10.0) -> None:
        self._api = api
        self._key = key
        self.timeout_s = timeout_s

    def lease(self, limit: int, vantage: str) -> list[Check]:
        """Up to `limit` checks, leased to us. Raises KeyRefused or ApiDown."""
        asked = urlencode({"limit": limit, "vantage": vantage})
        _, headers, answer = self._ask("GET", f"checks/due/?{asked}")
        _compare_clocks(headers)
        checks = answer.get("checks")
        if not isinstance(checks, list):
            raise ApiDown("the API's answer was not understood")
        understood = [check for entry in checks if (check := _check(entry)) is not None]
        if len(understood) < len(checks):
            log.warning("%d of %d checks were not understood", len(checks) - len(understood), len(checks))
        return understood

    def report(self, sightings: list[dict[str, Any]], idempotency_key: str) -> list[Receipt]:
        """Hand over 1 to BATCH_MAX sightings. The same key with the same sightings counts once.

        Raises KeyRefused, ApiDown (try again), or ReportRefused (do not).
        """
        status, _, answer = self._ask(
            "POST", "sightings/", {"sightings": sightings}, {"Idempotency-Key": idempotency_key}
        )
        if status != 200:
            raise ReportRefused(f"the API answered {status}")
        results = answer.get("results")
        if not isinstance(results, list):
            raise ApiDown("the API's answer was not understood")
        return [
            Receipt(*(str(entry.get(name) or "") for name in ("notice", "outcome", "reason")))
            for entry in results
            if isinstance(entry, dict)
        ]

    def _ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, HTTPMessage, dict[str, Any]]:
        """Status 200, 400, 413 or 422 with headers and JSON. Raises KeyRefused or ApiDown."""
        sent = {"Authorization": f"Bearer {self._key}", "Accept": "application/json", **(headers or {})}
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        connection = self._connection()
        try:
            connection.request(method, f"{self._api.path.rstrip('/')}/api/v1/{path}", data, sent)
            response = connection.getresponse()
            raw = response.read(_ANSWER_CAP_BYTES)
        except (OSError, HTTPException) as error:
            raise ApiDown(f"the API does not answer ({type(error).__name__})") from None
        finally:
            connection.close()
        if response.status in {401, 403}:
            raise KeyRefused("The API refuses the key.")
        if response.status not in {200, 400, 413, 422} or (method == "GET" and response.status != 200):
            retry_after = response.headers.get("Retry-After", "")
            wait_s = min(float(retry_after), _RETRY_AFTER_MAX_S) if retry_after.isdecimal() else None
            raise ApiDown(f"the API answered {response.status}", wait_s)
        return response.status, response.headers, _json(raw) if response.status == 200 else {}

    def _connection(self) -> HTTPConnection:
        host, port = self._api.hostname or "", self._api.port
        if self._api.scheme == "https":
            return HTTPSConnection(host, port, timeout=self.timeout_s, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=self.timeout_s)


def _json(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):  # a JSONDecodeError holds the document, with its URLs
        answer = None
    if not isinstance(answer, dict):
        raise ApiDown("the API's answer was not understood")
    return answer


def _check(entry: Any) -> Check | None:
    """None for anything but the agreed shape: the reference goes into logs as it is."""
    try:
        notice, url, digest = entry["notice"], entry["url"], entry.get("expect_digest")
        lease_until = datetime.fromisoformat(entry["lease_until"])
        if not _REFERENCE.match(notice) or not isinstance(url, str) or lease_until.tzinfo is None:
            return None
        return Check(notice, url, digest if digest and _DIGEST.match(digest) else None, lease_until)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _compare_clocks(headers: HTTPMessage) -> None:
    try:
        theirs = parsedate_to_datetime(headers.get("Date", "")).replace(tzinfo=UTC)  # HTTP has no other zone
    except (TypeError, ValueError):
        return
    if abs(datetime.now(UTC) - theirs) > CLOCKS_APART_MAX:
        raise ApiDown("this clock and the API's differ by more than a minute")
