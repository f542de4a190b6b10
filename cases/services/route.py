"""From a judged notice to a place in the outbox: who hosts it, and whom to tell."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from audit.record import Actor
from cases.models import Content, Dispatch, Notice, SecondLook
from cases.services.enqueue import enqueue
from cases.services.moving import moving_many
from providers.models import Attribution, Contact, Provider
from providers.routing import attribute
from providers.sources.resolver import Resolver
from vault.keys import CannotUnseal

logger = logging.getLogger(__name__)

BATCH = 500
HOME = "NL"
#: What name servers or registries may still answer is looked up again after `ASK_AGAIN`, and waited for so long
#: before a person looks.
ASK_AGAIN = timedelta(minutes=1)
PATIENCE = {
    Attribution.Trouble.NO_ANSWER.value: timedelta(hours=1),
    Attribution.Trouble.ASKING.value: timedelta(minutes=10),
}


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
        if at is None or at <= (now - ASK_AGAIN if trouble in PATIENCE else too_old)
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
    """Whether name servers or registries were silent and may still answer before a person must look."""
    return (
        place is not None
        and place.trouble in PATIENCE
        and place.provider_id is None
        and notice.assessed_at is not None
        and now < notice.assessed_at + PATIENCE[place.trouble]
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
