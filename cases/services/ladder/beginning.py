"""The first rung of a clock that starts, and those that follow on a rung."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection

from cases import deadlines
from cases.models import DeadlineRule, Notice, Step


def begin(notices: Sequence[Notice], *, at: datetime, rule: DeadlineRule) -> None:
    """Let the first rung wait for notices whose clock starts at `at`."""
    rung = deadlines.rung("hint")
    due_at = deadlines.step_due_at(rung.code, at, rule.term)
    Step.objects.bulk_create(
        [
            Step(notice=notice, code=rung.code, due_at=due_at, owner=rung.role, channel=rung.channel)
            for notice in notices
        ],
        batch_size=1_000,
    )


def follow(steps: Sequence[tuple[int, str]], *, reminders: bool, now: datetime) -> None:
    """Let the rungs after these (notice, code) wait; what waits already stays as it is. One statement.

    A rung that can come sooner does when the provider has refused, or let several terms end lately. `reminders`:
    whether the next reminder is among them.
    """
    rungs = [
        (code, rung)
        for code in dict.fromkeys(code for _notice, code in steps)
        for rung in deadlines.following(code)
        if reminders or not rung.code.startswith(deadlines.REMINDER)
    ]
    if not rungs:
        return
    host = settings.HOST
    with connection.cursor() as cursor:
        cursor.execute(
            _FOLLOW,
            {
                "notices": [notice for notice, _code in steps],
                "codes": [code for _notice, code in steps],
                "after": [code for code, _rung in rungs],
                "next": [rung.code for _code, rung in rungs],
                "terms": [float(rung.terms) for _code, rung in rungs],
                "sooner_terms": [rung.sooner for _code, rung in rungs],
                "owners": [rung.role for _code, rung in rungs],
                "channels": [rung.channel for _code, rung in rungs],
                "lately": now - host.sooner_within,
                "often": host.sooner_terms,
                "now": now,
            },
        )


# A term is a number of seconds: an interval of days would be a day of the session's time zone. Ended terms are
# counted no further than needed; of a notice that escalated, `due_at` is when its term ended.
_FOLLOW = """
    WITH clock AS MATERIALIZED (
        SELECT step.notice_id, step.code, n.provider_id, n.notified_at, n.objection_rejected_at,
               extract(epoch FROM rule.term)::float8 AS term_s
        FROM unnest(%(notices)s::bigint[], %(codes)s::text[]) AS step (notice_id, code)
        JOIN cases_notice n ON n.id = step.notice_id
        JOIN cases_deadlinerule rule ON rule.id = n.rule_id
    ),
    often AS MATERIALIZED (
        SELECT p.provider_id
        FROM (SELECT DISTINCT provider_id FROM clock) p
        CROSS JOIN LATERAL (
            SELECT count(*) AS ended FROM (
                SELECT 1 FROM cases_notice e
                WHERE e.provider_id = p.provider_id AND e.sent_at IS NOT NULL AND e.escalated_at IS NOT NULL
                  AND e.state <> 'withdrawn' AND e.due_at > %(lately)s AND e.due_at <= %(now)s
                ORDER BY e.due_at DESC LIMIT %(often)s
            ) lately
        ) counted
        WHERE counted.ended >= %(often)s
    )
    INSERT INTO cases_step (notice_id, code, due_at, sooner, owner, channel)
    SELECT clock.notice_id, rung.next,
           CASE WHEN why.sooner = '' THEN clock.notified_at + make_interval(secs => clock.term_s * rung.terms)
                ELSE greatest(clock.notified_at + make_interval(secs => clock.term_s * rung.sooner_terms),
                              CASE WHEN why.sooner = 'refused' THEN clock.objection_rejected_at END) END,
           why.sooner, rung.owner, rung.channel
    FROM clock
    JOIN unnest(%(after)s::text[], %(next)s::text[], %(terms)s::float8[], %(sooner_terms)s::float8[],
                %(owners)s::text[], %(channels)s::text[]) WITH ORDINALITY
        AS rung (after, next, terms, sooner_terms, owner, channel, place) ON rung.after = clock.code
    LEFT JOIN often ON often.provider_id = clock.provider_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN rung.sooner_terms IS NULL THEN ''
                    WHEN clock.objection_rejected_at IS NOT NULL THEN 'refused'
                    WHEN often.provider_id IS NOT NULL THEN 'often' ELSE '' END AS sooner
    ) why
    ORDER BY clock.notice_id, rung.place
    ON CONFLICT DO NOTHING
"""
