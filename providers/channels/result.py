"""What became of one hand-over, in the words that the outbox understands."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility. `answer`: its words, at most 500 characters.

    `theirs`: it is known to be the provider's own, whatever is said of our relay.
    """

    answer: str
    theirs: bool = False


@dataclass(frozen=True)
class Failed:
    """It did not. `permanent`: trying again would not help, a person must look.

    `wait`: how long they asked us to wait. `ours`: what failed is on our side (our relay), and says nothing of them.
    `gone`: they say that nothing will ever be taken there again.
    """

    answer: str
    permanent: bool
    wait: timedelta | None = None
    ours: bool = False
    gone: bool = False


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
