"""The log of calls to webhooks: each is written down before it starts, and finished when it ends."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from cases.formats import event
from cases.models import Delivery, Dispatch
from cases.services.writing import fields_of, write_rows
from providers.channels.result import Accepted, Call, Failed

#: How long the log is kept (P).
KEPT: Final = timedelta(days=30)
_ENDED: Final = fields_of(Delivery, "accepted", "http_status", "took_ms", "answer")


def begin(calls: Sequence[tuple[Dispatch, Call]]) -> None:
    """These calls are about to be made, by themselves."""
    if calls:
        Delivery.objects.bulk_create(
            Delivery(
                provider_id=dispatch.contact.provider_id,
                contact_id=dispatch.contact_id,
                dispatch=dispatch,
                kind=Delivery.Kind.SENT,
                number=dispatch.attempt,
                type=event.TYPES[dispatch.kind],
                webhook_id=call.id,
                started_at=call.at,
            )
            for dispatch, call in calls
        )


def never_begun(dispatch_id: int, number: int) -> None:
    """Nobody made this call after all."""
    Delivery.objects.filter(dispatch=dispatch_id, number=number).delete()


def end(results: Mapping[tuple[int, int], Accepted | Failed]) -> None:
    """What became of calls, by (dispatch, attempt); what has no row is no call."""
    if not results:
        return
    found = Delivery.objects.filter(
        dispatch__in={dispatch for dispatch, _number in results},
        number__in={number for _dispatch, number in results},
    )
    rows = [row for row in found if (row.dispatch_id, row.number) in results]
    for row in rows:
        finish(row, results[row.dispatch_id or 0, row.number or 0])
    write_rows(rows, _ENDED)


def finish(row: Delivery, result: Accepted | Failed) -> None:
    """Put what became of a call in its row; the caller saves it."""
    row.accepted, row.http_status = isinstance(result, Accepted), result.status
    row.took_ms = None if result.took is None else round(result.took.total_seconds() * 1000)
    row.answer = result.answer[:500]


def forget_old(*, now: datetime) -> None:
    """Delete what is older than KEPT."""
    Delivery.objects.filter(started_at__lt=now - KEPT).delete()
