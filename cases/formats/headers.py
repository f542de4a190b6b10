"""Headers of mail, made once where they are the same in each message."""

from email.headerregistry import BaseHeader, HeaderRegistry
from email.policy import SMTP
from functools import lru_cache
from typing import Any, Final

#: Who we are and how parts are written: read again, each of them would cost as much as the words of a message.
_SAME: Final = frozenset({"from", "mime-version", "content-transfer-encoding"})


class _Kept(HeaderRegistry):
    """The library makes a class for every single header, and reads every one; a header itself never changes."""

    def __init__(self) -> None:
        super().__init__()
        self._classes: dict[str, type[BaseHeader]] = {}
        self._headers = lru_cache(maxsize=64)(super().__call__)

    def __getitem__(self, name: str) -> type[BaseHeader]:
        key = name.lower()
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = super().__getitem__(name)
        return found

    def __call__(self, name: str, value: Any) -> BaseHeader:
        if name.lower() in _SAME:
            return self._headers(name, str(value))
        return super().__call__(name, value)


#: As `email.policy.SMTP`: the same bytes.
POLICY: Final = SMTP.clone(header_factory=_Kept())
