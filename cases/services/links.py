"""The links in mails that open the page of a message: opened, answered by, revoked (docs/adr/0027)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from audit.record import Actor, event, record_many
from cases.formats.letter import ABOUT_MATERIAL
from cases.models import Dispatch, DispatchLine, Link, Notice, Reply
from cases.services import conversation
from cases.services.answers import Answer, Outcome, answer_many, kept_reason, unfit
from cases.services.refused import NotFound, Refused
from cases.services.system_mail import confirm
from cases.services.withdraw import HANDED_OVER

#: What can be said by a link. To forward it names a customer, which is for people who are logged in.
ANSWERS: Final = (
    Reply.Answer.ACKNOWLEDGED,
    Reply.Answer.REMOVED,
    Reply.Answer.ALREADY_GONE,
    Reply.Answer.NOT_OURS,
    Reply.Answer.NEED_INFORMATION,
    Reply.Answer.DISPUTE,
)
_CLOSED: Final = frozenset({Notice.State.REMOVED, Notice.State.WITHDRAWN, Notice.State.DISMISSED})


class Closed(Refused):
    """The link was good, and opens nothing any more: expired, revoked, or its contact is not in use."""

    code = "closed"

    def __init__(self) -> None:
        super().__init__(_("This link does not open anything any more."))


class Late(StrEnum):
    """Why an answer about a notice moves nothing: the message is not the last word on it."""

    CLOSED = "closed"
    NEWER = "newer"


@dataclass(frozen=True)
class OnPage:
    """A notice on the page of a message; `late` is None while an answer counts."""

    notice: Notice
    late: Late | None


@dataclass(frozen=True)
class Opened:
    """What a link opens: its message and what is on it, and nothing else of the provider."""

    link: Link
    dispatch: Dispatch
    lines: tuple[OnPage, ...]

    @property
    def is_overtaken(self) -> bool:
        """No answer by this link counts any more."""
        return all(line.late for line in self.lines)


def opened(*, token: str, now: datetime) -> Opened:
    """What a link opens. Looking changes nothing. Raises NotFound for what never was a link, and Closed."""
    link = Link.objects.by_token(token)
    if link is None:
        raise NotFound(_("There is no such page."))
    dispatch = link.dispatch
    if link.revoked_at is not None or link.expires_at <= now or not dispatch.contact.usable:
        raise Closed
    lines = _lines(dispatch)
    # Not out yet, come back undelivered, or all of it taken back.
    if dispatch.state not in HANDED_OVER or all(
        line.notice.state == Notice.State.WITHDRAWN for line in lines
    ):
        raise Closed
    return Opened(link, dispatch, lines)


def _lines(dispatch: Dispatch) -> tuple[OnPage, ...]:
    """Its notices as far as they are still the provider's, in the order of the message."""
    newer = DispatchLine.objects.filter(
        notice=OuterRef("pk"),
        dropped_because="",
        dispatch__gt=dispatch.pk,
        dispatch__kind__in=ABOUT_MATERIAL,
        dispatch__state__in=HANDED_OVER,
    )
    found = (
        Notice.objects.of(dispatch.contact.provider_id)
        .filter(dispatch_lines__dispatch=dispatch, dispatch_lines__dropped_because="")
        .select_related("content")
        .defer("content__raw_sealed", "content__host_sealed")
        .annotate(is_overtaken=Exists(newer))
        .order_by("pk")
    )
    return tuple(OnPage(notice, _late(notice)) for notice in found)


def _late(notice: Notice) -> Late | None:
    if notice.state in _CLOSED:
        return Late.CLOSED
    return Late.NEWER if getattr(notice, "is_overtaken", False) else None


def answer(*, token: str, answers: Sequence[Answer], now: datetime) -> list[Outcome]:
    """What whoever holds a link says about notices on its page, one outcome each, in the order given.

    Where the message was overtaken the answer is kept, and moves nothing. What is not on the page does not exist.
    The contact of the message gets a confirmation, whoever it was that answered. Raises NotFound, Closed.
    """
    with transaction.atomic():
        # Who revokes waits for us, or we for them.
        found = Link.objects.by_token(token)
        if found is not None:
            Link.objects.select_for_update().get(pk=found.pk)
        page = opened(token=token, now=now)
        by = Actor.link(page.dispatch.number)
        on_it = {line.notice.reference: line for line in page.lines}
        counting = [each for each in answers if (line := on_it.get(each.reference)) and line.late is None]
        outcomes = {
            outcome.reference: outcome
            for outcome in answer_many(
                provider_id=page.dispatch.contact.provider_id, answers=counting, by=by, now=now
            )
        }
        late = [each for each in answers if each.reference in on_it and each.reference not in outcomes]
        outcomes |= _kept(late, on_it, by=by, now=now)
        nowhere = [each.reference for each in answers if each.reference not in outcomes]
        outcomes |= {name: Outcome(name, "refused", _("There is no such notice.")) for name in nowhere}
        if any(outcome.outcome == "recorded" for outcome in outcomes.values()):
            confirm(dispatch=page.dispatch, now=now)
    return [outcomes[each.reference] for each in answers]


def _kept(
    answers: Sequence[Answer], on_it: Mapping[str, OnPage], *, by: Actor, now: datetime
) -> dict[str, Outcome]:
    """Answers that come too late, written down beside the notice; the same one only once."""
    before = {
        (reply.notice_id, reply.answer, reply.reason, reply.note)
        for reply in Reply.objects.filter(
            notice__in=[on_it[each.reference].notice.pk for each in answers], late=True, by=str(by)
        )
    }
    outcomes, replies = {}, []
    for each in answers:
        notice, reason = on_it[each.reference].notice, kept_reason(each)
        refusal = unfit(each, now=now)
        if notice.state == Notice.State.WITHDRAWN:
            refusal = _("This notice was withdrawn: there is nothing left to do.")
        if refusal:
            outcomes[each.reference] = Outcome(each.reference, "refused", refusal)
            continue
        if (notice.pk, each.answer, reason, each.note) in before:
            outcomes[each.reference] = Outcome(each.reference, "unchanged")
            continue
        reply = Reply(
            notice=notice, answer=each.answer, at=now, claimed_at=each.at, by=str(by), reason=reason,
            token=uuid.uuid4(), late=True,
        )  # fmt: skip
        reply.note = each.note
        replies.append(reply)
        outcomes[each.reference] = Outcome(each.reference, "recorded")
    Reply.objects.bulk_create(replies)
    # A question waits for us however late it comes.
    conversation.asked(replies)
    record_many(
        event("reply", "notice", reply.notice_id, by=by, at=now, data={"answer": reply.answer, "late": True})
        for reply in replies
    )
    return outcomes


def revoke(*, dispatch_id: int, provider_id: int | None, by: Actor, now: datetime) -> None:
    """Let a link open nothing any more. `provider_id`: whose it must be; None for staff. Raises NotFound."""
    with transaction.atomic():
        mine = Link.objects.filter(pk=dispatch_id, revoked_at__isnull=True)
        if provider_id is not None:
            mine = mine.of(provider_id)
        _revoke(list(mine.values_list("pk", flat=True)), by=by, now=now, may_be_none=False)


def revoke_all(*, provider_id: int, by: Actor, now: datetime) -> int:
    """Let no link of this provider open anything any more; returns how many did."""
    with transaction.atomic():
        live = Link.objects.of(provider_id).live(now=now)
        return _revoke(list(live.values_list("pk", flat=True)), by=by, now=now, may_be_none=True)


def _revoke(ids: Sequence[int], *, by: Actor, now: datetime, may_be_none: bool) -> int:
    open_ = Link.objects.select_for_update().filter(pk__in=ids, revoked_at__isnull=True).order_by("pk")
    found = list(open_.values_list("pk", flat=True))
    if not found and not may_be_none:
        raise NotFound(_("This link is not open any more."))
    Link.objects.filter(pk__in=found).update(revoked_at=now, revoked_by=str(by))
    record_many(event("revoke_link", "dispatch", pk, by=by, at=now) for pk in found)
    return len(found)
