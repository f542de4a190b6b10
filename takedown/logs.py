"""Logs: one line of JSON an event, and never an address of content in it."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

# Anything with a scheme: plain, percent-encoded, refanged (hxxp), or with the backslashes that browsers take
# for slashes. It also takes what we would rather see, such as our broker's address; a log that shows too
# little harms nobody.
_ADDRESS: Final = re.compile(
    r"(?<![a-z0-9+.\-])[a-z][a-z0-9+.\-]{1,20}(?::|%3a|\[:\])(?:[/\\]|%2f|%5c){2}[^\s\"'<>`]*"
    r"|\b(?:data|javascript|magnet):[^\s\"'<>`]+",
    re.IGNORECASE,
)
# PostgreSQL repeats the row that it refused: its values are none of a log's business.
_ROW: Final = re.compile(r"^(DETAIL|CONTEXT):.*(?:\n(?!HINT:|\S+Error|Traceback|  File).*)*", re.MULTILINE)
# The secret of a link to the page of a message, or to an account: whoever reads logs must not open them.
_LINK: Final = re.compile(r"/(answer|join)/(?!options/)[^\s\"'<>`?/]{6,}")
#: What every record has; the rest came by `extra=` and is said too.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def scrub(text: str) -> str:
    """`text` without addresses, the secrets of links, and rows of the database."""
    return _LINK.sub(r"/\1/[secret]", _ADDRESS.sub("[address]", _ROW.sub(r"\1: [left out]", text)))


class Line(logging.Formatter):
    """A record as one line: at, level, logger, message; what `extra` gave; the exception, if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its newline."""
        said: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        for key, value in vars(record).items():
            if key not in _OWN and isinstance(value, str | int | float | bool | None):
                said.setdefault(key, scrub(value) if isinstance(value, str) else value)
        if record.exc_info:
            said["exception"] = scrub(self.formatException(record.exc_info))
        return json.dumps(said, ensure_ascii=False)
