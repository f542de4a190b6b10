"""What became of one hand-over, in the words that the outbox understands."""

from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Protocol


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility. `answer`: its words, at most 500 characters."""

    answer: str


@dataclass(frozen=True)
class Failed:
    """It did not. `permanent`: trying again would not help, a person must look.

    `wait`: how long they asked us to wait. `ours`: what failed is on our side (our relay), and says nothing of them.
    """

    answer: str
    permanent: bool
    wait: timedelta | None = None
    ours: bool = False


class Channel(Protocol):
    """An open session with somebody who takes messages."""

    def hand_over(self, message: EmailMessage, *, sender: str, recipient: str) -> Accepted | Failed: ...
