"""JSON as RFC 8259 means it, and nothing that PostgreSQL or another reader would take differently.

Python's reader lets through what breaks later: doubled keys (the last one wins), NaN, numbers beyond any
double, lone surrogates, NUL, and nesting that exhausts the stack.
"""

import json
import math
from typing import Any, Final, NoReturn

from django.utils.translation import gettext as _

MAX_DEPTH: Final = 20
MAX_DIGITS: Final = 20
#: Ten times what 10,000 lines need. Objects are what costs: 5 MB of `[],` took 1.7 s to build and look through.
MAX_OBJECTS: Final = 100_000


class BadJSON(ValueError):
    """The text is not JSON that we take. The message is worded for the sender and repeats nothing of it."""


def loads(body: bytes) -> Any:
    """Read one document in UTF-8 (a BOM is allowed). Raises BadJSON."""
    # Brackets in texts count too; such texts are rare, and counting bytes is all but free.
    if len(body) > MAX_OBJECTS and body.count(b"{") + body.count(b"[") > MAX_OBJECTS:
        raise BadJSON(_("This holds more than %(most)d objects and lists.") % {"most": MAX_OBJECTS})
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadJSON(_("This is not UTF-8 (at byte %(byte)d).") % {"byte": error.start + 1}) from None
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        if "\n" in text:
            where = _("This is not JSON (line %(line)d, column %(column)d).")
        else:
            where = _("This is not JSON (column %(column)d).")
        raise BadJSON(where % {"line": error.lineno, "column": error.colno}) from None
    except RecursionError:
        raise _too_deep() from None
    # Only an escape can bring in NUL or half a surrogate pair: the text itself was UTF-8 and JSON.
    _check(document, texts="\\u" in text)
    return document


def _check(document: Any, *, texts: bool) -> None:
    """Level by level, without recursion."""
    level = [document]
    for _depth in range(MAX_DEPTH):
        inner: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                inner += node.values()
                if texts:
                    inner += node
            elif isinstance(node, list):
                inner += node
            elif texts and isinstance(node, str) and not _is_storable(node):
                raise BadJSON(_("A text holds NUL or half a character (a lone surrogate)."))
        if not inner:
            return
        level = inner
    raise _too_deep()


def _is_storable(text: str) -> bool:
    return "\0" not in text and (
        text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
    )


def _too_deep() -> BadJSON:
    return BadJSON(_("This is nested deeper than %(depth)d levels.") % {"depth": MAX_DEPTH})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJSON(_("An object has the same key twice."))
    return found


def _no_constant(constant: str) -> NoReturn:
    raise BadJSON(_("%(constant)s is not a number in JSON.") % {"constant": constant})


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise BadJSON(_("A number is too large."))
    return number


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise BadJSON(_("A number is too large."))
    return int(digits)
