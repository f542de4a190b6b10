"""How fast messages may go to one contact, and to one host: what every worker has to agree on."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q


class Pace(models.Model):
    """Of "contact:12", or of "host:alfa.example". A row, so that a lost Redis neither opens nor closes anything.

    `paid_until` is the whole account: each message moves it on by its share of the period, and what lies behind
    now is free again (the generic cell rate algorithm of ITU-T I.371).
    """

    name = models.CharField(max_length=300, primary_key=True)
    paid_until = models.DateTimeField(null=True)
    served_at = models.DateTimeField(null=True)
    # After a failure all messages for the contact rest, so that a server in trouble takes one of our hands in turn.
    rests_until = models.DateTimeField(null=True)
    # They named the time themselves.
    asked = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="pace_asked_has_a_moment", condition=Q(asked=False) | Q(rests_until__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.name

    def free_at(self, *, count: int, per: timedelta) -> datetime | None:
        """When the next message may go by a rate of `count` in `per`; None when it may at any time."""
        if not count or self.paid_until is None:
            return None
        return self.paid_until - per + per / count

    def pay(self, *, count: int, per: timedelta, now: datetime) -> None:
        """Account for one message that goes now."""
        self.served_at = now
        if count:
            self.paid_until = max(now, self.paid_until or now) + per / count
