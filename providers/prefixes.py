"""The most specific of a million prefixes, for a hundred thousand addresses at once.

Prefixes nest, so an address lies in one unbroken stretch between two boundaries (starts and ends of prefixes)
throughout which the same prefix is the most specific. Those stretches are made once; a look-up is a binary search.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from itertools import compress
from operator import not_
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
_PACK_FOUR: Final = partial(socket.inet_pton, socket.AF_INET)
_PACK_SIX: Final = partial(socket.inet_pton, socket.AF_INET6)


class Addresses(Sequence[str]):
    """Addresses as text, read once for however many tables they are looked up in.

    Raises ValueError when one of them is none.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        sixth = [":" in text for text in texts]
        self.is_six: Array = np.array(sixth, dtype=bool)
        try:
            six = b"".join(map(_PACK_SIX, compress(texts, sixth)))
            four = b"".join(map(_PACK_FOUR, compress(texts, map(not_, sixth)) if six else texts))
        except OSError:
            raise ValueError("that is no IP address") from None
        self.four, self.six = _keys(4, four), _keys(6, six)

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
        found = np.full(len(asked), NOWHERE, dtype=np.int32)
        places = self.six.find(asked.six)
        places[places != NOWHERE] += len(self.four.lengths)
        found[asked.is_six] = places
        found[~asked.is_six] = self.four.find(asked.four)
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
