"""What goes along with a message."""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """An attachment. `text` may hold addresses of content: it is never logged."""

    name: str
    media_type: str
    text: str

    def __repr__(self) -> str:
        return f"File({self.name})"  # a traceback or a log may print this


class Unmade(Exception):
    """A message cannot be made as it stands, and trying again would not help.

    Its words are for the desk and the log: they say references, never an address.
    """


class NoKey(Unmade):
    """What protects messages to this contact is missing or cannot be used; nothing goes out without it instead."""
