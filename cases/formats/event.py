"""A message as a webhook: which notice, what happened to it, by when. No address, no word of the content."""

import hashlib
import json
from datetime import datetime
from typing import Final

from cases.formats.letter import Letter
from cases.models import Dispatch

#: kind of a message -> `type` of the event; a name, once given, is for ever (interfaces, 4).
TYPES: Final[dict[str, str]] = {
    Dispatch.Kind.FIRST: "notice.created",
    Dispatch.Kind.REMINDER: "notice.reminder",
    Dispatch.Kind.WITHDRAWAL: "notice.withdrawn",
    Dispatch.Kind.ORIGIN: "notice.origin_wanted",
    Dispatch.Kind.MESSAGE: "notice.message",
}


def event_id(dispatch: Dispatch) -> str:
    """`webhook-id`: follows from the Message-ID, which is minted once, so that it is the same at each attempt."""
    return f"msg_{hashlib.sha256(dispatch.message_id.encode()).hexdigest()[:32]}"


def body(letter: Letter) -> str:
    """The JSON. A message to a webhook is about one notice; its bytes are the same at each attempt.

    `due_at` of a new notice is null: the term, `term_hours`, begins when their server accepts this very message.
    """
    (line,) = letter.lines
    data: dict[str, object] = {"reference": line.reference, "due_at": _utc(line.due_at)}
    if letter.is_first:
        data["term_hours"] = letter.term.total_seconds() / 3600
    said = {"type": TYPES[letter.dispatch.kind], "timestamp": _utc(letter.dispatch.created_at), "data": data}
    return json.dumps(said, separators=(",", ":"))


def _utc(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
