"""The text formats in which route collectors publish who is the origin of which prefix.

- pfx2as (CAIDA, from RouteViews): `192.0.2.0<TAB>24<TAB>64500`; `64500_64501` is announced by both, `64500,64501`
  is an aggregate of both.
- RIS whois dump (RIPE NCC): `64500<TAB>192.0.2.0/24<TAB>371`, the last the number of peers that see it; `{64500,64501}`
  is an aggregate; a second origin has a line of its own; `%` begins a comment.
- `bgpdump -m` (made from the MRT files of any collector): `TABLE_DUMP2|1700000000|B|peer|AS|192.0.2.0/24|path|...`, a
  line for each peer; the last AS of the path is the origin.

MRT itself is binary and is not read.
"""

import gzip
import socket
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NoReturn, TypeAlias, cast

import numpy as np
from django.utils.translation import gettext as _

from providers.prefixes import Array, Family, PrefixTable

#: A route that fewer peers of the collector see is somebody's mistake or private arrangement (P; RIS dumps say it).
LEAST_SEEN: Final = 10
#: Shorter prefixes are default routes and mistakes: nobody was given so much.
_SHORTEST: Final = {4: 8, 6: 16}
_MOST: Final = 4_000_000
_LONGEST_LINE: Final = 65_536
_LARGEST_ASN: Final = 4_294_967_295
_BITS: Final = {4: 32, 6: 128}
_GZIP: Final = b"\x1f\x8b"


class Wrong(Exception):
    """A line cannot be taken; worded for who brought the file."""


@dataclass
class Rows:
    """Prefixes of one family as they come: packed addresses, lengths, and the number of each one's set of origins."""

    starts: bytearray = field(default_factory=bytearray)
    lengths: bytearray = field(default_factory=bytearray)
    sets: "array[int]" = field(default_factory=lambda: array("I"))


class Gathered:
    """What the lines of one or more files say, kept small: a million prefixes are 20 MB."""

    def __init__(self, *, least_seen: int = LEAST_SEEN) -> None:
        self.least_seen = least_seen
        self.rows = {4: Rows(), 6: Rows()}
        self.left_out = 0
        self.sets: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._spelled: dict[str, int] = {}
        self._last = ("", -1)

    def take(self, read: "Reader", columns: list[str]) -> None:
        """One line. Raises Wrong."""
        prefix, length, origins, seen = read(columns)
        number = self._spelled.get(origins)
        if number is None:
            number = self._spelled[origins] = self._number(_origins(origins))
        if seen < self.least_seen:
            self.left_out += 1
        elif (prefix, number) != self._last:  # bgpdump has a line for each peer
            self._last = (prefix, number)
            self._add(prefix, length, number)

    def _number(self, origins: tuple[int, ...]) -> int:
        number = self._numbers.setdefault(origins, len(self.sets))
        if number == len(self.sets):
            self.sets.append(origins)
        return number

    def _add(self, prefix: str, length: str, number: int) -> None:
        version = 6 if ":" in prefix else 4
        try:
            packed = socket.inet_pton(socket.AF_INET6 if version == 6 else socket.AF_INET, prefix)
        except OSError:
            _refuse(_("it has no prefix such as 192.0.2.0/24"))
        bits = _number(length, _BITS[version], _("the length of the prefix is not possible"))
        if int.from_bytes(packed, "big") & ((1 << _BITS[version] - bits) - 1):
            _refuse(_("the prefix has bits set beyond its length"))
        if bits < _SHORTEST[version]:
            self.left_out += 1
            return
        rows = self.rows[version]
        rows.starts += packed
        rows.lengths.append(bits)
        rows.sets.append(number)
        if len(rows.sets) > _MOST:
            _refuse(_("more than %(most)d prefixes: this is no routing table") % {"most": _MOST})

    def table(self) -> tuple[PrefixTable, Array]:
        """The prefixes, and of each the number of its set of origins in `sets`."""
        families, numbers = [], []
        for version, rows in self.rows.items():
            starts, lengths, sets = self._sorted(version, rows)
            families.append(Family.of(version, starts, lengths))
            numbers.append(sets)
        return PrefixTable(*families), np.concatenate(numbers)

    def _sorted(self, version: int, rows: Rows) -> tuple[bytes, bytes, Array]:
        """In order, each prefix once, with all the origins that any of its lines names."""
        width = _BITS[version] // 8
        starts = np.frombuffer(bytes(rows.starts), dtype=f"V{width}")
        lengths, sets = (
            np.frombuffer(bytes(rows.lengths), dtype=np.uint8),
            np.array(rows.sets, dtype=np.uint32),
        )
        order = np.lexsort((lengths, starts.view(f"S{width}")))
        starts, lengths, sets = starts[order], lengths[order], sets[order]
        again = np.concatenate([[False], (starts[1:] == starts[:-1]) & (lengths[1:] == lengths[:-1])])
        if again.any():
            first = np.flatnonzero(~again)[np.cumsum(~again) - 1]
            known = self.sets
            for place in np.flatnonzero(again):
                one, other = known[sets[first[place]]], known[sets[place]]
                if one != other:
                    sets[first[place]] = self._number(tuple(sorted({*one, *other})))
            starts, lengths, sets = starts[~again], lengths[~again], sets[~again]
        return starts.tobytes(), lengths.tobytes(), sets


Reader: TypeAlias = Callable[[list[str]], tuple[str, str, str, int]]
_EVERYBODY: Final = 1_000_000  # formats that do not say how many peers see a route


def _pfx2as(columns: list[str]) -> tuple[str, str, str, int]:
    if len(columns) != 3:
        _refuse(_("it must have three columns: prefix, length, AS number"))
    prefix, length, origins = columns
    return prefix, length, origins, _EVERYBODY


def _ris(columns: list[str]) -> tuple[str, str, str, int]:
    if len(columns) != 3:
        _refuse(_("it must have three columns: AS number, prefix, number of peers"))
    origins, prefix, seen = columns
    address, _slash, length = prefix.partition("/")
    return address, length, origins, _number(seen, 10_000, _("the number of peers is not a number"))


def _bgpdump(columns: list[str]) -> tuple[str, str, str, int]:
    if len(columns) < 8 or not columns[0].startswith("TABLE_DUMP") or columns[2] != "B":
        _refuse(_("it is not a line of a table as `bgpdump -m` writes it"))
    address, _slash, length = columns[5].partition("/")
    # A route that begins at the peer itself has no path.
    return address, length, (columns[6].split() or [columns[4]])[-1], _EVERYBODY


def gather(path: Path, into: Gathered, *, told: Callable[[int], None] = lambda _count: None) -> Iterator[str]:
    """Read a file, plain or gzip, line by line; yields what is wrong, each with the number of its line.

    `told` hears the number of lines read, now and then. Raises OSError when the file cannot be read to its end.
    """
    read: Reader | None = None
    number = 0
    with _opened(path) as lines:
        for number, raw in enumerate(_lines(lines), start=1):
            if number % 100_000 == 0:
                told(number)
            try:
                line = _text(raw)
                if not line or line[0] in "%#":
                    continue
                columns = line.split("|") if "|" in line else line.split()
                read = read or _format(line, columns)
                into.take(read, columns)
            except Wrong as wrong:
                yield _("%(file)s, line %(line)d: %(why)s.") % {
                    "file": path.name,
                    "line": number,
                    "why": wrong,
                }
    told(number)


def _format(line: str, columns: list[str]) -> Reader:
    """By the first line that is no comment."""
    if "|" in line:
        return _bgpdump
    return _ris if len(columns) > 1 and "/" in columns[1] else _pfx2as


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if packed:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield file


def _lines(file: BinaryIO) -> Iterable[bytes]:
    return iter(lambda: file.readline(_LONGEST_LINE), b"")


def _text(raw: bytes) -> str:
    if len(raw) >= _LONGEST_LINE:
        _refuse(_("it is too long"))
    try:
        line = raw.decode("ascii").strip()
    except UnicodeDecodeError:
        _refuse(_("it is not plain text; write an MRT file as text first, with `bgpdump -m`"))
    if "\0" in line:
        _refuse(_("it is not plain text; write an MRT file as text first, with `bgpdump -m`"))
    return line


def _origins(text: str) -> tuple[int, ...]:
    """The AS numbers of "64500", "64500_64501,64502" or "{64500,64501}", in order and each once."""
    why = _("it has no AS number")
    parts = text.strip("{}").replace("_", ",").split(",")
    return tuple(sorted({_number(part, _LARGEST_ASN, why) for part in parts}))


def _number(text: str, largest: int, why: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) > largest:
        _refuse(why)
    return int(text)


def _refuse(why: str) -> NoReturn:
    raise Wrong(why)
