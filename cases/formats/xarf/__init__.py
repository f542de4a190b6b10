"""Reports of XARF v4, `content/csam`: what the tools of an abuse desk read without a person.

One report is one notice and one file, because the schema knows no list. `evidence` stays empty: no material ever leaves.
Only what is illegal everywhere (baseline) has a class there; what national law forbids stays out, and the message
says so.
"""

import hashlib
import json
import re
from email.utils import parseaddr
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from cases.formats.files import File
from cases.formats.letter import Letter, Line
from cases.formats.xarf.schema import hold

VERSION: Final = "4.2.0"
#: What a person judged it to be, or the first half of a media type -> the format's word.
_MEDIA: Final = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "stream": "video",
    "text": "text",
    "collection": "mixed",
    "archive": "mixed",
}
# What a URL of RFC 3986 cannot hold and a browser's can, and a % that begins no code.
_UNSAFE: Final = re.compile(r"[^!#$&'()*+,\-./0-9:;=?@A-Z_a-z~%]|%(?![0-9A-Fa-f]{2})")
_AUTHORITY: Final = re.compile(r"(https?://[^/?]*)(.*)", re.DOTALL)
# The schema's own pattern: no A-label passes it, because of its two hyphens.
_DOMAIN: Final = re.compile(r"([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]{2,}")


def files(letter: Letter) -> list[File]:
    """A file for each line that has a class there. Raises Unmade when one is not valid: then none is sent."""
    made = []
    for line in letter.in_xarf:
        name = "xarf.json" if len(letter.lines) == 1 else f"xarf-{line.number}.json"
        written = report(letter, line)
        hold(written, about=line.reference)
        made.append(File(name, "application/json", json.dumps(written, ensure_ascii=False, indent=2)))
    return made


def report(letter: Letter, line: Line) -> dict[str, Any]:
    """The report of one line. The same dispatch and notice always have the same `report_id`."""
    place = line.place
    seen = line.last_seen_online_at
    known = {
        "domain": line.host if _DOMAIN.fullmatch(line.host) else None,
        "verified_at": seen.isoformat(timespec="seconds") if seen else None,
        "media_type": _media(line),
        "asn": place.asn or None if place else None,
        "country_code": place.country or None if place else None,
    }
    us = _us()
    return {
        "xarf_version": VERSION,
        "report_id": _report_id(letter, line),
        "timestamp": (seen or line.first_seen_at).isoformat(timespec="seconds"),
        "reporter": us,
        "sender": us,
        "source_identifier": line.address or line.host.strip("[]"),
        "category": "content",
        "type": "csam",
        "url": uri(line.url),
        "classification": "baseline",
        "detection_method": "manual_review",
        "verification_method": "manual",
        "hosting_provider": letter.addressee,
        "description": (
            f"Notice {line.reference} in message {letter.dispatch.number}. Make the material inaccessible; do not copy,"
            " view, store or forward it. Answer by the portal or API, or reply to the message."
        ),
        "tags": [f"notice:{line.reference.lower()}", f"message:{letter.dispatch.kind}"],
        "evidence": [],
        **{name: value for name, value in known.items() if value is not None},
    }


def uri(canonical: str) -> str:
    """A canonical URL as RFC 3986 spells it: what only browsers take literally is percent-encoded, to the same effect."""
    found = _AUTHORITY.fullmatch(canonical)
    if found is None:
        return canonical
    rest = _UNSAFE.sub(lambda char: "".join(f"%{byte:02X}" for byte in char[0].encode()), found[2])
    return found[1] + rest


def _media(line: Line) -> str | None:
    """By what a person saw; else by the name of the file."""
    return _MEDIA.get(line.judged_type or line.media_type.partition("/")[0])


def _report_id(letter: Letter, line: Line) -> str:
    digest = hashlib.sha256(f"{letter.dispatch.message_id} {line.reference}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def _us() -> dict[str, str]:
    contact = parseaddr(settings.HOST.sender_address)[1]
    return {
        "org": settings.HOST.organisation.name[:200],
        "contact": contact,
        "domain": contact.rpartition("@")[2],
    }
