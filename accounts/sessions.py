"""Where Django keeps sessions: in a table that also knows whose each is, where, and since when."""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.models.session import Session

#: Keys of what a session holds: when its log-in was, and what a person is shown of it.
STARTED: Final = "started_at"
DEVICE: Final = "device"
NETWORK: Final = "network"


def number_of(key: str) -> uuid.UUID:
    """What names the session of this key on pages: the key cannot be had from it."""
    return uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16])


class SessionStore(DatabaseStore):
    """`row` is the session as it was when the request came in; None for a new one."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing once it has ended."""
        self.row = self._get_session_from_db()  # type: ignore[attr-defined]  # the stubs leave it out
        return self.decode(self.row.session_data) if self.row is not None else {}

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to be saved. However often it is, it ends so long after it began, and not later."""
        now = timezone.now()
        started = data.setdefault(STARTED, now.timestamp())
        row = Session(session_key=str(self.session_key), session_data=self.encode(data))
        row.number = number_of(row.session_key)
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.started_at, row.seen_at = datetime.fromtimestamp(started, UTC), now
        row.expire_date = row.started_at + settings.HOST.session_longest
        row.device, row.network = data.get(DEVICE, ""), data.get(NETWORK, "")
        return row
