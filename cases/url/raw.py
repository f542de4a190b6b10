"""Raw text as people send it: what stands around it goes, and what was defanged is made whole again."""

import re
from typing import Final

# Invisible characters that come along when text is copied; str.strip() already takes NBSP and other spaces.
_AROUND: Final = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\u180e"

_SCHEME: Final = re.compile(r"h(?:tt|xx|tx|xt|\*\*)p(s?)\[?:\]?\[?//\]?", re.IGNORECASE)
_AUTHORITY_END: Final = re.compile(r"[/?#]")
_DOT: Final = re.compile(r"\[(?:\.|dot)\]|\((?:\.|dot)\)|\{(?:\.|dot)\}", re.IGNORECASE)
# In the rest only what a defanging program writes; brackets and words of a path are left as they are.
_REST: Final = re.compile(r"\[(\.|:|/|://)\]")


def stripped(raw: str) -> str:
    """`raw` without white space, BOM, NBSP and zero-width characters around it."""
    text = raw.strip()
    while text != (bare := text.strip(_AROUND).strip()):
        text = bare
    return text


def refanged(text: str) -> str:
    """`hxxp`, `[.]`, `(dot)`, `[:]` and their kin as they were meant; other text unchanged.

    The path is touched only when scheme or host were defanged: `[.]` may be part of a real path.
    """
    scheme = _SCHEME.match(text)
    begin = "" if scheme is None else f"http{scheme[1].lower()}://"
    rest = text if scheme is None else text[scheme.end() :]
    was_defanged = scheme is not None and scheme[0].lower() != begin
    slash = _AUTHORITY_END.search(rest)
    cut = len(rest) if slash is None else slash.start()
    authority, tail = rest[:cut], rest[cut:]
    if "[" in authority or "(" in authority or "{" in authority:
        whole = authority
        while whole != (more := _DOT.sub(".", whole)):  # "([.])" was defanged twice
            whole = more
        whole = whole.replace("[:]", ":")
        was_defanged = was_defanged or whole != authority
        authority = whole
    return begin + authority + (_REST.sub(r"\1", tail) if was_defanged else tail)
