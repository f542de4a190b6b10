"""Text that a spreadsheet does not take for a formula, and back."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """With an apostrophe before what would be one, however many it has already."""
    return f"'{text}" if _would_run(text) else text


def exact(text: str) -> str:
    """What `neutral` was given."""
    return text.removeprefix("'") if _would_run(text) else text


def _would_run(text: str) -> bool:
    return text.lstrip("'").startswith(_FORMULA)
