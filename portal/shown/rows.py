"""A notice as one row of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypedDict

from django.db.models import F, Prefetch
from django.urls import reverse

from cases.models import Content, Forwarding, Message, Notice, Reply
from cases.models.assessment import LegalClass
from cases.models.notice import NoticeQuerySet
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
_COLUMNS: Final = (
    "reference", "state", "legal_class", "sent_at", "notified_at", "due_at", "claim_answer", "claimed_removed_at",
    "last_seen_online_at", "gone_since", "customer_reference",
)  # fmt: skip
_OPEN: Final = frozenset({Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED})
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


class Row(TypedDict):
    """A notice in the list. `observed` is a code of the badges, `observed_at` its instant.

    Flat, and a dict: a template finds a key at once, but an attribute of an attribute after two failures.
    """

    reference: str
    href: str
    customer_reference: str
    masked_url: str
    # The address and its network, as far as we know them and the page says so.
    place: str
    legal_class: str
    sent_at: datetime | None
    notified_at: datetime | None
    due_at: datetime | None
    state: str
    overdue: bool
    is_open: bool
    # The last thing that somebody of the provider said.
    answered: Answered | None
    # By when they expect whom they passed it on to.
    expected_by: datetime | None
    observed: str
    observed_at: datetime | None
    # What we say to their claim, when they made one and it is not closed yet.
    claim: ClaimShown | None
    # A message of ours that nobody of theirs has read.
    is_unread: bool


def read(notices: NoticeQuerySet, *, late: bool) -> NoticeQuerySet:
    """With what a row shows, and no more.

    `late`: the content is read after the rows of the page are known. Where a filter goes through thousands, each
    content would be joined, and its row security asked, before fifty are shown.
    """
    # As values: an object for each place takes longer than reading it.
    notices = notices.annotate(
        at=F("attribution__address"), asn=F("attribution__asn"), network=F("attribution__network_name")
    )
    if late:
        content = Prefetch("content", Content.objects.only("url_sealed"))
        return notices.only("content", *_COLUMNS).prefetch_related(content)
    return notices.select_related("content").only("content__url_sealed", *_COLUMNS)


def rows(
    notices: Sequence[Notice], *, now: datetime, placed: bool = False, some_unread: bool = False
) -> list[Row]:
    """The rows of one page, in its order. At most four queries however long it is.

    `placed`: whether the page says where each is; its notices come from `read`. `some_unread`: whether the
    provider has an unread message at all; without one no row is asked for its own.
    """
    ids = [notice.pk for notice in notices]
    # Made once: an address for each row takes as long as the row's queries.
    page = reverse("portal:notice", args=[_ANY])
    last = _last_per_notice(Reply.objects.filter(notice__in=ids, late=False))
    claimed = claims(notices)
    unread = _unread(ids) if some_unread else frozenset()
    # Another answer ends a forwarding.
    forwarded = [pk for pk, reply in last.items() if reply.answer == Reply.Answer.FORWARDED]
    passed_on = _expected(forwarded) if forwarded else {}
    words = {str(known): str(known.label) for known in LegalClass}
    return [
        _row(
            notice,
            page.replace(_ANY, notice.reference),
            last.get(notice.pk),
            claimed.get(notice.pk),
            passed_on.get(notice.pk),
            legal_class=words.get(notice.legal_class, ""),
            place=_place(notice) if placed else "",
            is_unread=notice.pk in unread,
            now=now,
        )
        for notice in notices
    ]


def _last_per_notice(replies: Any) -> dict[int, Reply]:
    newest = replies.order_by("notice_id", "-at", "-pk").distinct("notice_id")
    return {reply.notice_id: reply for reply in newest.only("notice_id", "answer", "at", "claimed_at")}


def _unread(ids: Sequence[int]) -> frozenset[int]:
    return frozenset(Message.objects.unread().filter(notice__in=ids).values_list("notice_id", flat=True))


def _expected(ids: Sequence[int]) -> dict[int, datetime | None]:
    waits = Forwarding.objects.open().filter(notice__in=ids, expected_by__isnull=False)
    return dict(waits.values_list("notice_id", "expected_by"))


def _row(
    notice: Notice,
    href: str,
    last: Reply | None,
    claim: ClaimShown | None,
    expected_by: datetime | None,
    *,
    legal_class: str,
    place: str,
    is_unread: bool,
    now: datetime,
) -> Row:
    observed, observed_at = observation(notice)
    is_open = notice.state in _OPEN
    return Row(
        reference=notice.reference,
        href=href,
        customer_reference=notice.customer_reference,
        masked_url=notice.masked_url,
        place=place,
        legal_class=legal_class,
        sent_at=notice.sent_at,
        notified_at=notice.notified_at,
        due_at=notice.due_at,
        state=notice.state,
        overdue=is_open and notice.due_at is not None and notice.due_at <= now,
        is_open=is_open,
        answered=Answered.of(last) if last else None,
        expected_by=expected_by if is_open else None,
        observed=observed,
        observed_at=observed_at,
        claim=claim if is_open else None,
        is_unread=is_unread,
    )


def _place(notice: Any) -> str:
    """ "192.0.2.1 · AS64500 EXAMPLE-NET", as far as it is known."""
    network = f"AS{notice.asn} {notice.network}" if notice.asn is not None else ""
    return " · ".join(part for part in (notice.at or "", network) if part)


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
