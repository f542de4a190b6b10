"""Telling people of providers by mail what they asked for: a question to the facts since they were last told.

Nothing is written down when something happens: a pass that was missed is made up for by the next, and what happened
once is told once. One mail holds all the news of a reader, so that nobody gets more than one in EVERY.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Q

from accounts.models import ApiKey
from cases.clock import AMSTERDAM
from cases.models import MailChoice, Message, Notice, SystemMail
from cases.services import mail_choices
from cases.services.system_mail import tell_many
from providers.models import Contact, ContactKey

Kind = MailChoice.Kind

#: A reader hears no more often than this (P).
EVERY: Final = timedelta(hours=1)
#: Readers in one pass.
BATCH: Final = 500
#: Notices that came in longer ago than this are not news any more: it bounds what is read (P).
LOOKED_AT: Final = timedelta(days=120)
#: How long before its end a key is told of (P).
AHEAD: Final = timedelta(days=14)
#: The summary goes out from this hour of a Monday on, in Amsterdam.
MONDAY_AT: Final = time(8)

#: kind -> the facts that it tells.
FACTS: Final[dict[str, tuple[str, ...]]] = {
    Kind.NOTICES: ("notices",),
    Kind.OVERDUE: ("overdue",),
    Kind.CLAIMS: ("confirmed", "contradicted"),
    Kind.DISPUTES: ("upheld", "rejected"),
    Kind.MESSAGES: ("messages",),
    Kind.EXPIRING: ("expiring",),
    Kind.CONTACTS: ("contacts",),
}
#: (provider, told up to)
Since = tuple[int, datetime]

_HAPPENED: Final = """
    SELECT w.provider, w.since,
           count(*) FILTER (WHERE n.sent_at > w.since),
           count(*) FILTER (WHERE n.due_at > w.since AND n.due_at <= %(now)s AND n.state IN ('notified', 'escalated')),
           count(*) FILTER (WHERE n.state = 'removed' AND n.removed_at > w.since AND n.claimed_removed_at IS NOT NULL),
           count(*) FILTER (WHERE n.state IN ('notified', 'escalated') AND n.last_seen_online_at > w.since
                                  AND n.last_seen_online_at > n.claimed_removed_at),
           count(*) FILTER (WHERE n.state = 'withdrawn' AND n.closed_because = 'objection_upheld'
                                  AND n.closed_at > w.since),
           count(*) FILTER (WHERE n.objection_rejected_at > w.since)
    FROM unnest(%(providers)s::bigint[], %(sinces)s::timestamptz[]) AS w (provider, since)
    JOIN cases_notice n ON n.provider_id = w.provider AND n.received_at > w.since - %(looked_at)s
    WHERE n.sent_at IS NOT NULL
    GROUP BY 1, 2
"""
_FACTS: Final = ("notices", "overdue", "confirmed", "contradicted", "upheld", "rejected")


def tell_due(*, now: datetime) -> int:
    """Put in the outbox of system mails what readers have not been told; returns for how many readers."""
    mail_choices.begin(now=now)
    with transaction.atomic():
        due = MailChoice.objects.filter(told_at__lte=now - EVERY).exclude(kinds=[])
        choices = list(
            due.select_for_update(of=("self",), skip_locked=True)
            .select_related("user", "contact__provider")
            .order_by("told_at", "pk")[:BATCH]
        )
        happened = _happened({(_provider_of(each), each.told_at) for each in choices}, now=now)
        news = []
        for choice in choices:
            known = happened[_provider_of(choice), choice.told_at]
            wanted = {fact for kind in choice.kinds for fact in FACTS.get(kind, ())}
            facts = {fact: known[fact] for fact in known if fact in wanted and known[fact]}
            if facts and choice.reader is not None:
                news.append((choice, facts))
        tell_many(told=news, about=SystemMail.About.NEWS, now=now)
        told = len(news)
        told += _tell_weeks([each for each in choices if Kind.WEEKLY in each.kinds], now=now)
        MailChoice.objects.filter(pk__in=[choice.pk for choice in choices]).update(told_at=now)
    return told


def _tell_weeks(choices: Sequence[MailChoice], *, now: datetime) -> int:
    monday = latest_monday(now)
    due = [each for each in choices if each.week_told_at < monday and each.reader is not None]
    open_ones: dict[int, Any] = {
        row["provider"]: row
        for row in Notice.objects.filter(provider__in={_provider_of(each) for each in due})
        .unfinished()
        .order_by()
        .values("provider")
        .annotate(
            open=Count("pk"),
            overdue=Count("pk", filter=Q(due_at__lte=now)),
            unanswered=Count("pk", filter=Q(acknowledged_at__isnull=True)),
        )
    }
    weeks: list[tuple[MailChoice, dict[str, int]]] = []
    for choice in due:
        row: dict[str, Any] = open_ones.get(_provider_of(choice), {})
        weeks.append((choice, {name: row.get(name, 0) for name in ("open", "unanswered", "overdue")}))
    tell_many(told=weeks, about=SystemMail.About.WEEKLY, now=now)
    MailChoice.objects.filter(pk__in=[choice.pk for choice in due]).update(week_told_at=now)
    return len(due)


def latest_monday(now: datetime) -> datetime:
    """The last moment at which a summary became due: a Monday at MONDAY_AT in Amsterdam."""
    local = now.astimezone(AMSTERDAM)
    day = local.date() - timedelta(days=local.weekday())
    at = datetime.combine(day, MONDAY_AT, AMSTERDAM)
    return at if at <= now else datetime.combine(day - timedelta(days=7), MONDAY_AT, AMSTERDAM)


def _happened(pairs: Iterable[Since], *, now: datetime) -> defaultdict[Since, dict[str, int]]:
    """(provider, since) -> how much of each fact there was after `since`. A few statements for all."""
    pairs = sorted(pairs)
    found: defaultdict[Since, dict[str, int]] = defaultdict(dict)
    providers = [provider for provider, _since in pairs]
    parameters: dict[str, Any] = {
        "providers": providers,
        "sinces": [since for _provider, since in pairs],
        "looked_at": LOOKED_AT,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HAPPENED, parameters)
        for provider, since, *counts in cursor.fetchall():
            found[provider, since] = dict(zip(_FACTS, counts, strict=True))
    ends: list[tuple[Any, Any]] = [
        *ApiKey.objects.usable(now=now)
        .filter(provider__in=providers, owner__isnull=True, expires_at__lte=now + AHEAD)
        .values_list("provider", "expires_at"),
        *ContactKey.objects.in_use().filter(contact__provider__in=providers, expires_at__range=(now, now + AHEAD))
        .values_list("contact__provider", "expires_at"),
    ]  # fmt: skip
    gone: list[tuple[Any, Any, Any]] = [
        *Contact.objects.filter(provider__in=providers, suspended_at__isnull=False)
        .values_list("provider", "pk", "suspended_at"),
        *Contact.objects.filter(provider__in=providers, health__last_bounced_at__isnull=False)
        .values_list("provider", "pk", "health__last_bounced_at"),
    ]  # fmt: skip
    written: list[tuple[Any, Any]] = list(
        Message.objects.unread().filter(notice__provider__in=providers, at__gt=min((at for _of, at in pairs), default=now))
        .order_by().values_list("notice__provider", "at")
    )  # fmt: skip
    for provider, since in pairs:
        # Told once: when the end comes into sight. Whoever owns a key is warned of its end in any case.
        expiring = len([at for of, at in ends if of == provider and at - AHEAD > since])
        contacts = len({pk for of, pk, at in gone if of == provider and at > since})
        messages = len([at for of, at in written if of == provider and at > since])
        found[provider, since] |= {"messages": messages, "expiring": expiring, "contacts": contacts}
    return found


def _provider_of(choice: MailChoice) -> int:
    """0 of somebody who is of no provider any more."""
    if choice.contact is not None:
        return choice.contact.provider_id
    return (choice.user.provider_id or 0) if choice.user is not None else 0
