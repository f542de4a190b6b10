"""A notice as one row of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from cases.models import Forwarding, Message, Notice, Reply
from cases.models.assessment import LegalClass
from portal.shown.claims import BADGES, ClaimShown, claims

#: An answer -> tone and icon of its badge; its words are the model's.
ANSWERS: Final = {
    Reply.Answer.ACKNOWLEDGED: ("info", "person"),
    Reply.Answer.REMOVED: ("info", "check"),
    Reply.Answer.ALREADY_GONE: ("info", "check"),
    Reply.Answer.NOT_OURS: ("warn", "flag"),
    Reply.Answer.FORWARDED: ("info", "arrow-right"),
    Reply.Answer.NEED_INFORMATION: ("warn", "question"),
    Reply.Answer.DISPUTE: ("warn", "flag"),
}


#: What a row reads of a notice, its content and its place: the columns and instants of all three take as long to read as
#: the rest of the page's queries.
COLUMNS: Final = (
    "reference", "state", "legal_class", "sent_at", "notified_at", "due_at", "claim_answer", "claimed_removed_at",
    "last_seen_online_at", "gone_since", "customer_reference", "content__url_sealed", "attribution__address",
    "attribution__asn", "attribution__network_name",
)  # fmt: skip
#: Stands for a reference while an address is made.
_ANY: Final = "N-0000000000"


@dataclass(frozen=True)
class Answered:
    """The last thing that somebody of the provider said."""

    words: str
    tone: str
    icon: str
    at: datetime
    # When they say it happened: told, or else the moment they told us.
    happened_at: datetime

    @classmethod
    def of(cls, reply: Reply) -> "Answered":
        """The words and the look of a reply."""
        tone, icon = ANSWERS[Reply.Answer(reply.answer)]
        return cls(str(reply.get_answer_display()), tone, icon, reply.at, reply.claimed_at or reply.at)


@dataclass(frozen=True)
class Row:
    """A notice in the list. `observed` is a code of the badges, `observed_at` its instant."""

    notice: Notice
    href: str
    legal_class: str
    answered: Answered | None
    observed: str
    observed_at: datetime | None
    overdue: bool
    is_open: bool
    # What we say to their claim, when they made one and it is not closed yet.
    claim: ClaimShown | None
    # A message of ours that nobody of theirs has read.
    is_unread: bool
    # To whom it was passed on, and by when they are expected to act.
    forwarding: Forwarding | None


def rows(notices: Sequence[Notice], *, now: datetime) -> list[Row]:
    """The rows of one page, in its order. Four queries however long it is."""
    ids = [notice.pk for notice in notices]
    # Made once: an address for each row takes as long as the row's queries.
    page = reverse("portal:notice", args=[_ANY])
    last = _last_per_notice(Reply.objects.filter(notice__in=ids, late=False))
    claimed = claims(notices)
    unread = set(Message.objects.unread().filter(notice__in=ids).values_list("notice_id", flat=True))
    waits = Forwarding.objects.open().filter(notice__in=ids, expected_by__isnull=False).select_related("to")
    passed_on = {forwarding.notice_id: forwarding for forwarding in waits}
    return [
        _row(
            notice,
            page.replace(_ANY, notice.reference),
            last.get(notice.pk),
            claimed.get(notice.pk),
            passed_on.get(notice.pk),
            is_unread=notice.pk in unread,
            now=now,
        )
        for notice in notices
    ]


def _last_per_notice(replies: Any) -> dict[int, Reply]:
    newest = replies.order_by("notice_id", "-at", "-pk").distinct("notice_id")
    return {reply.notice_id: reply for reply in newest.only("notice_id", "answer", "at", "claimed_at")}


def _row(
    notice: Notice,
    href: str,
    last: Reply | None,
    claim: ClaimShown | None,
    passed_on: Forwarding | None,
    *,
    is_unread: bool,
    now: datetime,
) -> Row:
    observed, observed_at = observation(notice)
    is_open = notice.state in {Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED}
    return Row(
        notice=notice,
        href=href,
        legal_class=class_words(notice),
        answered=Answered.of(last) if last else None,
        observed=observed,
        observed_at=observed_at,
        overdue=is_open and notice.due_at is not None and notice.due_at <= now,
        is_open=is_open,
        claim=claim if is_open else None,
        is_unread=is_unread,
        forwarding=passed_on if is_open else None,
    )


def class_words(notice: Notice) -> str:
    """The legal class in the reader's language; "" before it is known."""
    return str(LegalClass(notice.legal_class).label) if notice.legal_class else ""


def observation(notice: Notice) -> tuple[str, datetime | None]:
    """What we observe, as a code of the badges, and since when or when. From the notice's own facts."""
    online = notice.last_seen_online_at
    if notice.state == Notice.State.REMOVED:
        return ("confirmed" if notice.claimed_removed_at else "gone"), notice.gone_since
    if notice.claim_answer and notice.state != Notice.State.WITHDRAWN:
        return BADGES[Notice.ClaimAnswer(notice.claim_answer)], online if notice.is_contradicted else None
    return ("online" if online else ""), online
