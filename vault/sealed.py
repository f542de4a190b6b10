"""A model attribute whose text stands sealed in a column beside it."""

import secrets
import time
import uuid
from typing import Any

from vault import keys


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): time-ordered, so that indexes stay dense; minted before the insert,
    because a row is sealed under its own id."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


class Sealed(property):
    """`url = Sealed("url_sealed")`: reading unseals, writing seals for this table, column and row.

    `row` names the field that identifies the row; it must be set before the text and never change.
    An empty text is stored as NULL. Reading may raise CannotUnseal.
    """

    def __init__(self, column: str, *, row: str = "id") -> None:
        self.column, self.row = column, row
        super().__init__(self._open, self._close)

    def __set_name__(self, owner: type, name: str) -> None:
        self.model: Any = owner

    def sealed(self, identity: object, text: str) -> bytes | None:
        """What the column holds for `text` in the row `identity`: for rows that are written without a model."""
        return keys.ring().seal(text, context=self._context(identity)) if text else None

    def opened(self, identity: object, blob: bytes | None) -> str:
        """The text of what the column holds in the row `identity`: for rows that are read without a model.

        May raise CannotUnseal.
        """
        context = self._context(identity)
        return "" if blob is None else keys.ring().unseal(blob, context=context)

    def _context(self, identity: object) -> str:
        """The associated data: "table.column.row"."""
        if identity in (None, ""):
            raise ValueError(f"{self.column} cannot be sealed before {self.row} is known.")
        return f"{self.model._meta.db_table}.{self.column}.{identity}"

    def _open(self, instance: Any) -> str:
        return self.opened(getattr(instance, self.row), getattr(instance, self.column))

    def _close(self, instance: Any, text: str) -> None:
        setattr(instance, self.column, self.sealed(getattr(instance, self.row), text))
