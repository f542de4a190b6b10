"""A file of reports, from whichever door: read it through first, so that a refused file leaves nothing."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import PurePath
from typing import BinaryIO

from django.utils.translation import gettext as _

from audit.record import Actor
from cases.formats.receipt import ReceiptLine
from cases.intake import WAYS
from cases.intake.way import Unreadable, Way
from cases.models import Report, Source
from cases.services.keep import keep
from cases.services.receive import NoLines, preview, receive


def take_file(
    stream: BinaryIO,
    *,
    name: str,
    source: Source,
    by: Actor,
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Take in a file (seekable) here and now. The same bytes from the same source are the same report.

    Only the ending of `name` is looked at. Raises Unreadable, NoLines or Changed.
    """
    way = _way(name)
    digest = _digest(stream)
    total = _count(way, stream)
    stream.seek(0)
    return receive(
        source=source,
        way=Report.Way.FILE,
        lines=way.lines(stream),
        total=total,
        digest=digest,
        by=by,
        now=now,
        progress=progress,
    )


def keep_file(stream: BinaryIO, *, name: str, source: Source, by: Actor, now: datetime) -> Report:
    """Keep a file (seekable), to be read afterwards. The same bytes from the same source are the same report.

    Only the ending of `name` is looked at. Raises Unreadable, NoLines or Changed.
    """
    way = _way(name)
    digest = _digest(stream)
    stream.seek(0)
    return keep(source=source, way=Report.Way.FILE, lines=way.lines(stream), digest=digest, by=by, now=now)


def preview_file(stream: BinaryIO, *, name: str) -> Iterator[ReceiptLine]:
    """What would become of each line; nothing is stored. Raises what `take_file` would."""
    way = _way(name)
    if _count(way, stream) == 0:
        raise NoLines(_("There are no lines in it."))
    stream.seek(0)
    return preview(way.lines(stream))


def _way(name: str) -> Way:
    suffix = PurePath(name).suffix.lower()
    for way in WAYS:
        if suffix in way.suffixes:
            return way
    known = ", ".join(suffix for way in WAYS for suffix in way.suffixes)
    raise Unreadable(_("The name of the file must end in one of: %(known)s.") % {"known": known})


def _digest(stream: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    return digest.digest()


def _count(way: Way, stream: BinaryIO) -> int:
    stream.seek(0)
    return sum(1 for _line in way.lines(stream))
