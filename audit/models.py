"""Events that are only ever added, and the chain of digests that shows if one was touched."""

import pgtrigger
from django.db import models
from django.db.models import Func
from django.utils.translation import gettext_lazy as _


class TransactionId(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's xid8: which transaction wrote the row (never wraps)."""

    def db_type(self, connection: object) -> str:
        return "xid8"


class CurrentTransaction(Func):
    """The id of the running transaction."""

    template = "pg_current_xact_id()"
    output_field = TransactionId()


def never_emptied() -> pgtrigger.Trigger:
    """TRUNCATE goes around the row triggers: refuse it as well."""
    return pgtrigger.Trigger(
        name="never_emptied",
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'the audit is never emptied' USING ERRCODE = 'integrity_constraint_violation';",
    )


class Event(models.Model):
    """One act by one actor on one subject. `was` and `became` are states when the act moved one.

    `data` never holds a URL, a host or a person's identity: references and codes only.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    # Lets the state guard (cases) find the row of its own transaction, and the chain skip what is in flight.
    txid = TransactionId(db_default=CurrentTransaction(), editable=False)
    actor = models.CharField(_("actor"), max_length=40)
    act = models.CharField(_("act"), max_length=40)
    subject = models.CharField(_("subject"), max_length=20)
    subject_id = models.BigIntegerField()
    was = models.CharField(_("was"), max_length=20, blank=True, db_default="")
    became = models.CharField(_("became"), max_length=20, blank=True, db_default="")
    data = models.JSONField(_("data"), null=True, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["pk"]
        indexes = [models.Index(fields=["subject", "subject_id", "id"], name="event_of_subject")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} UTC {self.actor} {self.act} {self.subject}:{self.subject_id}"


class Link(models.Model):
    """One link of the chain: digest = SHA-256(previous digest + the event's bytes), in order of `seq`."""

    seq = models.BigIntegerField(primary_key=True)
    # No foreign key: a deleted event must leave its link behind as evidence.
    event_id = models.BigIntegerField(unique=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["seq"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.seq} -> {self.event_id}"
