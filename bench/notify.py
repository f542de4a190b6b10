"""W3: approved notices leave: 10,000 for 50 contacts, and 1,000 for as many.

Limit: the same messages, made beforehand, over one reused SMTP connection. Naive: as one would write it at first,
each notice by itself: looked up, put into words, a connection, `save()` and an audit row. Ours: the pass of the
sweep, from claiming to the last commit: looked at again, made, handed over, clocks and ladder begun, audited. The
mail server is a program of its own, as everywhere.

Much of ours is rows, which no mail server writes: "SMTP and bare rows" adds to the limit the bare statements for
the rows that acceptance must write.
"""

import dataclasses
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.policy import SMTP

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.record import Actor, record
from bench import world
from bench.measure import Ratio, Spread, Workload, measure_in_turn
from cases import url as urls
from cases.clock import database_now
from cases.formats import mail, text
from cases.models import Content, Dispatch, DispatchLine, Notice, Step
from cases.services.enqueue import FIRST
from cases.services.letters import letter_of
from cases.services.rules import rule_at
from cases.services.sending import deliver_due
from providers.models import Attribution, Contact, Provider
from providers.sources.resolver import NoResolver
from takedown.env import Mail

BY = Actor.system("bench")
NOTICES, CONTACTS, SINGLE = 10_000, 50, 1_000
NAIVE = 200


def run(rows: int) -> Workload:
    """Measure both shapes among `rows` notices of others."""
    made = Workload(
        3, "notify", {"notices": rows, "approved": NOTICES, "contacts": CONTACTS, "single": SINGLE}
    )
    with _mail_server() as port:
        _measure(made, "50 contacts", rows, port, contacts=CONTACTS, each=NOTICES // CONTACTS)
        _measure(made, "1,000 x 1", rows, port, contacts=SINGLE, each=1)
    return made


def _measure(made: Workload, name: str, rows: int, port: int, *, contacts: int, each: int) -> None:
    ids = _fill(rows, contacts=contacts, each=each)
    ready = _ready_made()
    count = contacts * each
    limit, bare, ours = measure_in_turn(
        (lambda: _limit(ready, port), _restore),
        (lambda: _bare_rows(ids), _restore),
        (lambda: _ours(count), _restore),
    )
    _restore()
    began = time.perf_counter()
    _naive(ids[:NAIVE], port)
    naive = (time.perf_counter() - began) / NAIVE * count
    floor = limit.median + bare.median
    made.times |= {
        f"{name}: limit, ready messages": limit,
        f"{name}: bare rows": bare,
        f"{name}: ours": ours,
    }
    made.ratios[f"{name}: limit / ours"] = Ratio(limit.median / ours.median, 0.5)
    made.ratios[f"{name}: SMTP and bare rows / ours"] = Ratio(floor / ours.median, 0.5)
    made.ratios[f"{name}: naive / ours"] = Ratio(naive / ours.median, 10)
    made.notes.append(
        f"{name}: ours {_rate(len(ready), ours)} messages/s, {_rate(count, ours)} notices/s;"
        f" limit {_rate(len(ready), limit)} messages/s; naive {count / naive:,.0f} notices/s"
    )


def _rate(count: int, spread: Spread) -> str:
    return f"{count / spread.median:,.0f}"


@contextmanager
def _mail_server() -> Iterator[int]:
    """The port of a mail server, which is our relay for as long."""
    server = subprocess.Popen([sys.executable, "-m", "bench.sink"], stdout=subprocess.PIPE, text=True)
    before = settings.HOST
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        settings.HOST = dataclasses.replace(
            before, mail=Mail("127.0.0.1", port, "", "", ""), relay_is_final_hop=True
        )
        yield port
    finally:
        settings.HOST = before
        server.terminate()
        server.wait(10)


# -- the world --------------------------------------------------------------------------------------------


def _fill(rows: int, *, contacts: int, each: int) -> list[int]:
    """`each` notices on a message that is due now, for each of `contacts`. Returns the notices' ids."""
    world.fill(rows, due=0)
    now = timezone.now()
    with connection.cursor() as cursor:
        world.guards(cursor, "DISABLE")
        providers = Provider.objects.bulk_create(
            Provider(code=f"hoster-{i}", name=f"Hoster {i}", kind="hoster", country="NL", language="en")
            for i in range(contacts)
        )
        known = Contact.objects.bulk_create(
            Contact(
                provider=provider,
                channel="smtp",
                mode="portal",
                address=f"abuse@{provider.code}.example",
                approved_at=now - timedelta(days=9),
                known_since=now - timedelta(days=8),
            )
            for provider in providers
        )
        places = Attribution.objects.bulk_create(_place(provider, now) for provider in providers)
        notices = [
            _notice(i, provider, place, now)
            for i, (provider, place) in enumerate(
                (provider, place)
                for provider, place in zip(providers, places, strict=True)
                for _count in range(each)
            )
        ]
        Content.objects.bulk_create([notice.content for notice in notices], batch_size=5_000)
        Notice.objects.bulk_create(notices, batch_size=5_000)
        dispatches = Dispatch.objects.bulk_create(
            Dispatch(
                number=f"NTD-2026-{i:06d}",
                contact=contact,
                kind="first",
                gathering=False,
                message_id=f"<ntd-2026-{i:06d}.bench@hotline.example>",
                token=f"token-{i:06d}",
                created_at=now - timedelta(hours=1),
                next_attempt_at=now - timedelta(minutes=1),
            )
            for i, contact in enumerate(known)
        )
        DispatchLine.objects.bulk_create(
            (
                DispatchLine(
                    dispatch=dispatches[i // each],
                    notice=notice,
                    contact=dispatches[i // each].contact,
                    step=FIRST,
                )
                for i, notice in enumerate(notices)
            ),
            batch_size=5_000,
        )
        world.guards(cursor, "ENABLE")
        cursor.execute("ANALYZE")
    return [notice.pk for notice in notices]


def _place(provider: Provider, now: datetime) -> Attribution:
    place = Attribution(
        host_key=b"",
        addresses=["192.0.2.10"],
        address="192.0.2.10",
        prefix="192.0.2.0/24",
        asn=64500,
        country="NL",
        source=Attribution.Source.NETWORK,
        response_digest=b"",
        at=now,
        by="system:bench",
        provider=provider,
    )
    place.host = "forum.example"
    return place


def _notice(number: int, provider: Provider, place: Attribution, now: datetime) -> Notice:
    parsed = urls.parse(f"https://img{number % 500}.forum.example/g/{number % 997}/{number:08d}.jpg")
    return Notice(
        reference=f"B-{number:010d}",
        content=Content.of(parsed, now=now),
        provider=provider,
        attribution=place,
        legal_class="baseline",
        received_at=now - timedelta(hours=4),
        assessed_at=now - timedelta(hours=3),
        routed_at=now - timedelta(hours=2),
    )


def _restore() -> None:
    """All of it waits in the outbox again."""
    with connection.cursor() as cursor:
        world.guards(cursor, "DISABLE")
        cursor.execute(
            "UPDATE cases_notice SET state = 'received', sent_at = NULL, notified_at = NULL, due_at = NULL,"
            " rule_id = NULL, next_check_at = NULL, notified_estimated = false"
            " WHERE id IN (SELECT notice_id FROM cases_dispatchline)"
        )
        cursor.execute(
            "UPDATE cases_dispatch SET state = 'pending', attempt = 0, accepted_at = NULL, evidence = '',"
            " body_sealed = NULL, body_digest = NULL, leased_until = NULL"
        )
        cursor.execute("TRUNCATE cases_step, cases_attempt, cases_pace, audit_event CASCADE")
        world.guards(cursor, "ENABLE")
        cursor.execute("VACUUM (ANALYZE) cases_notice")
        cursor.execute("VACUUM (ANALYZE) cases_dispatch")


# -- what is measured -------------------------------------------------------------------------------------


def _ready_made() -> list[tuple[str, str, bytes]]:
    """(sender, recipient, bytes) of every message."""
    made = []
    for dispatch in Dispatch.objects.select_related("contact__provider").order_by("pk"):
        notices = list(Notice.objects.filter(dispatch_lines__dispatch=dispatch))
        letter = letter_of(dispatch, notices, now=timezone.now())
        message = mail.message(letter, subject=text.subject(letter), body=text.body(letter))
        made.append(
            (mail.return_path(dispatch.token), dispatch.contact.address, message.as_bytes(policy=SMTP))
        )
    return made


def _limit(ready: list[tuple[str, str, bytes]], port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        for sender, recipient, content in ready:
            server.sendmail(sender, [recipient], content)


def _ours(count: int) -> None:
    deliver_due(resolver=NoResolver(), by=BY, clock=database_now)
    told = Notice.objects.filter(state="notified", dispatch_lines__step=FIRST).count()
    if told != count:
        raise RuntimeError(f"{told} notices are with their providers, {count} should be")


def _bare_rows(ids: list[int]) -> None:
    """What acceptance must write, as bare statements with the guards asleep."""
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        world.guards(cursor, "DISABLE")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_notice n SET state = 'notified', sent_at = %s, notified_at = %s, rule_id = r.id,"
            " due_at = %s + r.term, next_check_at = %s, version = n.version + 1"
            " FROM cases_deadlinerule r WHERE r.version = 1 AND n.id = ANY(%s)",
            [now, now, now, now, ids],
        )
        cursor.execute(
            "INSERT INTO audit_event (at, actor, act, subject, subject_id, was, became)"
            " SELECT %s, 'system:bench', 'notify', 'notice', id, 'received', 'notified' FROM unnest(%s::bigint[]) id",
            [now, ids],
        )
        _bare_steps(ids, now)
        cursor.execute(
            "UPDATE cases_dispatch SET state = 'accepted', accepted_at = %s, evidence = '250 OK', attempt = 1",
            [now],
        )
    with connection.cursor() as cursor:
        world.guards(cursor, "ENABLE")


def _bare_steps(ids: list[int], now: datetime) -> None:
    Step.objects.bulk_create(
        (
            Step(notice_id=pk, code="hint", due_at=now + timedelta(hours=20), owner="notice_desk")
            for pk in ids
        ),
        batch_size=5_000,
    )


def _naive(ids: list[int], port: int) -> None:
    """Each notice by itself, as a task per notice would."""
    for pk in ids:
        notice = Notice.objects.select_related("content", "attribution", "provider").get(pk=pk)
        dispatch = Dispatch.objects.select_related("contact__provider").get(lines__notice=notice)
        letter = letter_of(dispatch, [notice], now=timezone.now())
        message = mail.message(letter, subject=text.subject(letter), body=text.body(letter))
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.sendmail(
                mail.return_path(dispatch.token), [dispatch.contact.address], message.as_bytes(policy=SMTP)
            )
        with transaction.atomic():
            locked = Notice.objects.select_related("rule").select_for_update(of=("self",)).get(pk=pk)
            now = database_now()
            locked.sent_at = now
            locked.notify(at=now, rule=rule_at(now), estimated=True)
            locked.due_at = now + timedelta(hours=24)
            locked.version += 1
            locked.save()
            record("notify", "notice", pk, by=BY, at=now, was="received", became="notified")
            Step.objects.create(
                notice=locked, code="hint", due_at=now + timedelta(hours=20), owner="notice_desk"
            )
