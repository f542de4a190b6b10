"""Who has a notice before them just now: a courtesy that keeps two people from reading the same.

It stands in the cache and guards nothing: the version check at saving does (cases/services/moving.py). With
the cache away everybody simply gets the same next notice.
"""

import logging
from collections.abc import Iterable
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.names import Names

logger = logging.getLogger(__name__)

#: seconds; opening the page again prolongs it
CLAIM_S: Final = 300


def first_free(notice_ids: Iterable[int], user_id: int) -> int | None:
    """The first of `notice_ids` that nobody else has, claimed for this person; None when all are taken."""
    ids = list(notice_ids)
    try:
        for notice_id in ids:
            if cache.add(_key(notice_id), user_id, CLAIM_S) or cache.get(_key(notice_id)) == user_id:
                cache.touch(_key(notice_id), CLAIM_S)
                return notice_id
    except RedisError as error:
        logger.warning("claims cannot be kept: %s", type(error).__name__)
        return ids[0] if ids else None
    return None


def release(notice_id: int, user_id: int) -> None:
    """Give a notice back, if this person has it."""
    try:
        if cache.get(_key(notice_id)) == user_id:
            cache.delete(_key(notice_id))
    except RedisError as error:
        logger.warning("claims cannot be released: %s", type(error).__name__)


def others(notice_id: int, user_id: int | None, names: Names) -> str:
    """The name of the colleague who has it before them, or ""."""
    try:
        holder = cache.get(_key(notice_id))
    except RedisError:
        return ""
    return names.of(f"user:{holder}") if holder not in (None, user_id) else ""


def _key(notice_id: int) -> str:
    return f"claim:{notice_id}"
