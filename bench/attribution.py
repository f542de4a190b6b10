"""W9: who hosts 100,000 addresses, among a million prefixes and 10,000 rules.

Limit: numpy's binary search alone, of ready-made keys in the same boundaries: what must be paid anyway. Naive: one
SQL look-up under a GiST index for each address. Ours: addresses as text, asked of our own networks and of the routing
table through their sources; beside it, the time in which every single answer is put in words as well.
"""

import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import numpy as np
from django.db import connection, transaction

from audit.record import Actor
from bench import world
from bench.measure import Ratio, Workload, measure_in_turn, nothing
from providers.models import AsnRule, Network, Provider
from providers.prefixes import Addresses, Array
from providers.routes import Routes, import_routes, routes
from providers.sources.networks import Networks
from providers.sources.routing_table import RoutingTables

BY = Actor.system("bench")
ADDRESSES = 100_000
RULES = 10_000
#: As tables are: most prefixes are /24 and /48, many lie in longer ones of somebody else, one in six is IPv6.
_LENGTHS = {4: [24] * 12 + [23, 22, 22, 21, 20, 19, 18, 16], 6: [48] * 8 + [44, 40, 36, 32, 32, 29]}
_SIXTH = 6


def run(prefixes: int) -> Workload:
    """Measure with `prefixes` prefixes."""
    made = Workload(9, "attribution", {"prefixes": prefixes, "addresses": ADDRESSES, "rules": RULES})
    world.fill(1, due=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "routes.txt"
        path.write_text("".join(_lines(prefixes)), encoding="ascii")
        began = time.perf_counter()
        import_routes([path], source="bench", even_if_smaller=True, by=BY, now=world.NOW)
        made.notes.append(f"import: {time.perf_counter() - began:.1f} s for {prefixes:,} lines")
    table = _table()
    addresses = _addresses(table)
    _rules(table)
    networks, routing = Networks(), RoutingTables()

    def ours() -> None:
        asked = Addresses(addresses)
        networks.ask(asked)
        routing.ask(asked)

    def in_words() -> None:
        asked = Addresses(addresses)
        for source in (networks, routing):
            if len(list(source.ask(asked))) != ADDRESSES:
                raise RuntimeError("an answer is missing")

    ready = Addresses(addresses)
    four, six = _as_asked(ready.four, ready.four_at), _as_asked(ready.six, ready.six_at)

    def limit() -> None:
        np.searchsorted(table.prefixes.four.bounds, four, side="right")
        np.searchsorted(table.prefixes.six.bounds, six, side="right")

    bare, asked, told = measure_in_turn((limit, nothing), (ours, nothing), (in_words, nothing))
    one_by_one = _naive(addresses[:2_000])
    load_s, held_mb = _load()
    made.times |= {"limit: searchsorted alone": bare, "ours": asked, "ours, each answer in words": told}
    made.ratios["limit / ours"] = Ratio(bare.median / asked.median, 0.3)
    made.ratios["naive / ours"] = Ratio(one_by_one * ADDRESSES / asked.median, 50)
    made.ratios["held by a process, MB"] = Ratio(held_mb, 300, at_most=True)
    made.ratios["load, s"] = Ratio(load_s, 5, at_most=True)
    made.notes.append(
        f"ours: {ADDRESSES / asked.median:,.0f} addresses/s; naive: {1 / one_by_one:,.0f}, of 2,000"
    )
    return made


def _lines(count: int) -> Iterator[str]:
    """pfx2as; some prefixes come twice, as in real files."""
    chance = random.Random(9)
    for _ in range(count):
        version = 6 if chance.randrange(_SIXTH) == 0 else 4
        length = chance.choice(_LENGTHS[version])
        if version == 4:
            start = chance.randrange(1 << 24, 223 << 24) >> 32 - length << 32 - length
            text = socket.inet_ntop(socket.AF_INET, start.to_bytes(4, "big"))
        else:
            start = (0x2000 << 112 | chance.getrandbits(61) << 64) >> 128 - length << 128 - length
            text = socket.inet_ntop(socket.AF_INET6, start.to_bytes(16, "big"))
        yield f"{text}\t{length}\t{chance.randrange(1, 80_000)}\n"


def _table() -> Routes:
    table = routes()
    if table is None:
        raise RuntimeError("there is no table")
    return table


def _addresses(table: Routes) -> list[str]:
    """Hosts in prefixes of the table, as many of each family as it has prefixes, and a tenth that is nowhere."""
    chance = random.Random(10)
    found = []
    for _ in range(ADDRESSES * 9 // 10):
        prefix = table.prefixes.prefix(chance.randrange(len(table.prefixes)))
        start = prefix.partition("/")[0]
        found.append(str(IPv6Address(start) + 9 if ":" in start else IPv4Address(start) + 9))
    found += [str(IPv4Address(chance.getrandbits(32))) for _ in range(ADDRESSES - len(found))]
    chance.shuffle(found)
    return found


def _as_asked(keys: Array, places: Array) -> Array:
    """The keys of a family as they were asked for: the search alone has not put them in order first."""
    return keys[np.argsort(places)]


def _rules(table: Routes) -> None:
    """Half of the rules for prefixes, half for ASes."""
    chance = random.Random(11)
    providers = list(Provider.objects.values_list("pk", flat=True))
    places = chance.sample(range(len(table.prefixes)), RULES // 2)
    Network.objects.bulk_create(
        Network(prefix=table.prefixes.prefix(i), provider_id=chance.choice(providers), asn=i % 80_000, country="NL",
                name=f"NET-{i}")
        for i in places
    )  # fmt: skip
    AsnRule.objects.all().delete()
    AsnRule.objects.bulk_create(
        AsnRule(asn=asn, provider_id=chance.choice(providers), country="NL", reason="bench", by=str(BY))
        for asn in chance.sample(range(1, 80_000), RULES // 2)
    )


def _naive(addresses: list[str]) -> float:
    """Seconds for one address, as one would ask it at first: the prefixes as rows under an index."""
    table = _table()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE naive (prefix cidr, place integer) ON COMMIT DROP")
        with cursor.copy("COPY naive FROM STDIN") as copy:
            for place in range(len(table.prefixes)):
                copy.write_row((table.prefixes.prefix(place), place))
        cursor.execute("CREATE INDEX ON naive USING gist (prefix inet_ops)")
        cursor.execute("ANALYZE naive")
        began = time.perf_counter()
        for address in addresses:
            cursor.execute(
                "SELECT place FROM naive WHERE prefix >>= %s::inet ORDER BY masklen(prefix) DESC LIMIT 1",
                [address],
            )
            cursor.fetchone()
        return (time.perf_counter() - began) / len(addresses)


_LOADING = """
import django, time
from pathlib import Path
django.setup()
from django.db import connection
from providers.models import RoutingTable
from providers.routes import routes
RoutingTable.objects.count()
def most_kb():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])
before, began = most_kb(), time.perf_counter()
routes()
print(time.perf_counter() - began, (most_kb() - before) / 1024)
"""


def _load() -> tuple[float, float]:
    """(seconds, most megabytes that it took) of reading the table in a process that has just begun."""
    done = subprocess.run([sys.executable, "-c", _LOADING], capture_output=True, text=True, check=True)
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)
