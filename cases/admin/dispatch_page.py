"""What the page of a message says: its five facts, each attempt, its notices, and the messages around it."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.names import Names
from audit.models import Event
from cases.admin import piles
from cases.admin.sentences import step_name, told
from cases.models import Dispatch, DispatchLine, Link, Notice, ReplyMail
from cases.services.preview import about_to_leave

#: Lines shown on a page; a message has 500 at most.
LINES: Final = 500
#: Other messages about the same notices, and reasons for the addressee, that are shown.
AROUND: Final = 20
WHYS: Final = 5


def load(dispatch_id: int) -> Dispatch:
    """A message with what its page shows. Raises Http404."""
    return get_object_or_404(Dispatch.objects.select_related("contact__provider", "template"), pk=dispatch_id)


def context(request: HttpRequest, dispatch: Dispatch, *, text: str = "") -> dict[str, Any]:
    """What the template needs. `text`: the message as it went out, if this person just asked for it."""
    names, now = Names(), timezone.now()
    events = Event.objects.filter(subject="dispatch", subject_id=dispatch.pk).order_by("-pk")[:200]
    lines = list(
        dispatch.lines.select_related("notice__content", "notice__attribution")
        .defer("notice__content__raw_sealed", "notice__content__host_sealed")
        .order_by("pk")[:LINES]
    )
    attempts = list(dispatch.attempts.order_by("-number")[:50])
    taken = [attempt.ended_at for attempt in attempts if attempt.accepted and attempt.ended_at]
    handed_over_at = max(taken, default=None)
    came_back = list(
        dispatch.came_back.defer("text_sealed", "subject_sealed", "sender_sealed").order_by(
            "received_at", "pk"
        )[:AROUND]
    )
    can = piles.buttons(request, dispatch)
    link = Link.objects.filter(dispatch=dispatch).first()
    return {
        "title": dispatch.number,
        "dispatch": dispatch,
        "text": text,
        "reason": piles.reason(dispatch, now=now, handed_over_at=handed_over_at),
        "handed_over_at": handed_over_at,
        "facts": _facts(dispatch, handed_over_at, came_back),
        "approved_by": names.of(dispatch.approved_by) if dispatch.approved_by else "",
        "contact_approved_by": names.of(dispatch.contact.approved_by) if dispatch.contact.approved_by else "",
        "approvals": f"{reverse('admin:outbox')}?show=approval",
        "on_it": sum(not line.dropped_because for line in lines),
        "whys": _whys(lines),
        "preview": _preview(dispatch, now) if can["can_approve"] else None,
        "lines": [{"line": line, "step": step_name(line.step)} for line in lines],
        "link": link,
        "link_opens": link is not None
        and link.revoked_at is None
        and link.expires_at > now
        and dispatch.contact.usable,
        "link_revoked_by": names.of(link.revoked_by) if link and link.revoked_by else "",
        "attempts": attempts,
        "around": _around(dispatch),
        "came_back": came_back,
        "timeline": [told(event, names.of(event.actor)) for event in events],
        **can,
    }


def _preview(dispatch: Dispatch, now: datetime) -> dict[str, str]:
    subject, text = about_to_leave(dispatch, now=now)
    return {"subject": subject, "text": text}


def _facts(dispatch: Dispatch, handed_over_at: datetime | None, came_back: list[ReplyMail]) -> dict[str, Any]:
    """The five facts of components/facts.html, of all its notices together.

    What a person wrote counts as an answer also while nobody has said yet what it means for the notices.
    """
    receipt = next((mail for mail in came_back if mail.kind == ReplyMail.Kind.RECEIPT), None)
    wrote = [mail.received_at for mail in came_back if mail.is_answer]
    on_it = dispatch.lines.filter(dropped_because="")
    found = on_it.aggregate(
        all=Count("pk"),
        answered=Count("pk", filter=Q(notice__acknowledged_at__isnull=False)),
        answered_at=Min("notice__acknowledged_at"),
        gone=Count("pk", filter=Q(notice__state=Notice.State.REMOVED)),
        gone_at=Max("notice__removed_at"),
        online_at=Max(
            "notice__last_seen_online_at",
            filter=Q(notice__state__in=[Notice.State.NOTIFIED, Notice.State.ESCALATED]),
        ),
    )
    receipt = ReplyMail.objects.receipts().filter(dispatch=dispatch).order_by("pk").first()
    all_gone = bool(found["all"]) and found["gone"] == found["all"]
    observed = found["gone_at"] if all_gone else found["online_at"] or found["gone_at"]
    of_all = _("%(count)d of %(all)d notices")
    return {
        "sent": handed_over_at,
        "accepted": dispatch.accepted_at,
        "accepted_note": _("it came back later") if dispatch.state == Dispatch.State.BOUNCED else "",
        "receipt": receipt.received_at if receipt else None,
        "receipt_note": receipt.ticket if receipt else "",
        "answered": min(filter(None, [found["answered_at"], *wrote]), default=None),
        "answered_note": of_all % {"count": found["answered"], "all": found["all"]}
        if found["answered"]
        else "",
        "observed": observed,
        "observed_as": "gone" if all_gone else "online" if found["online_at"] else "",
        "observed_note": _("%(count)d of %(all)d proven gone") % {"count": found["gone"], "all": found["all"]}
        if observed
        else "",
    }


def _whys(lines: list[DispatchLine]) -> list[dict[str, Any]]:
    """Why this addressee: the reasons of its notices, the most frequent first."""
    counts: dict[str, int] = {}
    for line in lines:
        place = line.notice.attribution
        if place is not None and not line.dropped_because:
            counts[place.why] = counts.get(place.why, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return [{"why": why, "count": count} for why, count in ranked[:WHYS]]


def _around(dispatch: Dispatch) -> list[Dispatch]:
    """The other messages about notices of this one: reminders, what went to another contact, what was cancelled."""
    same = DispatchLine.objects.filter(notice__in=dispatch.lines.values("notice")).exclude(dispatch=dispatch)
    others = Dispatch.objects.filter(pk__in=same.values("dispatch")).select_related("contact")
    return list(others.defer("body_sealed").order_by("-created_at", "-pk")[:AROUND])
