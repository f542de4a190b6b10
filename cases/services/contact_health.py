"""Keeping the health of contacts: what became of the latest messages to each, in a few statements for all."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max

from providers import health
from providers.models import Contact, ContactHealth

#: How many of the latest messages to a contact are looked at (P).
LATEST: Final = 20
#: A first notice that is younger is not unanswered yet (P: the term).
PATIENCE: Final = timedelta(hours=24)
#: Figures that are younger are left as they are (P).
FRESH: Final = timedelta(minutes=5)

# What it costs follows the contacts and LATEST, not the messages of all time: LIMIT lets an index find them. A
# message is answered by the first answer about any of its notices, or by a mail that a person of the provider wrote;
# a removal without a word is a sign of life too.
_COUNTED: Final = """
    SELECT c.id,
           count(d.id),
           count(d.id) FILTER (WHERE d.state = 'parked' OR (d.state = 'pending' AND d.failures > 0)),
           count(d.id) FILTER (WHERE d.refused),
           coalesce(sum(d.delayed), 0),
           max(d.refused_at),
           coalesce(sum(CASE WHEN d.ripe AND d.lively_before = 0 THEN 1 ELSE 0 END), 0),
           max(d.sent_at) FILTER (WHERE NOT d.refused), max(d.accepted_at) FILTER (WHERE d.state = 'accepted'),
           max(d.answered_at),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY d.answered_at - d.sent_at)
               FILTER (WHERE d.is_first AND d.answered_at >= d.sent_at)
    FROM providers_contact c
    LEFT JOIN LATERAL (
        SELECT m.*,
               count(*) FILTER (WHERE m.is_first AND m.lively) OVER (ORDER BY m.created_at DESC, m.id DESC)
                   AS lively_before,
               m.is_first AND NOT m.lively AND NOT m.refused AND m.sent_at <= %(ripe)s AS ripe
        FROM (
            SELECT r.id, r.state, r.failures, r.created_at, r.accepted_at, r.kind = 'first' AS is_first,
                   r.state = 'bounced' OR (r.state = 'parked' AND r.trouble = 'refused') AS refused,
                   CASE WHEN r.state = 'bounced' THEN r.bounced_at
                        WHEN r.state = 'parked' AND r.trouble = 'refused' THEN tried.at END AS refused_at,
                   coalesce(r.accepted_at, taken.at) AS sent_at,
                   least(said.answered_at, back.wrote_at) AS answered_at, back.delayed,
                   said.answered_at IS NOT NULL OR back.wrote_at IS NOT NULL OR said.removed AS lively
            FROM (
                SELECT * FROM cases_dispatch
                WHERE contact_id = c.id AND state <> 'cancelled'
                ORDER BY created_at DESC LIMIT %(latest)s
            ) r
            LEFT JOIN LATERAL (
                SELECT max(ended_at) AS at FROM cases_attempt WHERE dispatch_id = r.id AND accepted
            ) taken ON true
            LEFT JOIN LATERAL (
                SELECT max(ended_at) AS at FROM cases_attempt WHERE dispatch_id = r.id
            ) tried ON true
            LEFT JOIN LATERAL (
                SELECT min(n.acknowledged_at) AS answered_at, bool_or(n.state = 'removed') AS removed
                FROM cases_dispatchline l JOIN cases_notice n ON n.id = l.notice_id
                WHERE l.dispatch_id = r.id AND l.dropped_because = ''
            ) said ON true
            LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE kind = 'delayed') AS delayed,
                       min(received_at) FILTER (
                           WHERE kind = 'answer' AND from_provider AND state <> 'set_aside'
                       ) AS wrote_at
                FROM cases_replymail WHERE dispatch_id = r.id
            ) back ON true
        ) m
    ) d ON true
    GROUP BY c.id
"""


def keep(*, now: datetime) -> None:
    """Count anew what was not counted lately."""
    if not ContactHealth.objects.filter(counted_at__gt=now - FRESH).exists():
        count(now=now)


def count(*, now: datetime) -> None:
    """Count the health of every contact."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_COUNTED, {"latest": LATEST, "ripe": now - PATIENCE})
            rows = cursor.fetchall()
        modes = dict(Contact.objects.values_list("pk", "mode"))
        before = ContactHealth.objects.in_bulk()
        opened = dict(Contact.objects.values_list("pk").annotate(at=Max("provider__users__last_login")))
        figures = [_figure(row, opened.get(row[0]), modes[row[0]], now) for row in rows if row[0] in modes]
        for figure in figures:
            earlier = before.get(figure.contact_id)
            if earlier is not None and earlier.word == figure.word:
                figure.since = earlier.since
        ContactHealth.objects.bulk_create(
            figures,
            update_conflicts=True,
            unique_fields=["contact"],
            update_fields=[
                field.name for field in ContactHealth._meta.concrete_fields if not field.primary_key
            ],
            batch_size=1_000,
        )


def _figure(row: tuple[Any, ...], opened_at: datetime | None, mode: str, now: datetime) -> ContactHealth:
    contact_id, *counted = row
    names = (
        "messages",
        "failing",
        "bounced_hard",
        "bounced_soft",
        "last_bounced_at",
        "unanswered",
        "last_sent_at",
        "last_accepted_at",
        "last_answered_at",
        "median_answer",
    )
    figure = ContactHealth(
        contact_id=contact_id,
        portal_opened_at=opened_at,
        counted_at=now,
        since=now,
        **dict(zip(names, counted, strict=True)),
    )
    figure.word = health.word(figure, mode=mode)
    return figure
