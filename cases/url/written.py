"""What people write to us, without the addresses in it: a text is shown, an address only by a recorded reveal."""

import re
from typing import Final

# Each takes time that grows with the text and no faster: anybody writes these texts, and long ones.
_WORD: Final = re.compile(r"\S+")
_DOT: Final = re.compile(r"\.|dot", re.IGNORECASE)
#: Anything that begins like an address, defanged or not; up to the next space.
_ADDRESS: Final = re.compile(r"(?:h..ps?\s?:|www\.|//)\S+", re.IGNORECASE)
_MASK: Final = "[…]"


def without_addresses(text: str) -> str:
    """`text` with every address left out."""
    return _ADDRESS.sub(_MASK, _WORD.sub(_unless_host_and_path, text))


def _unless_host_and_path(word: re.Match[str]) -> str:
    """A word as it is; left out when it has a dot, in whatever disguise, and a slash behind it."""
    before, slash, _path = word[0].rpartition("/")
    return _MASK if slash and _DOT.search(before, 1) else word[0]
