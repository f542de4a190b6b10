"""The most specific of a million prefixes, for a hundred thousand addresses at once.

Prefixes nest, so an address lies in one unbroken stretch between two boundaries (starts and ends of prefixes)
throughout which the same prefix is the most specific. Those stretches are made once; a look-up is a binary search.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final, TypeAlias, overload

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

#: Where no prefix holds an address.
NOWHERE: Final = -1
#: 16 bytes compare as the 128-bit numbers they spell; numpy ignores zeros at the end, which change no order.
_V6: Final = np.dtype("S16")
_V4: Final = np.dtype(np.uint32)
_U64: Final = np.dtype(np.uint64)
#: As plain numbers: as members of an enumeration they are turned into numbers for every address.
_AF_FOUR: Final = int(socket.AF_INET)
_AF_SIX: Final = int(socket.AF_INET6)


class Addresses(Sequence[str]):
    """Addresses as text, read once for however many tables they are looked up in.

    The keys of each family are in ascending order, and `four_at` and `six_at` say of each where its address stands: a
    search for neighbours one after the other finds most of its way in the processor's cache, and takes a fifth.
    Raises ValueError when one of them is none.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        four: list[bytes] = []
        six: list[bytes] = []
        six_at: list[int] = []
        # In one go: a hundred thousand texts lie all over the memory, and it is the first touch of each that takes long.
        try:
            for place, text in enumerate(texts):
                if ":" in text:
                    six.append(socket.inet_pton(_AF_SIX, text))
                    six_at.append(place)
                else:
                    four.append(socket.inet_pton(_AF_FOUR, text))
        except OSError:
            raise ValueError("that is no IP address") from None
        is_four = np.ones(len(texts), dtype=bool)
        is_four[six_at] = False
        self.four, self.four_at = _in_order(_keys(4, b"".join(four)), np.flatnonzero(is_four))
        self.six, self.six_at = _in_order(_keys(6, b"".join(six)), np.array(six_at, dtype=np.intp))

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._texts[index]


class PrefixTable:
    """An order of prefixes, IPv4 before IPv6, and for any address the place in it of the most specific one."""

    def __init__(self, four: "Family", six: "Family") -> None:
        self.four, self.six = four, six

    def __len__(self) -> int:
        return len(self.four.lengths) + len(self.six.lengths)

    @classmethod
    def of(cls, prefixes: Sequence[str]) -> "tuple[PrefixTable, list[int]]":
        """The table of different prefixes in their usual spelling, and of each place in it the place in `prefixes`."""
        parted: dict[int, list[tuple[bytes, int, int]]] = {4: [], 6: []}
        for place, text in enumerate(prefixes):
            network = ip_network(text)
            parted[network.version].append((network.network_address.packed, network.prefixlen, place))
        families, order = [], []
        for version, rows in parted.items():
            rows.sort()
            starts = b"".join(packed for packed, _length, _place in rows)
            lengths = bytes(length for _packed, length, _place in rows)
            families.append(Family.of(version, starts, lengths))
            order += [place for _packed, _length, place in rows]
        return cls(*families), order

    def find(self, addresses: Sequence[str]) -> Array:
        """The place of the most specific prefix of each address, or NOWHERE. Raises ValueError for what is none."""
        asked = addresses if isinstance(addresses, Addresses) else Addresses(addresses)
        found = np.empty(len(asked), dtype=np.int32)
        places = self.six.find(asked.six)
        places[places != NOWHERE] += len(self.four.lengths)
        found[asked.six_at] = places
        found[asked.four_at] = self.four.find(asked.four)
        return found

    def prefix(self, place: int) -> str:
        """The prefix at a place, in its usual spelling."""
        family, at = (
            (self.four, place)
            if place < len(self.four.lengths)
            else (self.six, place - len(self.four.lengths))
        )
        return family.prefix(at)


@dataclass(frozen=True)
class Family:
    """The prefixes of one family in order of start and length, and the stretches they make.

    `owners[i]` is the place of the most specific prefix from `bounds[i]` up to `bounds[i + 1]`.
    """

    version: int
    starts: Array
    lengths: Array
    bounds: Array
    owners: Array

    @classmethod
    def of(cls, version: int, starts: bytes, lengths: bytes) -> "Family":
        """Of packed addresses and lengths, in order and each prefix once."""
        sizes = np.frombuffer(lengths, dtype=np.uint8)
        keys = _keys(version, starts)
        ends, last = _ends(version, starts, sizes)
        bounds = np.unique(np.concatenate([_lowest(version), keys, ends[~last]]))
        owners = np.full(len(bounds), NOWHERE, dtype=np.int32)
        froms = np.searchsorted(bounds, keys)
        tos = np.where(last, len(bounds), np.searchsorted(bounds, ends))
        # Prefixes of one length do not overlap: paint the short ones first, the long ones over them.
        for length in np.unique(sizes):
            chosen = np.flatnonzero(sizes == length).astype(np.int32)
            counts = tos[chosen] - froms[chosen]
            before = np.cumsum(counts) - counts
            painted = np.arange(counts.sum()) + np.repeat(froms[chosen] - before, counts)
            owners[painted] = np.repeat(chosen, counts)
        # Two neighbouring stretches of one owner are one stretch.
        kept = np.concatenate([[True], owners[1:] != owners[:-1]])
        return cls(version, keys, sizes, bounds[kept], owners[kept])

    def find(self, keys: Array) -> Array:
        """The place of the most specific prefix of each key, or NOWHERE."""
        found: Array = self.owners[np.searchsorted(self.bounds, keys, side="right") - 1]
        return found

    def prefix(self, place: int) -> str:
        """The prefix at a place, in its usual spelling."""
        if self.version == 4:
            start = int(self.starts[place]).to_bytes(4, "big")
        else:
            start = bytes(self.starts[place]).ljust(16, b"\0")
        family = socket.AF_INET if self.version == 4 else socket.AF_INET6
        return f"{socket.inet_ntop(family, start)}/{self.lengths[place]}"


def _keys(version: int, packed: bytes) -> Array:
    """Packed addresses as what can be searched for."""
    if version == 4:
        return np.frombuffer(packed, dtype=">u4").astype(_V4)
    return np.frombuffer(packed, dtype=_V6)


def _in_order(keys: Array, places: Array) -> tuple[Array, Array]:
    """The keys in ascending order, and the place of each."""
    order = np.argsort(keys)
    return keys[order], places[order]


def _lowest(version: int) -> Array:
    return _keys(version, bytes(4 if version == 4 else 16))


def _ends(version: int, starts: bytes, lengths: Array) -> tuple[Array, Array]:
    """The first address after each prefix, and of which there is none: it reaches to the end of the family."""
    if version == 4:
        ends = np.frombuffer(starts, dtype=">u4").astype(_U64) + (np.uint64(1) << (32 - lengths).astype(_U64))
        last = ends >> np.uint64(32) != 0
        return ends.astype(_V4), last
    halves = np.frombuffer(starts, dtype=">u8").reshape(-1, 2).astype(_U64)
    high, low = halves[:, 0].copy(), halves[:, 1].copy()
    one, wide = np.uint64(1), lengths <= 64
    with np.errstate(over="ignore"):
        # A prefix of length 0 would need a shift by 64, which wraps; both its halves stay 0, and that is right.
        high[wide] += np.where(lengths[wide] == 0, 0, one << ((64 - lengths[wide]) % 64).astype(_U64)).astype(
            _U64
        )
        low[~wide] += one << (128 - lengths[~wide]).astype(_U64)
        high[~wide] += low[~wide] == 0
    ends = np.stack([high, low], axis=1).astype(">u8")
    return np.frombuffer(ends.tobytes(), dtype=_V6), (high == 0) & (low == 0)
