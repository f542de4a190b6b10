"""The invariants I1 to I18, asked of the database as it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection

from accounts.rows import ROLE
from audit.chain import first_break


@dataclass(frozen=True)
class Finding:
    """`broken` is None when nothing in the database can answer (`says` tells who does)."""

    code: str
    says: str
    broken: bool | None


@dataclass(frozen=True)
class Invariant:
    """`sql` returns the references that break it, at most ten; parameters are named."""

    code: str
    says: str
    sql: str


_GRACE_S: Final = 120

INVARIANTS: Final = (
    Invariant(
        "I1",
        "a report with a receipt is whole in the database",
        """SELECT r.reference FROM cases_report r WHERE r.finished_at IS NOT NULL
           AND r.total <> (SELECT count(*) FROM cases_reportline l WHERE l.report_id = r.id)""",
    ),
    Invariant(
        "I2",
        "every approved notice waits with a visible reason, or is accepted, parked or withdrawn",
        """SELECT n.reference FROM cases_notice n
           LEFT JOIN LATERAL (
               SELECT count(*) AS lines FROM cases_dispatchline l JOIN cases_dispatch d ON d.id = l.dispatch_id
               WHERE l.notice_id = n.id AND l.step = 'first' AND l.dropped_because = ''
                 AND d.state IN ('pending', 'parked', 'relayed', 'accepted')
           ) waiting ON true
           WHERE n.assessed_at IS NOT NULL AND n.state = 'received'
             AND ((n.routed_at IS NULL AND waiting.lines <> 0) OR (n.routed_at IS NOT NULL AND waiting.lines <> 1))""",
    ),
    Invariant(
        "I3",
        "one contact hears of one step of a notice once, and what was accepted was so at one of its attempts",
        """SELECT n.reference FROM cases_dispatchline l JOIN cases_notice n ON n.id = l.notice_id
           WHERE l.dropped_because = '' GROUP BY n.reference, l.contact_id, l.step HAVING count(*) > 1
           UNION ALL
           SELECT d.number FROM cases_dispatch d JOIN cases_dispatchline l ON l.dispatch_id = d.id
           WHERE l.dropped_because = '' AND l.contact_id <> d.contact_id
           UNION ALL
           SELECT d.number FROM cases_dispatch d WHERE d.state IN ('relayed', 'accepted')
             AND EXISTS (SELECT 1 FROM cases_attempt a WHERE a.dispatch_id = d.id)
             AND NOT EXISTS (SELECT 1 FROM cases_attempt a WHERE a.dispatch_id = d.id AND a.accepted)""",
    ),
    Invariant(
        "I4",
        "nothing was accepted by a contact before it was approved",
        """SELECT d.number FROM cases_dispatch d JOIN providers_contact c ON c.id = d.contact_id
           WHERE d.accepted_at IS NOT NULL AND (c.approved_at IS NULL OR c.approved_at > d.accepted_at)""",
    ),
    Invariant(
        "I5",
        "no clock runs without evidence of acceptance, nor on the word of a message that came back",
        """SELECT n.reference FROM cases_notice n WHERE n.notified_at IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM cases_dispatchline l JOIN cases_dispatch d ON d.id = l.dispatch_id
               WHERE l.notice_id = n.id AND l.step = 'first' AND d.accepted_at = n.notified_at AND d.evidence <> ''
                 AND (d.state <> 'bounced' OR n.state NOT IN ('notified', 'escalated')
                   OR EXISTS (SELECT 1 FROM cases_reply r WHERE r.notice_id = n.id)
                   OR EXISTS (SELECT 1 FROM cases_replymail m WHERE m.dispatch_id = d.id AND m.kind = 'answer'
                       AND m.from_provider)
                   OR EXISTS (SELECT 1 FROM audit_event e WHERE e.subject = 'notice' AND e.subject_id = n.id
                       AND e.act = 'show')
                   OR EXISTS (SELECT 1 FROM cases_step t JOIN cases_call_steps c ON c.step_id = t.id
                       JOIN cases_call k ON k.id = c.call_id
                       WHERE t.notice_id = n.id AND k.outcome IN ('promised', 'reached', 'refused'))
                   OR EXISTS (SELECT 1 FROM cases_dispatchline o JOIN cases_dispatch p ON p.id = o.dispatch_id
                       WHERE o.notice_id = n.id AND o.step = 'first' AND o.dropped_because = ''
                         AND p.state = 'accepted')))
           AND NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.subject = 'notice' AND e.subject_id = n.id
               AND e.became = 'notified' AND (e.actor LIKE 'user:%%' OR e.actor LIKE 'key:%%' OR e.actor LIKE 'link:%%'))""",
    ),
    Invariant(
        "I6",
        "no step fired early, and none that is due was left behind",
        """SELECT n.reference FROM cases_step s JOIN cases_notice n ON n.id = s.notice_id
           WHERE (s.taken_at < s.due_at AND s.outcome <> 'overtaken')
              OR (s.taken_at IS NULL AND s.waits_for = '' AND s.due_at < %(now)s - %(grace)s * interval '1 s')
           UNION ALL
           SELECT reference FROM cases_notice
           WHERE state = 'notified' AND due_at < %(now)s - %(grace)s * interval '1 s'""",
    ),
    Invariant(
        "I7",
        "no reminder after removal or withdrawal, nor without a recent sighting or a supervisor's yes",
        """SELECT n.reference FROM cases_dispatchline l
           JOIN cases_dispatch d ON d.id = l.dispatch_id JOIN cases_notice n ON n.id = l.notice_id
           WHERE d.kind = 'reminder' AND l.dropped_because = '' AND (
               (n.removed_at IS NOT NULL AND d.created_at > n.removed_at)
               OR (n.state = 'withdrawn' AND d.created_at > n.closed_at)
               OR (NOT EXISTS (SELECT 1 FROM cases_sighting s WHERE s.notice_id = n.id AND s.outcome = 'online'
                       AND s.seen_at BETWEEN d.created_at - %(sighting)s * interval '1 s' AND d.created_at)
                   AND NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.subject = 'notice' AND e.subject_id = n.id
                       AND e.act = 'send_anyway')))""",
    ),
    Invariant(
        "I8",
        "every state is the one that the last audit row says",
        """SELECT n.reference FROM cases_notice n WHERE n.state IS DISTINCT FROM (
               SELECT e.became FROM audit_event e WHERE e.subject = 'notice' AND e.subject_id = n.id AND e.became <> ''
               ORDER BY e.id DESC LIMIT 1)
           UNION ALL
           SELECT d.number FROM cases_dispatch d WHERE d.state IS DISTINCT FROM (
               SELECT e.became FROM audit_event e WHERE e.subject = 'dispatch' AND e.subject_id = d.id
                   AND e.became <> '' ORDER BY e.id DESC LIMIT 1)""",
    ),
    Invariant(
        "I9",
        "the database keeps what a provider or its key asks for among its own rows",
        # What leads to nothing belongs to no provider; every other table that the role may read is closed.
        f"""SELECT 'the role {ROLE}' WHERE NOT EXISTS (
               SELECT FROM pg_roles WHERE rolname = '{ROLE}' AND NOT (rolcanlogin OR rolsuper OR rolbypassrls))
           UNION ALL
           SELECT DISTINCT t.relname::text FROM pg_class t CROSS JOIN LATERAL aclexplode(t.relacl) given
           WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace
             AND (given.grantee = 0 OR pg_get_userbyid(given.grantee) = '{ROLE}')
             AND EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = t.oid AND f.contype = 'f')
             AND NOT (t.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid))""",  # noqa: S608 - a name of our own
    ),
    Invariant(
        "I10",
        "no URL stands in the audit, in a subject or in a server's answer",
        """SELECT 'event ' || id FROM audit_event WHERE data::text ~* '(https?|hxxps?)://'
           UNION ALL SELECT number FROM cases_dispatch
               WHERE subject ~* '(https?|hxxps?)://'
           UNION ALL SELECT 'attempt ' || a.id FROM cases_attempt a
               WHERE a.answer ~* '(https?|hxxps?)://'""",
    ),
    Invariant(
        "I12",
        "the outcomes of a report add up to its lines, and what is kept of one that is not read is its rest",
        """SELECT r.reference FROM cases_report r WHERE r.finished_at IS NOT NULL AND r.total <> (
               SELECT count(*) FILTER (WHERE l.outcome IN ('new', 'duplicate', 'reappeared', 'rejected', 'quarantined'))
               FROM cases_reportline l WHERE l.report_id = r.id)
           UNION ALL
           SELECT r.reference FROM cases_report r JOIN cases_unread u ON u.report_id = r.id
           GROUP BY r.id HAVING min(u.first) > r.done + 1 OR max(u.last) <> r.total
               OR sum(u.last - u.first + 1) <> max(u.last) - min(u.first) + 1 OR r.finished_at IS NOT NULL""",
    ),
    Invariant(
        "I13",
        "no number was given out that the series does not know of, and what may have gone before a backup was put back"
        " did not go again without a person's yes",
        """SELECT number FROM cases_dispatch, cases_dispatch_number s
           WHERE split_part(number, '-', 3)::bigint > s.last_value
           UNION ALL
           SELECT d.number FROM cases_dispatch d JOIN cases_dispatchline l ON l.dispatch_id = d.id
           JOIN cases_notice n ON n.id = l.notice_id JOIN cases_place p ON n.received_at <= p.doubted_until
           WHERE d.kind = 'first' AND l.dropped_because = '' AND d.created_at > p.since AND d.approved_by = ''
             AND d.state IN ('relayed', 'accepted')""",
    ),
    Invariant(
        "I14",
        "received <= assessed <= sent <= notified < due, and due is t0 plus the rule's term",
        """SELECT n.reference FROM cases_notice n LEFT JOIN cases_deadlinerule r ON r.id = n.rule_id
           WHERE n.assessed_at < n.received_at OR n.sent_at < n.assessed_at OR n.notified_at < n.sent_at
              OR n.due_at <= n.notified_at OR n.due_at IS DISTINCT FROM n.notified_at + r.term""",
    ),
    Invariant(
        "I16",
        "nobody judged a notice a second time who had judged it before, nor decided between judgements of their own",
        """SELECT n.reference FROM cases_secondlook l JOIN cases_notice n ON n.id = l.notice_id
           LEFT JOIN cases_assessment s ON s.id = l.second_id LEFT JOIN cases_assessment d ON d.id = l.lead_id
           WHERE EXISTS (SELECT 1 FROM cases_assessment a WHERE a.notice_id = l.notice_id
               AND ((a.assessor_id = s.assessor_id AND a.id < s.id) OR (a.assessor_id = d.assessor_id AND a.id < d.id)))""",
    ),
    Invariant(
        "I17",
        "national law was sent only after a second person judged the same or the lead decided",
        # What was judged before there were second judgements is no breach: version 1 of the words came with them.
        """SELECT n.reference FROM cases_notice n
           JOIN LATERAL (
               SELECT a.legal_class FROM cases_assessment a
               WHERE a.notice_id = n.id AND a.at <= n.sent_at ORDER BY a.at DESC, a.id DESC LIMIT 1
           ) judged ON judged.legal_class = 'national'
           WHERE n.sent_at IS NOT NULL AND n.sent_at > (SELECT in_force_at FROM cases_vocabulary WHERE version = 1)
             AND NOT EXISTS (SELECT 1 FROM cases_secondlook l WHERE l.notice_id = n.id AND l.settled_at <= n.sent_at
                 AND l.outcome IN ('agreed', 'first', 'second', 'third'))""",
    ),
    Invariant(
        "I18",
        "whoever has a withdrawn notice in hand was told so, or will be",
        # Before there were words for it nobody was told: version 1 of them came with the telling.
        """SELECT DISTINCT n.reference FROM cases_notice n
           JOIN cases_dispatchline l ON l.notice_id = n.id AND l.dropped_because = ''
           JOIN cases_dispatch d ON d.id = l.dispatch_id AND d.kind IN ('first', 'reminder')
                AND d.state IN ('relayed', 'accepted')
           WHERE n.state = 'withdrawn' AND n.closed_at > (
               SELECT in_force_at FROM cases_messagetemplate
               WHERE kind = 'withdrawal' AND language = 'en' AND version = 1)
             AND NOT EXISTS (SELECT 1 FROM cases_dispatchline t
                 WHERE t.notice_id = n.id AND t.contact_id = l.contact_id AND t.step = 'withdrawal-1')""",
    ),
)

#: What no query over one database can show, and where it is shown instead.
_ELSEWHERE: Final = {
    "I11": "the same Idempotency-Key gives the same answer (held by a constraint, shown by the tests)",
    "I15": "a frozen dossier or period reproduces bit for bit (nothing is frozen yet)",
}


def verify(progress: Callable[[Finding], None], *, now: datetime) -> bool:
    """Ask every invariant and the audit's chain; False when one is broken."""
    whole = True
    for code in sorted([*_ELSEWHERE, *(each.code for each in INVARIANTS)], key=lambda code: int(code[1:])):
        finding = _ask(code, now)
        whole = whole and not finding.broken
        progress(finding)
    return whole


def _ask(code: str, now: datetime) -> Finding:
    if code in _ELSEWHERE:
        return Finding(code, _ELSEWHERE[code], None)
    invariant = next(each for each in INVARIANTS if each.code == code)
    parameters: dict[str, datetime | float] = {
        "now": now,
        "grace": _GRACE_S,
        "sighting": settings.HOST.sighting_max_age.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({invariant.sql}) broken (reference) LIMIT 10", parameters)  # noqa: S608
        broken = [str(row[0]) for row in cursor.fetchall()]
    if code == "I8" and not broken and (found := first_break()) is not None:
        return Finding(code, f"the audit's chain is broken at event {found.event_id}: {found.what}", True)
    return Finding(code, f"{invariant.says}: {', '.join(broken)}" if broken else invariant.says, bool(broken))
