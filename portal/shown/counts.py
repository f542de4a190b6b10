"""How many notices of a provider wait for what: the figures above the list."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from cases.models import Message, Notice
from cases.models.notice import NoticeQuerySet

#: In the order of the statement.
_NAMES: Final = ("open", "answered", "overdue", "soon", "contradicted", "unread")


def counts(own: NoticeQuerySet, *, now: datetime, soon: timedelta) -> dict[str, int]:
    """Of the provider's `own`: how many unfinished ones are open, answered, overdue, soon (due within `soon`) and
    contradicted; and how many of all are unread, which have a new message from us. One statement.

    Its two parts are put together by Django, the counting around them by us: seven conditions at every opening of the
    list are 2 ms of Django.
    """
    unfinished, of_unfinished = (
        own.unfinished().order_by().values_list("acknowledged_at", "due_at", "claim_answer")
    ).query.sql_with_params()
    unread, of_unread = (
        Message.objects.unread().filter(notice__in=own).order_by().values_list("notice_id")
    ).query.sql_with_params()
    # Both texts are Django's own.
    statement = f"""
        SELECT count(*), count(acknowledged_at), count(*) FILTER (WHERE due_at <= %s),
            count(*) FILTER (WHERE due_at > %s AND due_at <= %s), count(*) FILTER (WHERE claim_answer = %s),
            (SELECT count(DISTINCT notice_id) FROM ({unread}) AS unread (notice_id))
        FROM ({unfinished}) AS unfinished (acknowledged_at, due_at, claim_answer)
    """  # noqa: S608
    values = [now, now, now + soon, Notice.ClaimAnswer.STILL_REACHABLE, *of_unread, *of_unfinished]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return dict(zip(_NAMES, cursor.fetchone(), strict=True))
