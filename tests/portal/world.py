"""Notices by the clock on the wall, which is the one that a page reads."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from cases.models import Notice
from tests.factories import HOUR, NoticeFactory


def an_hour_ago() -> datetime:
    """An instant of today."""
    return timezone.now() - HOUR


def notified(at: datetime | None = None, **fields: Any) -> Notice:
    """With the provider since `at` (an hour ago)."""
    return NoticeFactory(notified=True, notified_at=at or an_hour_ago(), **fields)


def unproven(at: datetime | None = None, **fields: Any) -> Notice:
    """Sent at `at` (an hour ago); nothing says that it arrived."""
    at = at or an_hour_ago()
    return NoticeFactory(
        sent=True,
        received_at=at - 3 * HOUR,
        assessed_at=at - 2 * HOUR,
        routed_at=at - HOUR,
        sent_at=at,
        **fields,
    )
