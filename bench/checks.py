"""W4: 500 due checks are handed out of many that are watched, and 500 sightings are taken.

Limit: the bare SQL that cannot be done without: the rows locked, marked and read with their addresses; the sightings
added and the notices moved on. Naive: a query, a lock, a save and a row each, in a transaction each. As a figure: how
long the pages of W5 take beside 5,000 sightings a minute.
"""

import multiprocessing
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from audit.record import Actor, record
from bench import history, pages, world
from bench.measure import Ratio, Workload, measure_in_turn
from cases import removal
from cases.models import Content, Notice, Sighting
from cases.services import due_checks, figures, observe
from cases.services.observe import Seen

BATCH = 500
BY = Actor("key", "1")
RUNS = 7
#: Rows of the naive way that are measured.
FEW = 100
#: Sightings a minute beside the pages, and how many come together.
WANTED, REPORT = 5_000, 100


def run(rows: int) -> Workload:
    """Measure at `rows` watched notices."""
    made = Workload(4, "checks", {"watched": rows, "batch": BATCH})
    world.fill(rows, due=0)
    _watch()
    world.vacuum()
    lease_limit, lease = measure_in_turn((_bare_lease, _give_back), (_lease, _give_back), runs=RUNS)
    _give_back()
    lease_naive = _each(_naive_lease)
    batches = _Batches()
    take_limit, take = measure_in_turn((batches.bare, batches.turn), (batches.ours, batches.turn), runs=RUNS)
    batches.turn()
    take_naive = _each(batches.naive)
    made.times |= {
        "lease, limit: bare SQL": lease_limit,
        "lease, ours": lease,
        "take, limit: bare SQL": take_limit,
        "take, ours": take,
    }
    made.ratios["lease: limit / ours"] = Ratio(lease_limit.median / lease.median, 0.3)
    made.ratios["lease: naive / ours"] = Ratio(lease_naive * BATCH / lease.median, 15)
    made.ratios["take: limit / ours"] = Ratio(take_limit.median / take.median, 0.3)
    made.ratios["take: naive / ours"] = Ratio(take_naive * BATCH / take.median, 15)
    made.notes.append(
        f"ours: {BATCH / lease.median:,.0f} leases/s and {BATCH / take.median:,.0f} sightings/s on one connection"
    )
    made.notes.append(f"naive: {1 / lease_naive:,.0f} leases/s and {1 / take_naive:,.0f} sightings/s")
    made.notes.append(_beside_the_pages(rows))
    return made


def _make_due() -> None:
    """Everything is watched; a tenth has been due for up to five minutes."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        world.guards(cursor, "DISABLE")
        cursor.execute(
            "UPDATE cases_notice SET last_seen_online_at = %(now)s::timestamptz - interval '1 h', next_check_at ="
            " %(now)s::timestamptz + (CASE WHEN id %% 10 = 0 THEN -(id %% 300) ELSE 60 + id %% 3540 END) * interval '1 s'",
            {"now": world.NOW},
        )
        world.guards(cursor, "ENABLE")
        cursor.execute("VACUUM (ANALYZE) cases_notice")
        cursor.execute("RESET statement_timeout")


def _watch() -> None:
    """Everything has been looked at before. The addresses of what is handed out are really sealed: they are opened."""
    _make_due()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            "INSERT INTO cases_sighting"
            " (notice_id, seen_at, outcome, http_status, digest, vantage, note, recorded_at, by)"
            " SELECT id, %s::timestamptz - h * interval '1 h', 'online', 200, '', 'bench', '', %s, 'key:1'"
            " FROM cases_notice, generate_series(1, 3) h",
            [world.NOW, world.NOW],
        )
        cursor.execute(
            "SELECT content_id FROM cases_notice WHERE next_check_at <= %s ORDER BY next_check_at, id LIMIT %s",
            [world.NOW, 2 * BATCH],
        )
        ids: list[UUID] = [row[0] for row in cursor.fetchall()]
        sealed = [Content.url.sealed(str(pk), f"https://img.forum.example/g/{pk}.jpg") for pk in ids]
        cursor.execute(
            "UPDATE cases_content c SET url_sealed = s.url FROM unnest(%s::uuid[], %s::bytea[]) s (id, url)"
            " WHERE c.id = s.id",
            [ids, sealed],
        )
        cursor.execute("VACUUM (ANALYZE) cases_sighting")
        cursor.execute("RESET statement_timeout")


def _each(act: Callable[[Notice], None]) -> float:
    """Seconds for each of FEW due notices."""
    due = list(Notice.objects.checks_due(now=world.NOW).order_by("next_check_at", "pk")[:FEW])
    began = time.perf_counter()
    for notice in due:
        act(notice)
    return (time.perf_counter() - began) / FEW


# -- handing out -----------------------------------------------------------------------------------------


def _give_back() -> None:
    with connection.cursor() as cursor:
        world.guards(cursor, "DISABLE")
        cursor.execute(
            "UPDATE cases_notice SET check_leased_until = NULL WHERE next_check_at <= %s"
            " AND check_leased_until IS NOT NULL",
            [world.NOW],
        )
        world.guards(cursor, "ENABLE")
        cursor.execute("VACUUM cases_notice")


def _lease() -> None:
    handed_out = len(due_checks.lease_checks(limit=BATCH, vantage="bench", by=BY, now=world.NOW))
    if handed_out != BATCH:
        raise RuntimeError(f"{handed_out} handed out")


def _bare_lease() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "WITH due AS MATERIALIZED (SELECT id FROM cases_notice WHERE next_check_at <= %(now)s"
            " AND (check_leased_until IS NULL OR check_leased_until <= %(now)s)"
            " ORDER BY next_check_at, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)"
            " UPDATE cases_notice n SET check_leased_until = %(until)s FROM due, cases_content c"
            " WHERE n.id = due.id AND c.id = n.content_id RETURNING n.reference, c.url_sealed",
            {"now": world.NOW, "until": world.NOW + timedelta(minutes=5), "limit": BATCH},
        )
        cursor.fetchall()


def _naive_lease(notice: Notice) -> None:
    """As one would write it at first."""
    with transaction.atomic():
        locked = Notice.objects.select_for_update().get(pk=notice.pk)
        locked.check_leased_until = world.NOW + timedelta(minutes=5)
        locked.save()
    Sighting.objects.filter(notice=locked, outcome="online").exclude(digest="").order_by("seen_at").first()
    due_checks.Check(locked.reference, locked.content.url, "", world.NOW)


# -- taking ----------------------------------------------------------------------------------------------


class _Batches:
    """500 sightings at a time, each batch of other rows, so that none is known and all have been due."""

    def __init__(self) -> None:
        self._turns = self._at = 0
        self.seen: list[Seen] = []

    def turn(self) -> None:
        """The next rows; after the last the first again, due again."""
        self._turns += 1
        rows = self._next()
        if len(rows) < BATCH:
            self._at = 0
            _make_due()
            rows = self._next()
        self._at = rows[-1][0]
        at = world.NOW + timedelta(microseconds=self._turns)
        self.seen = [Seen(reference, at, "online", "bench", http_status=200) for _pk, reference in rows]

    def _next(self) -> list[tuple[int, str]]:
        due = Notice.objects.filter(next_check_at__lte=world.NOW, pk__gt=self._at).order_by("pk")
        return list(due.values_list("pk", "reference")[:BATCH])

    def ours(self) -> None:
        """The service behind the API."""
        taken = observe.observe(sightings=self.seen, by=BY, now=world.NOW)
        if {each.outcome for each in taken} != {"recorded"}:
            raise RuntimeError("not all were recorded")

    def bare(self) -> None:
        """The rows added, the notices found by their references, locked and moved on, and nothing concluded."""
        seen = self.seen
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "WITH due AS MATERIALIZED (SELECT id, reference FROM cases_notice WHERE reference = ANY(%s)"
                " ORDER BY id FOR UPDATE), kept AS (INSERT INTO cases_sighting"
                " (notice_id, seen_at, outcome, http_status, digest, vantage, note, recorded_at, by)"
                " SELECT due.id, s.seen_at, s.outcome, 200, '', 'bench', '', %s, 'key:1'"
                " FROM unnest(%s::varchar[], %s::timestamptz[], %s::varchar[]) s (reference, seen_at, outcome)"
                " JOIN due USING (reference))"
                " UPDATE cases_notice n SET next_check_at = %s, check_leased_until = NULL, last_seen_online_at = %s"
                " FROM due WHERE n.id = due.id",
                [
                    [each.reference for each in seen],
                    world.NOW,
                    [each.reference for each in seen],
                    [each.seen_at for each in seen],
                    [each.outcome for each in seen],
                    world.NOW + timedelta(hours=1),
                    world.NOW,
                ],
            )

    def naive(self, notice: Notice) -> None:
        """As one would write it at first: ask, lock, add, read what was seen, conclude, save and record."""
        with transaction.atomic():
            locked = Notice.objects.select_related("rule").select_for_update(of=("self",)).get(pk=notice.pk)
            if Sighting.objects.filter(notice=locked, seen_at=world.NOW, vantage="naive").exists():
                return
            Sighting.objects.create(
                notice=locked, seen_at=world.NOW, outcome="online", http_status=200, vantage="naive",
                recorded_at=world.NOW, by=str(BY),
            )  # fmt: skip
            looks = list(Sighting.objects.filter(notice=locked).order_by("seen_at", "pk"))
            removal.gone_since(looks, observe.removal_rule())
            locked.last_seen_online_at = looks[-1].seen_at
            locked.next_check_at, locked.check_leased_until = world.NOW + timedelta(hours=1), None
            locked.version += 1
            locked.save()
            record("observe", "notice", locked.pk, by=BY, at=world.NOW)


# -- beside the pages ------------------------------------------------------------------------------------


def _beside_the_pages(rows: int) -> str:
    """How many sightings a minute are taken while ten readers walk the pages of W5, and how long those wait."""
    call_command("collectstatic", "--noinput", verbosity=0)
    now = timezone.now()
    history.fill(rows, now=now)
    figures.keep(now=now)
    chosen = pages.addresses(now)
    alone = _p95_ms(pages.under_load(chosen, pause=0.0))
    connections.close_all()
    context = multiprocessing.get_context("fork")
    done, ends = context.Value("q", 0), context.Event()
    reporter = context.Process(target=_report, args=(done, ends))
    reporter.start()
    began = time.perf_counter()
    beside = _p95_ms(pages.under_load(chosen, pause=0.0))
    minute = done.value / (time.perf_counter() - began) * 60
    ends.set()
    reporter.join()
    return (
        f"{minute:,.0f} sightings a minute beside ten readers: p95 of their pages {beside:,.0f} ms,"
        f" {alone:,.0f} ms without"
    )


def _report(done: Any, ends: Any) -> None:
    """Report at the pace that is wanted, as a few checkers would."""
    watched = list(Notice.objects.open().order_by("pk").values_list("reference", flat=True)[: 100 * REPORT])
    began = time.perf_counter()
    while not ends.is_set():
        now, turn = timezone.now(), done.value % max(len(watched) - REPORT, 1)
        seen = [Seen(each, now, "online", "bench") for each in watched[turn : turn + REPORT]]
        observe.observe(sightings=seen, by=BY, now=now)
        done.value += len(seen)
        ends.wait(max(done.value * 60 / WANTED - (time.perf_counter() - began), 0))


def _p95_ms(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.95)] * 1000
