"""Passed on to a customer or reseller, with a clock of the provider's own; the notice's clock takes no part in it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import BigIntegerField
from django.utils.translation import gettext as _

from audit.record import Actor, event, record_many
from cases import deadlines
from cases.clock import day_in_amsterdam
from cases.models import Forwarding, Message, Notice, Reply
from cases.models.among import Among
from cases.services.conversation import tell_of
from cases.services.moving import moving_many
from cases.services.rules import rule_at
from providers.models import Provider, Relation

#: characters
LONGEST_NAME: Final = 200
#: Seen, or a question: after them the provider waits for its customer as before.
ENDS_NOTHING: Final = frozenset({Reply.Answer.ACKNOWLEDGED, Reply.Answer.NEED_INFORMATION})
#: Forwardings reminded of in one transaction.
_BATCH: Final = 500

Ended = Forwarding.Ended


def customers_of(provider_id: int, *, now: datetime) -> "dict[int, Provider]":
    """The providers that are known as customers or resellers of this one today; by id, in order of name."""
    kinds = [Relation.Kind.RESELLER_OF, Relation.Kind.CUSTOMER_OF]
    relations = Relation.objects.valid_on(day_in_amsterdam(now)).filter(other=provider_id, kind__in=kinds)
    rows = Provider.objects.filter(pk__in=relations.values("provider")).order_by("name", "pk")
    return {provider.pk: provider for provider in rows}


def refusal(
    notice: Notice,
    *,
    expected_by: datetime | None,
    knows_late: bool,
    name: str,
    now: datetime,
) -> str:
    """Why a forwarding of an open notice cannot be kept; "" when it can.

    Later than the notice is due is taken only from who says that they know; once that moment is past, they do.
    """
    if len(name) > LONGEST_NAME or not name.isprintable():
        return _("Say to whom in one line of at most %(most)d characters.") % {"most": LONGEST_NAME}
    if expected_by is None:
        return ""
    if expected_by <= now:
        return _("Expect your customer to act at a moment that is still to come.")
    due_at = notice.due_at or deadlines.due_at(now, rule_at(now).term)
    if expected_by > due_at > now and not knows_late:
        return _(
            "That is after your own due moment, %(due)s UTC, which stays. Say that you know, or choose earlier."
        ) % {"due": f"{due_at:%Y-%m-%d %H:%M}"}
    return ""


def forward(
    replies: Sequence[Reply],
    told: Mapping[int, tuple[int | None, str, datetime | None]],
    *,
    now: datetime,
) -> None:
    """Keep whom locked notices were passed on to; any other answer ends that wait.

    `told`: position in `replies` -> (customer, name, expected by) of those that say so. The answers are saved already.
    Those of ENDS_NOTHING leave it as it is.
    """
    ends = {
        reply.notice_id: Ended.REPLACED if reply.answer == Reply.Answer.FORWARDED else Ended.ANSWERED
        for reply in replies
        if reply.answer not in ENDS_NOTHING
    }
    for because in {*ends.values()}:
        ids = [pk for pk, ended in ends.items() if ended == because]
        Forwarding.objects.filter(Among("notice_id", ids, of=BigIntegerField())).end(at=now, because=because)
    last = {
        reply.notice_id: (reply, told.get(place, (None, "", None)))
        for place, reply in enumerate(replies)
        if reply.answer == Reply.Answer.FORWARDED
    }
    rows = []
    for notice_id, (reply, (customer_id, name, expected_by)) in last.items():
        if ends[notice_id] != Ended.REPLACED:
            continue  # a later answer of the same call ended it
        row = Forwarding(
            notice_id=notice_id,
            reply=reply,
            to_id=customer_id,
            token=uuid.uuid4(),
            at=reply.at,
            by=reply.by,
            expected_by=expected_by,
        )
        row.to_name = name
        rows.append(row)
    Forwarding.objects.bulk_create(rows, batch_size=1_000)


def remind_due(*, by: Actor, now: datetime) -> int:
    """Tell providers whose customer's time is over that we still see the material; returns of how many notices.

    It is told once of each forwarding, by a message about the notice, and only by a check after that time.
    """
    _end_closed(now=now)
    total = 0
    while ids := list(
        Forwarding.objects.run_out(now=now)
        .order_by("expected_by", "pk")
        .values_list("notice_id", flat=True)[:_BATCH]
    ):
        with moving_many(ids, "remind_forwarded", by=by, now=now) as notices:
            rows = list(Forwarding.objects.run_out(now=now).filter(notice__in=notices).order_by("pk"))
            locked = {notice.pk: notice for notice in notices}
            tell_of([locked[row.notice_id] for row in rows], by=by, now=now)
            Message.objects.bulk_create(
                Message(
                    notice_id=row.notice_id,
                    side=Message.Side.HOTLINE,
                    at=now,
                    by=str(by),
                    token=uuid.uuid4(),
                    forwarding=row,
                )
                for row in rows
            )
            Forwarding.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_at=now)
            record_many(event("remind_forwarded", "notice", row.notice_id, by=by, at=now) for row in rows)
        total += len(rows)
        if not rows:
            break  # somebody else has them: the next sweep looks again
    return total


def _end_closed(*, now: datetime) -> None:
    """A notice that is closed leaves nobody to wait for."""
    ended = [Notice.State.REMOVED, Notice.State.WITHDRAWN]
    with transaction.atomic():
        Forwarding.objects.filter(notice__state__in=ended).end(at=now, because=Ended.CLOSED)
