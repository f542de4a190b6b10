"""How far two people judge the same, beyond chance; pure.

Source: J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20
(1960), 37-46. Unweighted: baseline against national counts as much as baseline against not illegal.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: Below so many pairs a share says nothing.
FEW: Final = 10


@dataclass(frozen=True)
class Agreement:
    """`pairs` judged twice, `same` of them the same. `kappa` is None when chance alone would explain it all."""

    pairs: int
    same: int
    kappa: float | None

    @property
    def observed(self) -> float | None:
        """The share that was judged the same; None without pairs."""
        return self.same / self.pairs if self.pairs else None

    @property
    def is_few(self) -> bool:
        """Too few to say anything."""
        return self.pairs < FEW


def agreement(table: Mapping[tuple[str, str], int]) -> Agreement:
    """From (first, second) -> how often: kappa = (observed - expected) / (1 - expected).

    Expected is what two people who choose at random would share, each with the shares of their own column.
    """
    pairs, same = sum(table.values()), sum(count for (a, b), count in table.items() if a == b)
    if not pairs:
        return Agreement(0, 0, None)
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (a, b), count in table.items():
        first[a] += count
        second[b] += count
    by_chance = sum(first[each] * second[each] for each in first)
    # In whole numbers up to the last division: two people who always say the same one word share all by chance.
    left = pairs * pairs - by_chance
    return Agreement(pairs, same, (same * pairs - by_chance) / left if left else None)
