"""What reports about a message change: it arrived after all, or it came back (docs/adr/0023).

A bounce voids the clock of every notice that nothing else shows to have arrived: such a notice never had one, and
goes to another contact of its provider.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.models import Event
from audit.record import Actor
from cases.models import Call, Dispatch, DispatchLine, Notice, Reply, ReplyMail, Step
from cases.services.clocks import start_clocks
from cases.services.enqueue import FIRST, enqueue
from cases.services.moving import moving_many
from cases.services.sending.failing import change
from cases.services.sending.fallback import fallback_of
from providers.services import Unfit, suspend_contact

#: Handed over at least to our relay: only such a message can arrive, or come back.
_GONE: Final = (Dispatch.State.RELAYED, Dispatch.State.ACCEPTED)


def arrived(*, dispatch_id: int, evidence: str, by: Actor, now: datetime) -> Dispatch:
    """A delivery report says that their server has a message of which only our relay had told.

    Its clocks start now, when we know, and not when the report says: a term begins late rather than early.
    Harmless for a message of which that is known already, or that came back.
    """
    with transaction.atomic(), moving_many(_lines(dispatch_id), "notify", by=by, now=now) as notices:
        dispatch = _locked(dispatch_id)
        if dispatch.state == Dispatch.State.RELAYED:
            waiting = [n for n in notices if n.state == Notice.State.RECEIVED and n.sent_at is not None]
            at = max([now, *(n.sent_at for n in waiting if n.sent_at)])
            dispatch.accepted_at, dispatch.evidence = at, evidence
            change(dispatch, Dispatch.State.ACCEPTED, "accept", by=by, now=now)
            if dispatch.kind == Dispatch.Kind.FIRST:
                start_clocks(waiting, at=at, estimated=False)
    return dispatch


def bounce(*, dispatch_id: int, words: str, by: Actor, now: datetime) -> Dispatch:
    """A message came back for good: its contact is suspended, and what it stood for is undone. Once.

    `words`: what their server said. A message that still waits (a crash hid that it had gone out) is only kept from
    going there again, by the suspension.
    """
    with transaction.atomic(), moving_many(_lines(dispatch_id), "void", by=by, now=now) as notices:
        dispatch = _locked(dispatch_id)
        if dispatch.state in _GONE:
            dispatch.bounced_at, dispatch.trouble = now, Dispatch.Trouble.BOUNCED
            dispatch.trouble_answer = words[:500]
            change(dispatch, Dispatch.State.BOUNCED, "bounce", by=by, now=now)
            if dispatch.kind == Dispatch.Kind.FIRST:
                _void(dispatch, notices, now=now)
        if dispatch.state != Dispatch.State.CANCELLED:
            _suspend(dispatch, words, by=by, now=now)
        if dispatch.state == Dispatch.State.BOUNCED and dispatch.kind == Dispatch.Kind.REMINDER:
            _remind_elsewhere(dispatch, notices, by=by, now=now)
    return dispatch


def _void(dispatch: Dispatch, notices: Sequence[Notice], *, now: datetime) -> None:
    """Take back what rested on a message alone. Its line is struck: another contact may be told."""
    reached = shown_otherwise(dispatch, notices)
    lost = []
    for notice in notices:
        if notice.pk in reached:
            continue
        if notice.state in {Notice.State.NOTIFIED, Notice.State.ESCALATED}:
            notice.void()
        elif notice.state == Notice.State.RECEIVED:
            notice.come_back()
        else:
            # Removed or taken back meanwhile: nothing runs, and nothing is left to tell anybody.
            continue
        lost.append(notice.pk)
    Step.objects.filter(notice__in=lost).void(at=now)
    dispatch.lines.filter(notice__in=lost, dropped_because="").update(
        dropped_because=DispatchLine.Dropped.BOUNCED
    )


def shown_otherwise(dispatch: Dispatch, notices: Sequence[Notice]) -> set[int]:
    """Those of `notices` that arrived by more than this message's word: the portal showed them to a person, a
    person answered by whatever way, or another message about them was accepted."""
    ids = [notice.pk for notice in notices]
    wrote = ReplyMail.objects.answers().filter(dispatch=dispatch, from_provider=True)
    if wrote.exclude(state=ReplyMail.State.SET_ASIDE).exists():
        return set(ids)
    spoke = Step.objects.filter(notice__in=ids, calls__outcome__in=Call.SPOKE)
    theirs = Q(actor__startswith="user:") | Q(actor__startswith="key:") | Q(actor__startswith="link:")
    people = Q(act="show") | (Q(became=Notice.State.NOTIFIED) & theirs)
    events = Event.objects.filter(people, subject="notice", subject_id__in=ids)
    others = DispatchLine.objects.filter(
        notice__in=ids, step=FIRST, dropped_because="", dispatch__state=Dispatch.State.ACCEPTED
    ).exclude(dispatch=dispatch)
    return {
        *events.values_list("subject_id", flat=True),
        *Reply.objects.filter(notice__in=ids).values_list("notice_id", flat=True),
        *others.values_list("notice_id", flat=True),
        *spoke.values_list("notice_id", flat=True),
    }


def _suspend(dispatch: Dispatch, words: str, *, by: Actor, now: datetime) -> None:
    reason = _("%(number)s came back: %(words)s") % {"number": dispatch.number, "words": words}
    with suppress(Unfit):  # it is suspended already, for the first that came back
        suspend_contact(contact_id=dispatch.contact_id, reason=reason, by=by, now=now)


def _remind_elsewhere(dispatch: Dispatch, notices: Sequence[Notice], *, by: Actor, now: datetime) -> None:
    """The first message stands, and so does the clock; its reminder goes to the contact that is left, if any."""
    contact = fallback_of(dispatch.contact)
    still = [notice for notice in notices if notice.state == Notice.State.ESCALATED]
    if contact is not None and still:
        enqueue(
            contact_id=contact.pk,
            notices=still,
            kind=Dispatch.Kind.REMINDER,
            round_=dispatch.round,
            by=by,
            now=now,
        )


def _lines(dispatch_id: int) -> list[int]:
    lines = DispatchLine.objects.filter(dispatch_id=dispatch_id, dropped_because="")
    return list(lines.values_list("notice_id", flat=True))


def _locked(dispatch_id: int) -> Dispatch:
    return Dispatch.objects.select_related("contact").select_for_update(of=("self",)).get(pk=dispatch_id)
