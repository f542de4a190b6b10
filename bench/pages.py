"""W5: the pages that somebody waits for, in a table as it is after years of work.

Limit: the very queries of a page, bare, on the same connection: what must be paid anyway. Ours: the whole request
through Django's handler: session, permissions, view, template. In turn, at the size and at a tenth of it.
"""

import multiprocessing
import re
import threading
import time
from datetime import datetime
from functools import partial

from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit import keyset
from bench import history
from bench.measure import Ratio, Spread, Workload, measure_in_turn, nothing
from cases.filters import parsed
from cases.models import Notice
from cases.services import figures

RUNS = 15
READERS, PROCESSES, SECONDS = 10, 5, 8.0
#: How long a person looks at a page before asking for the next.
LOOKS_S = 1.0
DEEP = 1_000
FILTERS = "state=removed&legal_class=baseline"

Pages = dict[str, tuple[int, str]]


def run(rows: int) -> Workload:
    """Measure at a tenth of `rows`, then at `rows`."""
    made = Workload(5, "pages", {"notices": rows, "readers": READERS})
    call_command("collectstatic", "--noinput", verbosity=0)
    few, _bare_few, _pages = _measured(rows // 10)
    many, bare, pages = _measured(rows)
    for name, spread in many.items():
        made.times |= {name: spread, f"  its queries, bare: {name}": bare[name]}
        made.ratios[f"{name}: ours / bare"] = Ratio(spread.median / bare[name].median, 3, at_most=True)
        grown = Ratio(spread.median / few[name].median, 1.3, at_most=True)
        made.ratios[f"{name}: ours / ours among a tenth"] = grown
    first, deep = many["search, page 1"], many[f"search, page {DEEP:,}"]
    made.ratios["page 1,000 / page 1"] = Ratio(deep.median / first.median, 1.3, at_most=True)
    for who, pause in (("ten people, who look at each", LOOKS_S), ("ten readers, who never wait", 0.0)):
        waits = sorted(under_load(pages, pause=pause))
        p95 = waits[int(len(waits) * 0.95)] * 1000
        made.ratios[f"p95 of {who}, ms"] = Ratio(p95, 300, at_most=True)
        made.notes.append(f"{len(waits) / SECONDS:,.0f} pages/s by {who}, from {PROCESSES} processes")
    return made


def _measured(rows: int) -> tuple[dict[str, Spread], dict[str, Spread], Pages]:
    now = timezone.now()
    history.fill(rows, now=now)
    began = time.perf_counter()
    figures.keep(now=now)
    print(f"  figures of {rows:,} counted in {time.perf_counter() - began:.1f} s", flush=True)
    pages = addresses(now)
    ours, bare = {}, {}
    for name, (user_id, address) in pages.items():
        client = _client(user_id)
        _get(client, address)
        with CaptureQueriesContext(connection) as asked:
            _get(client, address)
        # What is read through a cursor of the server is asked as the plain query that it is.
        queries = [re.sub(r"^DECLARE .*? FOR ", "", query["sql"]) for query in asked]
        runs = (partial(_get, client, address), nothing), (partial(_ask, queries), nothing)
        ours[name], bare[name] = measure_in_turn(*runs, runs=RUNS)
    return ours, bare, pages


def addresses(now: datetime) -> Pages:
    """The pages by name, each with who asks for it."""
    lead = User.objects.create(email="lead@hotline.example", name="Lead", roles=["lead"], language="nl").pk
    boss = User.objects.create(
        email="boss@hotline.example", name="Boss", roles=["supervisor"], language="nl"
    ).pk
    member = User.objects.create(
        email="abuse@p800.example",
        name="Abuse",
        roles=["provider_member"],
        language="en",
        provider_id=history.LONGEST,
    ).pk
    form = parsed(FILTERS)
    form.is_valid()
    found = form.applied(Notice.objects.all(), now=now).order_by("-received_at", "-pk")
    at = (DEEP - 1) * keyset.SIZE
    # Where there are not so many, the last page is the deepest.
    row = found[at - 1 : at].first() or found.last()
    after = keyset.cursor(row, "received_at") if row else ""
    notice = Notice.objects.open().order_by("pk").values_list("pk", flat=True).first()
    return {
        "work desk": (lead, "/staff/work/"),
        "search, page 1": (lead, f"/staff/cases/notice/?{FILTERS}"),
        f"search, page {DEEP:,}": (lead, f"/staff/cases/notice/?{FILTERS}&after={after}"),
        "start page of a supervisor": (boss, "/staff/"),
        "overdue desk": (boss, "/staff/overdue/"),
        "portal, 5,000 open": (member, "/portal/"),
        "portal, by range": (member, "/portal/?ip=198.51.100.0/24&given=no"),
        "portal, by address": (member, "/portal/?by=ip"),
        "page of a notice": (lead, f"/staff/cases/notice/{notice}/change/"),
    }


def _client(user_id: int) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user_id))
    return client


def _get(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")


def _ask(queries: list[str]) -> None:
    with connection.cursor() as cursor:
        for sql in queries:
            cursor.execute(sql)
            if cursor.description:
                cursor.fetchall()


def under_load(pages: Pages, *, pause: float) -> list[float]:
    """How long each page took while ten readers ask for one after the other; `pause`: seconds between two."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    with context.Pool(PROCESSES) as pool:
        return [
            wait for waits in pool.map(partial(_readers, pause=pause), [pages] * PROCESSES) for wait in waits
        ]


def _readers(pages: Pages, *, pause: float) -> list[float]:
    waits: list[float] = []

    def read(first: int) -> None:
        clients = [(_client(user_id), address) for user_id, address in pages.values()]
        # The warm-up: a connection of its own, and what that has to learn of the tables.
        for client, address in clients:
            _get(client, address)
        ready.wait()
        ends = time.perf_counter() + SECONDS
        turn = first
        time.sleep(pause * first / READERS)  # nobody begins at the same moment
        while time.perf_counter() < ends:
            client, address = clients[turn % len(clients)]
            began = time.perf_counter()
            _get(client, address)
            waits.append(time.perf_counter() - began)
            turn += 1
            time.sleep(pause)
        connection.close()

    ready = threading.Barrier(READERS // PROCESSES)
    readers = [threading.Thread(target=read, args=(number,)) for number in range(READERS // PROCESSES)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return waits
