"""When a reporter says that they received it."""

from datetime import UTC, datetime
from typing import Final

# Before there was a web to report, and so far ahead that it is a mistake.
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def instant(text: str) -> datetime:
    """ISO 8601 with a zone, as UTC. Raises ValueError, also for years that cannot be meant."""
    if not text.isascii():
        raise ValueError("not ISO 8601")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the calendar") from None
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("not in our time")
    return moment
