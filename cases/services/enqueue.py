"""A place in the outbox: notices for one contact gather on one message."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final

from django.conf import settings
from django.db import connection

from audit.record import Actor, record
from cases.models import Dispatch, DispatchLine, Notice, Place
from cases.services.restored import CATCHING_UP, look_round
from providers.models import Contact

FIRST = "first"
#: Kinds of which one message gathers several notices for a while; others wait for nothing.
_GATHERING: Final = frozenset({Dispatch.Kind.FIRST, Dispatch.Kind.MESSAGE})


def enqueue(
    *, contact_id: int, notices: Sequence[Notice], kind: str, round_: int, by: Actor, now: datetime
) -> list[Dispatch]:
    """Put locked notices on the gathering dispatch of a contact, or on new ones; call inside a transaction.

    A first notice waits for the whole grouping window from when it joins, so that it can be taken back; an urgent
    one closes the window at once. One contact hears of one step of a notice once: a line that exists already is
    not added again. When more notices wait for a contact than the settings let go by themselves, a person looks.
    """
    contact = Contact.objects.select_related("provider").select_for_update(of=("self",)).get(pk=contact_id)
    place = look_round(by=by, now=now)
    step = FIRST if kind == Dispatch.Kind.FIRST else f"{kind}-{round_}"
    told = set(
        DispatchLine.objects.filter(
            contact=contact, step=step, dropped_because="", notice__in=[n.pk for n in notices]
        ).values_list("notice_id", flat=True)
    )
    todo = [notice for notice in notices if notice.pk not in told]
    filled = []
    while todo:
        dispatch = _gathering(contact, kind, round_, by=by, now=now)
        room = max(0, most_lines(contact) - dispatch.lines.count())
        taken, todo = todo[:room], todo[room:]
        DispatchLine.objects.bulk_create(
            DispatchLine(dispatch=dispatch, notice=notice, contact=contact, step=step) for notice in taken
        )
        if len(taken) == room:
            dispatch.gathering = False
        dispatch.next_attempt_at = max(dispatch.next_attempt_at or now, now + _window(kind))
        if any(_is_doubted(notice, kind, place, now=now) for notice in taken):
            dispatch.approval_reason, dispatch.approved_by = Dispatch.Approval.RESTORED, ""
        if any(notice.urgent for notice in taken):
            dispatch.urgent, dispatch.gathering, dispatch.next_attempt_at = True, False, now
        dispatch.save(
            update_fields=["urgent", "gathering", "next_attempt_at", "approval_reason", "approved_by"]
        )
        filled.append(dispatch)
    if kind == Dispatch.Kind.FIRST:
        _let_somebody_look_at_many(contact)
    return filled


def _is_doubted(notice: Notice, kind: str, place: Place, *, now: datetime) -> bool:
    """Whether its contact may have heard of this already, in the time that was lost when a backup was put back."""
    if place.doubted_until is None:
        return False
    if kind == Dispatch.Kind.FIRST:
        return notice.received_at <= place.doubted_until
    return now < place.since + CATCHING_UP


def most_lines(contact: Contact) -> int:
    """Above so many lines a message is split: the provider's own number, or that of the settings.

    A webhook is about one notice: each is accepted by itself.
    """
    if contact.channel == Contact.Channel.WEBHOOK:
        return 1
    most: int = contact.provider.most_lines or settings.HOST.lines_per_message
    return most


def _let_somebody_look_at_many(contact: Contact) -> None:
    waiting = Dispatch.objects.filter(
        contact=contact, kind=Dispatch.Kind.FIRST, state=Dispatch.State.PENDING, attempt=0, approved_by=""
    )
    lines = DispatchLine.objects.filter(dispatch__in=waiting, dropped_because="").count()
    if lines > settings.HOST.approve_above_lines:
        waiting.filter(approval_reason="").update(approval_reason=Dispatch.Approval.MANY_LINES)


def split(dispatch: Dispatch, *, by: Actor, now: datetime) -> Dispatch:
    """Move the second half of the lines of a locked dispatch, which no copy of went out, to a message of their own.

    Both are due at once. Returns the new one.
    """
    lines = list(dispatch.lines.filter(dropped_because="").order_by("notice_id").values_list("pk", flat=True))
    other = _new(dispatch.contact, dispatch.kind, dispatch.round, by=by, now=now)
    for each in (dispatch, other):
        each.gathering, each.leased_until, each.next_attempt_at = False, None, now
    other.urgent = dispatch.urgent
    other.approval_reason, other.approved_by = dispatch.approval_reason, dispatch.approved_by
    dispatch.save(update_fields=["gathering", "leased_until", "next_attempt_at"])
    other.save()
    DispatchLine.objects.filter(pk__in=lines[len(lines) // 2 :]).update(dispatch=other)
    record("split", "dispatch", dispatch.pk, by=by, at=now, data={"number": other.number})
    return other


def _gathering(contact: Contact, kind: str, round_: int, *, by: Actor, now: datetime) -> Dispatch:
    found = (
        Dispatch.objects.select_for_update()
        .filter(contact=contact, kind=kind, round=round_, gathering=True, state=Dispatch.State.PENDING)
        .first()
    )
    # Each that joins makes it wait anew: it gathers for one window, and leaves within two.
    if found is not None and (kind not in _GATHERING or now < found.created_at + _window(kind)):
        return found
    if found is not None:
        found.gathering = False
        found.save(update_fields=["gathering"])
    return _new(contact, kind, round_, by=by, now=now)


def _new(contact: Contact, kind: str, round_: int, *, by: Actor, now: datetime) -> Dispatch:
    number = _next_number(now)
    domain = parseaddr(settings.HOST.sender_address)[1].rpartition("@")[2]
    dispatch = Dispatch.objects.create(
        number=number,
        contact=contact,
        kind=kind,
        round=round_,
        message_id=f"<{number.lower()}.{secrets.token_hex(8)}@{domain}>",
        token=secrets.token_urlsafe(32),
        created_at=now,
        next_attempt_at=now + _window(kind),
        approval_reason="" if contact.known_since else Dispatch.Approval.NEW_CONTACT,
    )
    record("enqueue", "dispatch", dispatch.pk, by=by, at=now, became=dispatch.state, data={"number": number})
    return dispatch


def _window(kind: str) -> timedelta:
    """How long others may join a message, and whoever judged or wrote may think again. A reminder waits for nothing."""
    window: timedelta = settings.HOST.grouping_window
    return window if kind in _GATHERING else timedelta(0)


def _next_number(now: datetime) -> str:
    """The next number of the hotline's own series. Gaps are allowed, repeats are not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_dispatch_number')")
        (count,) = cursor.fetchone()
    return f"NTD-{now.year}-{count:06d}"
