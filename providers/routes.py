"""The routing table: brought in whole, swapped in one step, and held in memory by whoever asks it."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from audit.refused import Refused
from providers.dumps import LEAST_SEEN, Gathered, gather
from providers.files import MOST_SHOWN, BadFile
from providers.models import RoutingPart, RoutingTable
from providers.prefixes import Array, Family, PrefixTable

_PART_BYTES: Final = 4_000_000
_SWAP_LOCK: Final = 7_250_117
#: How its arrays are stored, byte for byte as they are used.
_ARRAYS: Final = {
    **{f"{family}.{name}": dtype
       for family, key in (("four", "<u4"), ("six", "S16"))
       for name, dtype in (("starts", key), ("lengths", "u1"), ("bounds", key), ("owners", "<i4"))},
    "sets": "<u4", "offsets": "<u4", "asns": "<u4",
}  # fmt: skip


class TooSmall(Refused):
    """It has far fewer prefixes than the table in use: half a file, or only one of its two families."""

    code = "too_small"


@dataclass(frozen=True)
class Route:
    """A prefix and the ASes that say they are its origin."""

    prefix: str
    origins: tuple[int, ...]


@dataclass(frozen=True)
class Routes:
    """A routing table in memory: the origins of the prefix at place `i` are the set `sets[i]`."""

    row: RoutingTable
    prefixes: PrefixTable
    sets: Array
    offsets: Array
    asns: Array

    def origins(self, number: int) -> tuple[int, ...]:
        """The AS numbers of a set."""
        return tuple(int(asn) for asn in self.asns[self.offsets[number] : self.offsets[number + 1]])

    def route(self, place: int) -> Route:
        """The prefix at a place, with its origins."""
        return Route(self.prefixes.prefix(place), self.origins(int(self.sets[place])))

    def announced_by(self, asn: int, *, most: int) -> tuple[int, list[str]]:
        """How many prefixes an AS is an origin of, and the first `most` of them."""
        numbers = np.searchsorted(self.offsets, np.flatnonzero(self.asns == asn), side="right") - 1
        places = np.flatnonzero(np.isin(self.sets, numbers))
        return len(places), [self.prefixes.prefix(int(place)) for place in places[:most]]


def import_routes(
    paths: Sequence[Path],
    *,
    source: str,
    least_seen: int = LEAST_SEEN,
    even_if_smaller: bool = False,
    by: Actor,
    now: datetime,
    told: Callable[[int], None] = lambda _count: None,
) -> RoutingTable:
    """Put a new table in the place of the one in use. `told` hears of lines read.

    Raises BadFile with each wrong line, and TooSmall unless `even_if_smaller`: until this returns, the old one is used.
    """
    gathered, digest = Gathered(least_seen=least_seen), hashlib.sha256()
    errors: list[str] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
            for error in gather(path, gathered, told=told):
                errors.append(error)
                if len(errors) > MOST_SHOWN:
                    break
        except (OSError, EOFError) as error:
            why = getattr(error, "strerror", None) or _("it ends too early or is damaged")
            errors.append(_("%(file)s: it cannot be read: %(why)s.") % {"file": path.name, "why": why})
    if not errors and not any(rows.sets for rows in gathered.rows.values()):
        errors.append(_("There is no route in it."))
    if errors:
        raise BadFile(errors)
    prefixes, sets = gathered.table()
    several = [number for number, asns in enumerate(gathered.sets) if len(asns) > 1]
    table = RoutingTable(
        source=source,
        digest=digest.digest(),
        imported_at=now,
        by=str(by),
        prefixes_v4=len(prefixes.four.lengths),
        prefixes_v6=len(prefixes.six.lengths),
        several_origins=int(np.isin(sets, several).sum()),
        left_out=gathered.left_out,
    )
    _swap_in(table, _arrays(prefixes, sets, gathered.sets), even_if_smaller=even_if_smaller, by=by, now=now)
    return table


def _arrays(prefixes: PrefixTable, sets: Array, origins: Sequence[tuple[int, ...]]) -> dict[str, Array]:
    flat = [asn for asns in origins for asn in asns]
    ends = np.cumsum([len(asns) for asns in origins])
    return {
        **{
            f"four.{name}": getattr(prefixes.four, name) for name in ("starts", "lengths", "bounds", "owners")
        },
        **{f"six.{name}": getattr(prefixes.six, name) for name in ("starts", "lengths", "bounds", "owners")},
        "sets": sets,
        "offsets": np.concatenate([[0], ends]),
        "asns": np.array(flat, dtype=np.uint32),
    }


def _swap_in(
    table: RoutingTable, arrays: dict[str, Array], *, even_if_smaller: bool, by: Actor, now: datetime
) -> None:
    with transaction.atomic():
        # One swap at a time: the newest row is always the one that has parts.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SWAP_LOCK])
        before = RoutingTable.objects.order_by("-pk").first()
        if before is not None and not even_if_smaller:
            for new, old in (
                (table.prefixes_v4, before.prefixes_v4),
                (table.prefixes_v6, before.prefixes_v6),
            ):
                if new < old / 2:
                    raise TooSmall(
                        _("It has %(new)d prefixes of a family of which the table in use has %(old)d.")
                        % {"new": new, "old": old}
                    )
        table.save(force_insert=True)
        for name, array in arrays.items():
            pieces = memoryview(np.ascontiguousarray(array, dtype=_ARRAYS[name]).tobytes())
            for number, start in enumerate(range(0, len(pieces), _PART_BYTES)):
                RoutingPart.objects.create(
                    table=table, array=name, number=number, data=pieces[start : start + _PART_BYTES]
                )
        RoutingPart.objects.exclude(table=table).delete()
        data = {"source": table.source, "ipv4": table.prefixes_v4, "ipv6": table.prefixes_v6}
        record("import", "routing_table", table.pk, by=by, at=now, data=data)


def load(row: RoutingTable) -> Routes | None:
    """The table from its row; None when a newer one has taken its place meanwhile."""
    data = {name: bytearray() for name in _ARRAYS}
    parts = RoutingPart.objects.filter(table=row).order_by("array", "number")
    found = False
    # One statement sees one generation, whole. A few megabytes at a time.
    for name, part in parts.values_list("array", "data").iterator(chunk_size=1):
        data[name] += part
        found = True
    if not found:
        return None
    arrays = {name: np.frombuffer(data[name], dtype=dtype) for name, dtype in _ARRAYS.items()}
    four, six = (
        Family(version, *(arrays[f"{family}.{name}"] for name in ("starts", "lengths", "bounds", "owners")))
        for version, family in ((4, "four"), (6, "six"))
    )
    return Routes(row, PrefixTable(four, six), arrays["sets"], arrays["offsets"], arrays["asns"])


_held: Routes | None = None
_loading: Final = threading.Lock()


def routes() -> Routes | None:
    """The table in use, held by this process until there is a newer one; None as long as none was imported."""
    global _held
    newest = RoutingTable.objects.order_by("-pk").first()
    while newest is not None:
        with _loading:
            if _held is None or (_held.row.pk, bytes(_held.row.digest)) != (newest.pk, bytes(newest.digest)):
                loaded = load(newest)
                if loaded is None:
                    # A newer one came meanwhile; and a table whose parts somebody threw away is none.
                    passed, newest = newest, RoutingTable.objects.order_by("-pk").first()
                    if newest == passed:
                        return None
                    continue
                _held = loaded
            return _held
    return None
