"""A CDN or proxy is asked which server is behind it, and its answer leads the notices on.

Asking is automatic: whoever is asked is an approved contact, and a host behind a proxy reaches nobody else. What comes
back is typed in by a person, who says how we know. No provider's clock hangs on any of it.
"""

import re
from collections import defaultdict
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from audit.record import Actor, event, record_many
from cases import url as urls
from cases.models import Dispatch, Notice, OriginRequest
from cases.services.enqueue import enqueue
from cases.services.moving import moving_many
from cases.services.refused import Invalid, NotFound, WrongState
from providers.hosts import literal
from providers.models import Contact, Origin
from providers.routing import look_up
from providers.sources.resolver import Resolver

#: Hosts that one transaction asks about.
BATCH: Final = 500
_ALONE: Final = re.compile(r"[^\s/@?#\\]{1,253}")


def waiting() -> QuerySet[Notice]:
    """Notices that are judged and held because a CDN or proxy stands before the server."""
    return Notice.objects.filter(
        state=Notice.State.RECEIVED,
        hold=Notice.Hold.CONTACT_REVIEW,
        hold_review=Notice.Review.CDN_ORIGIN,
        assessed_at__isnull=False,
    )


def ask_due(*, by: Actor, now: datetime) -> int:
    """Ask about every host that a notice waits for and nobody was asked about; returns how many.

    A proxy without a usable contact is asked as soon as it has one. Questions that nobody waits for any more are closed.
    """
    _close_moot(now=now)
    total = 0
    while True:
        asked = _ask_some(by=by, now=now)
        total += asked
        if asked < BATCH:
            return total


def ask_again(*, request_id: int, by: Actor, now: datetime) -> OriginRequest:
    """Ask once more, with a new due moment. Raises NotFound, WrongState."""
    with transaction.atomic():
        request = _open(request_id)
        contact = _contacts({request.proxy_id}).get(request.proxy_id)
        if contact is None:
            raise WrongState(_("It has no approved contact that is in use."))
        request.round += 1
        request.asked_at, request.due_at = now, now + settings.HOST.origin_within
        request.save(update_fields=["round", "asked_at", "due_at"])
        _enqueue(contact, [request], by=by, now=now)
    return request


def answer(*, request_id: int, server: str, reason: str, resolver: Resolver, by: Actor, now: datetime) -> int:
    """Record the server behind a host, and let the notices go on to whoever hosts it; returns how many.

    `server` is an address or a host name, as somebody typed it; `reason` says how we know.
    Raises NotFound, WrongState, Invalid.
    """
    told, reason = _server(server), reason.strip()
    if not reason or len(reason) > 300 or not reason.isprintable():
        raise Invalid(_("Say in a line how we know: who told us, and how."))
    request = OriginRequest.objects.select_related("proxy").filter(pk=request_id).first()
    if request is None:
        raise NotFound(_("There is no such question."))
    # The network is asked before anything is locked.
    there = look_up([told], resolver=resolver, by=str(by), now=now)[told]
    if there.provider_id == request.proxy_id:
        raise Invalid(_("That is %(proxy)s itself, not the server behind it.") % {"proxy": request.proxy})
    ids = list(_waits_for(request).order_by("pk").values_list("pk", flat=True))
    with moving_many(ids, "learn_origin", by=by, now=now) as notices:
        request = _open(request_id)
        origin = Origin(proxy=request.proxy, host_key=request.host_key, reason=reason, at=now, by=str(by))
        origin.host, origin.server = request.notice.content.host, told
        origin.save(force_insert=True)
        request.outcome, request.closed_at, request.origin = OriginRequest.Outcome.ANSWERED, now, origin
        request.save(update_fields=["outcome", "closed_at", "origin"])
        freed = [notice for notice in notices if notice.hold_review == Notice.Review.CDN_ORIGIN]
        for notice in freed:
            # The next routing looks it up anew, and comes out behind the proxy.
            notice.end_hold()
            notice.attribution_id = notice.provider_id = None
    return len(freed)


def _ask_some(*, by: Actor, now: datetime) -> int:
    open_already = OriginRequest.objects.filter(
        outcome=OriginRequest.Outcome.WAITS,
        proxy=OuterRef("provider"),
        host_key=OuterRef("content__host_key"),
    )
    usable = Contact.objects.for_notices().filter(provider=OuterRef("provider"))
    carriers = (
        waiting()
        .filter(~Exists(open_already), Exists(usable))
        .order_by("provider_id", "content__host_key", "pk")
        .distinct("provider_id", "content__host_key")
    )
    ids = list(carriers.values_list("pk", flat=True)[:BATCH])
    with transaction.atomic():
        # Whoever was taken back meanwhile carries no question.
        notices = list(
            waiting()
            .filter(pk__in=ids)
            .select_related("content")
            .select_for_update(of=("self",))
            .order_by("pk")
        )
        contacts = _contacts({notice.provider_id for notice in notices if notice.provider_id})
        before = _asked_before(notices)
        groups: dict[int, list[OriginRequest]] = defaultdict(list)
        for notice in notices:
            key = bytes(notice.content.host_key)
            rounds, still_open = before.get((notice.provider_id, key), (0, False))
            # Another sweep may have asked while we waited for the lock.
            if notice.provider_id in contacts and not still_open:
                groups[notice.provider_id].append(
                    OriginRequest(
                        proxy_id=notice.provider_id,
                        host_key=key,
                        notice=notice,
                        round=rounds + 1,
                        asked_at=now,
                        due_at=now + settings.HOST.origin_within,
                    )
                )
        for proxy_id, group in sorted(groups.items()):
            OriginRequest.objects.bulk_create(group)
            _enqueue(contacts[proxy_id], group, by=by, now=now)
    return len(ids)


def _enqueue(contact: Contact, requests: list[OriginRequest], *, by: Actor, now: datetime) -> None:
    """Put questions in the outbox, one line for each host, grouped by how often it was asked."""
    rounds: dict[int, list[Notice]] = defaultdict(list)
    for request in requests:
        rounds[request.round].append(request.notice)
    for round_, notices in sorted(rounds.items()):
        enqueue(
            contact_id=contact.pk, notices=notices, kind=Dispatch.Kind.ORIGIN, round_=round_, by=by, now=now
        )
    record_many(
        event("ask_origin", "notice", request.notice_id, by=by, at=now, data={"round": request.round})
        for request in requests
    )


def _asked_before(notices: list[Notice]) -> dict[tuple[int | None, bytes], tuple[int, bool]]:
    """(proxy, host) -> how often it was asked, for one contact hears of one round once; and whether it waits."""
    asked = (
        OriginRequest.objects.filter(
            proxy__in={notice.provider_id for notice in notices},
            host_key__in={bytes(notice.content.host_key) for notice in notices},
        )
        .values_list("proxy_id", "host_key")
        .annotate(most=Max("round"), waits=Count("pk", filter=Q(outcome="")))
        .order_by()
    )
    return {(proxy, bytes(key)): (most, waits > 0) for proxy, key, most, waits in asked}


def _contacts(provider_ids: set[int]) -> dict[int, Contact]:
    usable = Contact.objects.for_notices().filter(provider__in=provider_ids).order_by("-pk")
    return {contact.provider_id: contact for contact in usable}


def _close_moot(*, now: datetime) -> None:
    needed = waiting().filter(provider=OuterRef("proxy"), content__host_key=OuterRef("host_key"))
    OriginRequest.objects.filter(~Exists(needed), outcome=OriginRequest.Outcome.WAITS).update(
        outcome=OriginRequest.Outcome.MOOT, closed_at=now
    )


def _waits_for(request: OriginRequest) -> QuerySet[Notice]:
    return waiting().filter(provider=request.proxy_id, content__host_key=request.host_key)


def _open(request_id: int) -> OriginRequest:
    request = (
        OriginRequest.objects.select_related("proxy", "notice__content")
        .select_for_update(of=("self",))
        .filter(pk=request_id)
        .first()
    )
    if request is None:
        raise NotFound(_("There is no such question."))
    if request.outcome:
        raise WrongState(_("This question waits for no answer any more."))
    return request


def _server(text: str) -> str:
    """An address or host name in canonical form. Raises Invalid."""
    typed = text.strip()
    address = literal(typed)
    host = f"[{address}]" if ":" in address else address or typed
    if not address and not _ALONE.fullmatch(host):
        raise Invalid(_("Type an IP address or a host name, and nothing else."))
    try:
        return urls.parse(f"http://{host}/").host
    except (urls.Refusal, urls.Quarantine):
        raise Invalid(_("This is no address or host name that the Internet can reach.")) from None
