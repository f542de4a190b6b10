"""Whose turn it is: one hand-over at a time per contact, no faster than a contact and its host can bear.

The rows of `Pace` are also what two workers meet at: whoever chooses for a contact or a host holds its row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from cases.models import Pace
from cases.services.writing import fields_of, write_rows
from providers.models import Contact

#: How long all messages for a contact rest after its nth failure in a row. Urgent ones do not wait for it.
RESTS: Final = (timedelta(minutes=1), timedelta(minutes=5))
#: A longer wait that a server asks for is cut off: a notice is about a crime, and alarms ring before that.
LONGEST_WAIT: Final = timedelta(hours=1)
#: So many contacts are considered in one choice.
CONSIDERED: Final = 1_000

#: The next message of each contact that has one due and none in anybody's hands; in order of turn.
_NEXT: Final = """
    WITH RECURSIVE waits (contact_id) AS (
        (SELECT contact_id FROM cases_dispatch WHERE state = 'pending' ORDER BY contact_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.contact_id FROM cases_dispatch d WHERE d.state = 'pending' AND d.contact_id > w.contact_id
                ORDER BY d.contact_id LIMIT 1)
        FROM waits w WHERE w.contact_id IS NOT NULL
    )
    SELECT d.id, w.contact_id, c.channel, c.address
    FROM waits w
    JOIN providers_contact c ON c.id = w.contact_id
    LEFT JOIN cases_pace p ON p.name = 'contact:' || w.contact_id
    CROSS JOIN LATERAL (
        SELECT d.id, d.urgent, d.next_attempt_at FROM cases_dispatch d
        WHERE d.contact_id = w.contact_id AND d.state = 'pending' AND d.next_attempt_at <= %(now)s
          AND (d.approval_reason = '' OR d.approved_by <> '')
          AND (d.leased_until IS NULL OR d.leased_until <= %(now)s)
        ORDER BY d.urgent DESC, d.next_attempt_at, d.id LIMIT 1
    ) d
    WHERE (p.rests_until IS NULL OR p.rests_until <= %(now)s OR (d.urgent AND NOT p.asked))
      AND (p.paid_until IS NULL OR p.paid_until <= %(paid)s)
      AND NOT EXISTS (SELECT FROM cases_dispatch h WHERE h.contact_id = w.contact_id AND h.state = 'pending'
                          AND h.leased_until > %(now)s)
    ORDER BY d.urgent DESC, p.served_at NULLS FIRST, d.next_attempt_at, d.id
    LIMIT %(considered)s
"""


@dataclass(frozen=True)
class Turn:
    """A message that may go now, and the locked accounts that it was written on."""

    dispatch_id: int
    accounts: tuple[Pace, ...]


def host_of(channel: str, address: str) -> str:
    """The host that a contact is reached at: the domain of a mail address, the host of a webhook."""
    if channel == Contact.Channel.SMTP:
        return address.rpartition("@")[2].strip().lower()
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def turns(*, now: datetime, limit: int) -> Iterator[list[Turn]]:
    """Whose turn it is, in order, in handfuls of `limit`; call inside a transaction. Contacts that another worker
    chooses for at this moment are left to it."""
    rate = settings.HOST.send_per_contact
    paid = now + rate.per - rate.per / rate.count if rate.count else datetime.max.replace(tzinfo=now.tzinfo)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"now": now, "paid": paid, "considered": CONSIDERED})
        waiting: list[tuple[int, int, str, str]] = cursor.fetchall()
    for start in range(0, len(waiting), limit):
        yield list(_admitted(waiting[start : start + limit], now=now))


def _admitted(waiting: Sequence[tuple[int, int, str, str]], *, now: datetime) -> Iterator[Turn]:
    hosts = {row[1]: host_of(row[2], row[3]) for row in waiting}
    names = {
        contact: (f"contact:{contact}", *([f"host:{host}"] if host else []))
        for contact, host in hosts.items()
    }
    held = _hold([name for both in names.values() for name in both])
    for dispatch_id, contact_id, _channel, _address in waiting:
        accounts = tuple(held[name] for name in names[contact_id] if name in held)
        if len(accounts) == len(names[contact_id]) and all(
            _is_open(account, now=now) for account in accounts
        ):
            for account in accounts:
                count, per = rate_of(account)
                account.pay(count=count, per=per, now=now)
            yield Turn(dispatch_id, accounts)


def rate_of(account: Pace) -> tuple[int, timedelta]:
    """So many in so long, by the setting that an account is kept by; 0 is no limit."""
    of_host = account.name.startswith("host:")
    rate = settings.HOST.send_per_host if of_host else settings.HOST.send_per_contact
    return rate.count, rate.per


def _is_open(account: Pace, *, now: datetime) -> bool:
    count, per = rate_of(account)
    free_at = account.free_at(count=count, per=per)
    return free_at is None or free_at <= now


def _hold(names: Sequence[str]) -> dict[str, Pace]:
    """The rows of those names, locked; new ones are added. Rows in other hands are left out."""
    wanted = sorted(set(names))
    rows = Pace.objects.select_for_update(skip_locked=True).order_by("name")
    held = {row.name: row for row in rows.filter(name__in=wanted)}
    if missing := [name for name in wanted if name not in held]:
        Pace.objects.bulk_create([Pace(name=name) for name in missing], ignore_conflicts=True)
        held |= {row.name: row for row in rows.filter(name__in=missing)}
    return held


def keep(taken: Sequence[Turn]) -> None:
    """Write down what goes on the accounts."""
    accounts = {account.name: account for turn in taken for account in turn.accounts}
    write_rows(list(accounts.values()), fields_of(Pace, "paid_until", "served_at"))


def rest(contact_id: int, *, asked: timedelta | None, jitter: float, now: datetime) -> datetime | None:
    """A failure of a contact's server: its other messages rest as well, longer when it fails again.

    `asked`: how long it asked us to wait. Returns until when, if it did.
    """
    pace, _is_new = Pace.objects.select_for_update().get_or_create(name=f"contact:{contact_id}")
    pace.failures += 1
    pace.asked = asked is not None
    pause = RESTS[min(pace.failures, len(RESTS)) - 1] * jitter if asked is None else min(asked, LONGEST_WAIT)
    pace.rests_until = now + pause
    pace.save(update_fields=["failures", "asked", "rests_until"])
    return pace.rests_until if pace.asked else None


def recover(contact_ids: Sequence[int]) -> None:
    """Their servers take messages again."""
    names = [f"contact:{contact_id}" for contact_id in contact_ids]
    Pace.objects.filter(name__in=names, failures__gt=0).update(failures=0, asked=False, rests_until=None)
