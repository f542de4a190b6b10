"""From a judged notice to a place in the outbox: who hosts it, and whom to tell."""

import logging
import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import Content, Dispatch, DispatchLine, Notice, SecondLook
from cases.services.moving import moving, moving_many
from cases.services.refused import NotFound, WrongState
from providers.models import Attribution, Contact, Provider
from providers.routing import attribute
from providers.sources.resolver import Resolver
from vault.keys import CannotUnseal

logger = logging.getLogger(__name__)

FIRST = "first"
BATCH = 500
#: Above so many lines a message is split (P).
LINES_PER_DISPATCH = 500
HOME = "NL"
#: Name servers that did not answer are asked again after `ASK_AGAIN`, and for so long before a person looks.
ASK_AGAIN = timedelta(minutes=1)
DNS_PATIENCE = timedelta(hours=1)


def attribute_new(*, resolver: Resolver, by: Actor, now: datetime, batch: int = 2_000) -> int:
    """Look up who hosts the notices that have no attribution yet; returns how many were looked up.

    Done before anybody judges, so that the work desk can show the place; done again before sending when it is
    older than the settings allow.
    """
    total = last = 0
    while True:
        ids = list(
            Notice.objects.filter(state=Notice.State.RECEIVED, attribution__isnull=True, pk__gt=last)
            .order_by("pk")
            .values_list("pk", flat=True)[:batch]
        )
        if not ids:
            return total
        last = ids[-1]
        total += _attribute(ids, resolver=resolver, by=by, now=now)


def refresh_attributions(
    notice_ids: Sequence[int], *, resolver: Resolver, by: Actor, now: datetime
) -> set[int]:
    """Look up again what was looked up too long ago to act on; notices that were sent keep their provider.

    Returns those of which nobody can tell now, because the name servers do not answer.
    """
    places = _places_of(notice_ids)
    too_old = now - settings.HOST.attribution_max_age
    stale = [
        pk
        for pk, at, trouble in places
        if at is None or at <= (now - ASK_AGAIN if trouble == Attribution.Trouble.NO_ANSWER else too_old)
    ]
    if stale:
        _attribute(stale, resolver=resolver, by=by, now=now)
        places = _places_of(notice_ids)
    return {pk for pk, _at, trouble in places if trouble == Attribution.Trouble.NO_ANSWER}


def _places_of(notice_ids: Sequence[int]) -> list[tuple[int, datetime | None, str | None]]:
    """(notice, when it was looked up, what went wrong) of those that were not sent."""
    unsent = Notice.objects.filter(pk__in=notice_ids, state=Notice.State.RECEIVED, sent_at__isnull=True)
    return list(unsent.values_list("pk", "attribution__at", "attribution__trouble"))


def _attribute(ids: Sequence[int], *, resolver: Resolver, by: Actor, now: datetime) -> int:
    hosts = {}
    for content in Content.objects.filter(notices__in=ids).only("id", "host_sealed").distinct():
        try:
            hosts[content.pk] = content.host
        except CannotUnseal:
            # Routing holds its notice for a person; its neighbours go on.
            logger.error("content %s does not open: it cannot be looked up", content.pk)
    found = attribute(hosts.values(), resolver=resolver, by=str(by), now=now)
    with moving_many(ids, "attribute", by=by, now=now) as notices:
        for notice in notices:
            unsent = notice.state == Notice.State.RECEIVED and notice.sent_at is None
            if unsent and notice.content_id in hosts:
                answer = found[hosts[notice.content_id]]
                notice.attribution_id, notice.provider_id = answer.pk, answer.provider_id
    return len(notices)


def route_due(*, resolver: Resolver, by: Actor, now: datetime) -> int:
    """Route every notice that is judged illegal and not held; returns how many were looked at."""
    total = 0
    passed: tuple[datetime, int] | None = None
    while True:
        due = Notice.objects.to_route(now=now)
        if passed is not None:
            # What waits for the name servers is still due: go past it.
            due = due.filter(Q(assessed_at__gt=passed[0]) | Q(assessed_at=passed[0], pk__gt=passed[1]))
        rows = list(due.order_by("assessed_at", "pk").only("assessed_at", "pk")[:BATCH])
        if not rows:
            return total
        passed = (rows[-1].assessed_at or now, rows[-1].pk)
        total += route(notice_ids=[row.pk for row in rows], resolver=resolver, by=by, now=now)


def route(*, notice_ids: Sequence[int], resolver: Resolver, by: Actor, now: datetime) -> int:
    """Put notices on the pending dispatch of their provider's contact; returns how many were decided on.

    What cannot be routed is held for a person, with the reason in words; what is hosted abroad is dismissed.
    What the name servers do not answer for is asked again, for an hour.
    """
    refresh_attributions(notice_ids, resolver=resolver, by=by, now=now)
    with moving_many(notice_ids, "route", by=by, now=now) as notices:
        judged = [
            n for n in notices if n.state == Notice.State.RECEIVED and n.assessed_at and not n.routed_at
        ]
        places = Attribution.objects.in_bulk({n.attribution_id for n in judged if n.attribution_id})
        waiting = [n for n in judged if not _asks_again(n, places.get(n.attribution_id), now=now)]
        doubted = set(
            SecondLook.objects.blocking()
            .filter(notice__in=[n.pk for n in waiting])
            .values_list("notice_id", flat=True)
        )
        contacts = _contacts({n.provider_id for n in waiting if n.provider_id})
        on_their_way: dict[int, list[Notice]] = defaultdict(list)
        for notice in waiting:
            place = places[notice.attribution_id] if notice.attribution_id else None
            contact = contacts.get(notice.provider_id) if notice.provider_id else None
            review = _review(notice, place, contact)
            notice.end_hold()
            if notice.pk in doubted:
                # Another hold was over first.
                notice.hold, notice.hold_review = Notice.Hold.SECOND_ASSESSMENT, Notice.Review.SECOND
                notice.hold_by = str(by)
            elif review:
                notice.hold, notice.hold_review, notice.hold_by = Notice.Hold.CONTACT_REVIEW, review, str(by)
            elif place is not None and place.country != HOME:
                notice.dismiss(at=now, because=Notice.Dismissal.HOSTED_ABROAD)
            elif contact is not None:
                # A web server's clock may run ahead of the database's.
                notice.routed_at = max(now, notice.assessed_at or now)
                on_their_way[contact.pk].append(notice)
        for contact_id, group in on_their_way.items():
            enqueue(contact_id=contact_id, notices=group, kind=Dispatch.Kind.FIRST, round_=1, by=by, now=now)
    return len(waiting)


def _asks_again(notice: Notice, place: Attribution | None, *, now: datetime) -> bool:
    """Whether the name servers were silent and may still answer before a person must look."""
    return (
        place is not None
        and place.trouble == Attribution.Trouble.NO_ANSWER
        and place.provider_id is None
        and notice.assessed_at is not None
        and now < notice.assessed_at + DNS_PATIENCE
    )


def _contacts(provider_ids: set[int]) -> dict[int, Contact]:
    """provider -> the contact that is used: the first for notices that is approved and not suspended."""
    usable = Contact.objects.for_notices().filter(provider__in=provider_ids).order_by("-pk")
    return {contact.provider_id: contact for contact in usable}


def _review(notice: Notice, place: Attribution | None, contact: Contact | None) -> str:
    """Why a person must look before this notice can go out; "" when nobody must."""
    if place is None or place.provider_id is None or notice.provider is None:
        return Notice.Review.NOBODY_FOUND
    if notice.provider.kind == Provider.Kind.CDN_PROXY:
        return Notice.Review.CDN_ORIGIN
    if place.country == HOME and contact is None:
        return Notice.Review.NO_CONTACT
    return ""


def enqueue(
    *, contact_id: int, notices: Sequence[Notice], kind: str, round_: int, by: Actor, now: datetime
) -> list[Dispatch]:
    """Put locked notices on the gathering dispatch of a contact, or on new ones; call inside a transaction.

    A first notice waits for the whole grouping window from when it joins, so that it can be taken back; an urgent
    one closes the window at once. One contact hears of one step of a notice once: a line that exists already is
    not added again.
    """
    contact = Contact.objects.select_for_update().get(pk=contact_id)
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
        room = LINES_PER_DISPATCH - dispatch.lines.count()
        taken, todo = todo[:room], todo[room:]
        DispatchLine.objects.bulk_create(
            DispatchLine(dispatch=dispatch, notice=notice, contact=contact, step=step) for notice in taken
        )
        if len(taken) == room:
            dispatch.gathering = False
        dispatch.next_attempt_at = max(dispatch.next_attempt_at or now, now + _window(kind))
        if any(notice.urgent for notice in taken):
            dispatch.gathering, dispatch.next_attempt_at = False, now
        dispatch.save(update_fields=["gathering", "next_attempt_at"])
        filled.append(dispatch)
    return filled


def _gathering(contact: Contact, kind: str, round_: int, *, by: Actor, now: datetime) -> Dispatch:
    found = (
        Dispatch.objects.select_for_update()
        .filter(contact=contact, kind=kind, round=round_, gathering=True, state=Dispatch.State.PENDING)
        .first()
    )
    # Each that joins makes it wait anew: it gathers for one window, and leaves within two.
    if found is not None and (kind != Dispatch.Kind.FIRST or now < found.created_at + _window(kind)):
        return found
    if found is not None:
        found.gathering = False
        found.save(update_fields=["gathering"])
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
    """How long others may join a message, and whoever judged may think again. A reminder waits for nothing."""
    window: timedelta = settings.HOST.grouping_window
    return window if kind == Dispatch.Kind.FIRST else timedelta(0)


def _next_number(now: datetime) -> str:
    """The next number of the hotline's own series. Gaps are allowed, repeats are not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_dispatch_number')")
        (count,) = cursor.fetchone()
    return f"NTD-{now.year}-{count:06d}"


def take_back(*, notice_id: int, by: Actor, now: datetime, seen_version: int | None = None) -> Notice:
    """Undo a judgement while its message still waits, or before it is on one: it returns to the work desk.

    A hold that the judgement or its routing set ends with it; one that a person set stays.
    Raises WrongState once the message is on its way, or a second person judged otherwise; Stale.
    """
    with moving(notice_id, "take_back", by=by, now=now, seen_version=seen_version) as notice:
        line = (
            DispatchLine.objects.select_related("dispatch")
            .select_for_update(of=("self", "dispatch"))
            .filter(notice=notice, step=FIRST, dropped_because="")
            .first()
        )
        on_none = line is None and notice.routed_at is None
        if notice.state != Notice.State.RECEIVED or notice.assessed_at is None:
            raise WrongState(_("This notice is not waiting to be sent."))
        if SecondLook.objects.differing().filter(notice=notice).exists():
            raise WrongState(_("Two people judged it differently: the lead decides."))
        if line is not None and line.dispatch.state == Dispatch.State.PENDING and not line.dispatch.attempt:
            line.dropped_because = DispatchLine.Dropped.TAKEN_BACK
            line.save(update_fields=["dropped_because"])
        elif not on_none:
            raise WrongState(_("This notice is not waiting in the outbox any more."))
        if notice.hold_review:
            notice.end_hold()
        notice.assessed_at = notice.routed_at = None
        # What was urgent stays so: it goes before others on the work desk.
        notice.legal_class = ""
        SecondLook.objects.filter(notice=notice).overtake(at=now)
    return notice


def cancel(*, dispatch_id: int, by: Actor, now: datetime) -> Dispatch:
    """Cancel a whole message that waits or is parked: its notices return to the work desk.

    Raises NotFound, or WrongState once an attempt was made.
    """
    with transaction.atomic():
        ids = list(
            DispatchLine.objects.filter(dispatch_id=dispatch_id, dropped_because="").values_list(
                "notice_id", flat=True
            )
        )
        # Notices first, then the dispatch: the order in which every writer locks them.
        with moving_many(ids, "take_back", by=by, now=now) as notices:
            dispatch = _locked(dispatch_id)
            pending = dispatch.state == Dispatch.State.PENDING and not dispatch.attempt
            if not pending and dispatch.state != Dispatch.State.PARKED:
                raise WrongState(_("This message is on its way or has gone."))
            for notice in notices:
                if notice.state == Notice.State.RECEIVED:
                    notice.assessed_at = notice.routed_at = None
                    notice.legal_class = ""
            SecondLook.objects.filter(notice__in=notices).overtake(at=now)
        was = dispatch.state
        dispatch.state, dispatch.gathering = Dispatch.State.CANCELLED, False
        dispatch.save(update_fields=["state", "gathering"])
        dispatch.lines.filter(dropped_because="").update(dropped_because=DispatchLine.Dropped.CANCELLED)
        record("cancel", "dispatch", dispatch.pk, by=by, at=now, was=was, became=dispatch.state)
    return dispatch


def approve(*, dispatch_id: int, by: Actor, now: datetime) -> Dispatch:
    """A person lets a message go that waited for one. Raises NotFound, WrongState."""
    with transaction.atomic():
        dispatch = _locked(dispatch_id)
        if dispatch.state != Dispatch.State.PENDING or not dispatch.approval_reason or dispatch.approved_by:
            raise WrongState(_("This message does not wait for approval."))
        dispatch.approved_by = str(by)
        dispatch.save(update_fields=["approved_by"])
        record("approve", "dispatch", dispatch.pk, by=by, at=now)
    return dispatch


def retry(*, dispatch_id: int, by: Actor, now: datetime) -> Dispatch:
    """Try a parked message again, with the same Message-ID. Raises NotFound, WrongState."""
    with transaction.atomic():
        dispatch = _locked(dispatch_id)
        if dispatch.state != Dispatch.State.PARKED:
            raise WrongState(_("This message is not parked."))
        dispatch.state, dispatch.failures, dispatch.next_attempt_at = Dispatch.State.PENDING, 0, now
        dispatch.trouble = ""
        dispatch.save(update_fields=["state", "failures", "next_attempt_at", "trouble"])
        record("retry", "dispatch", dispatch.pk, by=by, at=now, was="parked", became=dispatch.state)
    return dispatch


def _locked(dispatch_id: int) -> Dispatch:
    dispatch = Dispatch.objects.select_for_update().filter(pk=dispatch_id).first()
    if dispatch is None:
        raise NotFound(_("There is no such message."))
    return dispatch
