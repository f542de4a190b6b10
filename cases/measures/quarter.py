"""The periods of the figures: quarters of the year, in UTC, like every instant that counts in law."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_SPELLED: Final = re.compile(r"(20[0-9]{2})-Q([1-4])")
#: What a quarter looks like, as a regular expression.
SPELLED: Final = r"20[0-9]{2}-Q[1-4]"


@dataclass(frozen=True, order=True)
class Quarter:
    """`2026-Q3`: from `begins` up to and without `ends`."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04d}-Q{self.number}"

    @classmethod
    def of(cls, at: datetime) -> "Quarter":
        """The one that an instant lies in."""
        utc = at.astimezone(UTC)
        return cls(utc.year, (utc.month + 2) // 3)

    @classmethod
    def spelled(cls, text: str) -> "Quarter | None":
        """The one that is written so; None when it is none."""
        match = _SPELLED.fullmatch(text)
        return cls(int(match[1]), int(match[2])) if match else None

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        """The first instant of the next one."""
        return self.back(-1).begins

    def back(self, count: int) -> "Quarter":
        """So many quarters earlier."""
        since = self.year * 4 + self.number - 1 - count
        return Quarter(since // 4, since % 4 + 1)
