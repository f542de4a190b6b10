"""What became of one hand-over, in the words that the outbox understands."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final, Protocol

#: In an address, also with the brackets that our messages write them with.
_LINK: Final = re.compile(r"://|\[[.:]\]")
#: characters of an answer that are read.
_READ: Final = 2_000


def without_links(words: str) -> str:
    """What a server said, on one line. Servers repeat what they were given, and what they refuse it for: an address
    of content never stands in what is kept of it."""
    printable = "".join(char if char.isprintable() else " " for char in words[:_READ])
    return " ".join("…" if _LINK.search(word) else word for word in printable.split(" "))


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility. `answer`: its words, at most 500 characters.

    `theirs`: it is known to be the provider's own, whatever is said of our relay. `status` and `took`: of a webhook,
    what its server answered in HTTP and how long it took.
    """

    answer: str
    theirs: bool = False
    status: int | None = field(default=None, compare=False)
    took: timedelta | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Failed:
    """It did not. `permanent`: trying again would not help, a person must look.

    `wait`: how long they asked us to wait. `ours`: what failed is on our side (our relay), and says nothing of them.
    `gone`: they say that nothing will ever be taken there again. `status`, `took`: as of Accepted.
    """

    answer: str
    permanent: bool
    wait: timedelta | None = None
    ours: bool = False
    gone: bool = False
    status: int | None = field(default=None, compare=False)
    took: timedelta | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Call:
    """A webhook's message: its id, the instant of this attempt, the body as it is signed, and what signs it."""

    id: str
    at: datetime
    body: bytes
    secrets: tuple[str, ...] = field(repr=False)


class Channel(Protocol):
    """An open session with somebody who takes messages."""

    def hand_over(
        self, message: EmailMessage | Call, *, sender: str, recipient: str
    ) -> Accepted | Failed: ...
