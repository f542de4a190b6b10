"""The texts in a mail: its own, and the lists attached to it. All else is counted and left behind.

Limits come before parsing: Python's parser takes time that grows with parts times lines, and goes down one call
for each level of nesting.
"""

import codecs
import re
from dataclasses import dataclass, field
from email.message import Message
from pathlib import PurePath
from typing import Final

from cases.intake import WAYS
from cases.models import Mail

Reason = Mail.Reason

MAX_PARTS: Final = 100
#: bytes; a mail's own text. A list may be as long as the mail.
MAX_TEXT: Final = 1024 * 1024

_LISTS: Final = frozenset(suffix for way in WAYS for suffix in way.suffixes)
_BOUNDARY: Final = re.compile(rb"boundary\*?(?:\d{1,3}\*?)?\s*=", re.IGNORECASE)
#: Signs on a mail, not contents of it.
_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
# Text codecs that mail is written in. Others of Python's are no character sets, or take very long on long texts.
_CHARSETS: Final = re.compile(
    r"utf-8|ascii|iso8859-\d{1,2}|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|shift_jis|euc_(?:jp|kr)|iso2022_jp"
)
#: What pictures look like in plain text: `data:` addresses, uuencoded files, blocks of base64.
_IMAGERY: Final = re.compile(
    r"data:[\w.+-]+/[\w.+-]+[;,]\S*"
    r"|^begin [0-7]{3,4} [^\n]{1,200}\n(?:M[\x20-\x60]{60}\r?\n)+(?:[\x20-\x60]{1,61}\r?\n)?"
    r"|^(?:[A-Za-z0-9+/]{60,76}\r?\n){4,}(?:[A-Za-z0-9+/]{1,76}={0,2})?",
    re.MULTILINE | re.IGNORECASE,
)
LEFT_OUT: Final = "[left out]"


@dataclass
class Found:
    """What a mail holds. `texts`: (kind, text), the kind "" for its own text or else the ending of a list;
    `trouble`: why a person must look, or ""."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    dropped: int = 0
    trouble: str = ""


def is_too_nested(raw: bytes) -> bool:
    """Whether it may have more than MAX_PARTS multiparts: asked of the bytes, before anything is parsed."""
    return sum(1 for _each in zip(_BOUNDARY.finditer(raw), range(MAX_PARTS + 1), strict=False)) > MAX_PARTS


def found_in(mail: Message, *, lists: bool = True) -> Found:
    """The texts of `mail` in their order; attached lists among them, unless `lists` is False."""
    found, has_html, seen = Found(), False, 0
    waiting: list[Message] = [mail]
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > MAX_PARTS:
            return Found(dropped=found.dropped, trouble=Reason.PARTS)
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += [each for each in reversed(inner) if isinstance(each, Message)]
        elif part.get_content_type() in _SIGNATURES:
            continue
        elif lists and _is_list(part):
            _add(found, _list(part), kind=_suffix(part), otherwise=Reason.BAD_FILE)
        elif part.get_filename() or part.get_content_disposition() == "attachment":
            found.dropped += 1
        elif part.get_content_type() == "text/plain":
            _add(found, _text(part), kind="", otherwise=Reason.CHARSET)
        elif part.get_content_type() == "text/html":
            has_html = True
        else:
            found.dropped += 1
    if not found.texts and not found.trouble and has_html:
        found.trouble = Reason.HTML_ONLY
    return found


def without_imagery(text: str) -> str:
    """`text` without what could be a picture written out."""
    return _IMAGERY.sub(LEFT_OUT, text)


def _add(found: Found, text: str | None, *, kind: str, otherwise: str) -> None:
    if text is None:
        found.trouble = found.trouble or otherwise
        found.dropped += 1
    elif text.strip():
        found.texts.append((kind, without_imagery(text)))


def _suffix(part: Message) -> str:
    return PurePath((part.get_filename() or "").strip()).suffix.lower()


def _is_list(part: Message) -> bool:
    return part.get_content_maintype() in {"text", "application"} and _suffix(part) in _LISTS


def _list(part: Message) -> str | None:
    """A list's text; None when it is no text in UTF-8. The ways in ask for that too, and say so in words."""
    content = _bytes(part)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _text(part: Message) -> str | None:
    """The mail's own text, with one kind of line end; None when it is not in the character set it claims."""
    content = _bytes(part)[:MAX_TEXT]
    try:
        name = codecs.lookup(part.get_content_charset() or "ascii").name
        if not _CHARSETS.fullmatch(name):
            return None
        # Many programs write UTF-8 and say nothing, or say ASCII.
        text = content.decode("utf-8" if name == "ascii" else name)
    except (LookupError, UnicodeError, ValueError):
        return None
    if "\0" in text:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _unfolded(text, part) if _parameter(part, "format") == "flowed" else text


def _unfolded(text: str, part: Message) -> str:
    """format=flowed (RFC 3676) as it was typed: a line that ends in a space goes on in the next."""
    keeps = "" if _parameter(part, "delsp") == "yes" else " "
    # A line as the pieces that it was broken into: put together once, or a mail of short ones would take minutes.
    lines: list[list[str]] = []
    goes_on = False
    for line in text.split("\n"):
        is_quoted = line.startswith(">")
        piece = line.removeprefix(" ")
        if goes_on and not is_quoted:
            lines[-1].append(piece)
        else:
            lines.append([piece])
        goes_on = piece.endswith(" ") and lines[-1] != ["-- "] and not is_quoted
        if goes_on:
            lines[-1][-1] = piece[:-1] + keeps
    return "\n".join(map("".join, lines))


def _parameter(part: Message, name: str) -> str:
    value = part.get_param(name, "")
    return value.lower() if isinstance(value, str) else ""


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
