"""A notice as one row of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypedDict
from uuid import UUID

from django.db.models import F, QuerySet
from django.urls import reverse

from cases.models import Content, Forwarding, Message, Notice, Reply
from cases.models.assessment import LegalClass
from cases.models.notice import NoticeQuerySet
from cases.services import forwarding
from portal.shown.claims import BADGES, ClaimShown, claims

ClaimAnswer = Notice.ClaimAnswer

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


#: What a row reads of a notice itself: all of its columns and instants take as long to read as the rest of the page's
#: queries.
_COLUMNS: Final = (
    "reference", "content_id", "state", "legal_class", "sent_at", "notified_at", "due_at", "claim_answer",
    "claimed_removed_at", "last_seen_online_at", "gone_since", "customer_reference",
)  # fmt: skip
_OPEN: Final = frozenset({Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED})
_WITH_THEM: Final = frozenset({Notice.State.NOTIFIED, Notice.State.ESCALATED})
_MAY_WAIT: Final = forwarding.ENDS_NOTHING | {Reply.Answer.FORWARDED}
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


def read(notices: NoticeQuerySet, *, late: bool) -> "QuerySet[Notice, Any]":
    """What a row shows, as values: a model has sixty columns, and a page of them takes longer than reading it.

    `late`: the content is read by `masked`, once the rows of the page are known. Where a filter goes through
    thousands, each content would be joined, and its row security asked, before fifty are shown.
    """
    placed = notices.annotate(
        at=F("attribution__address"), asn=F("attribution__asn"), network=F("attribution__network_name")
    )
    content = () if late else ("content__url_sealed",)
    return placed.values_list("pk", *_COLUMNS, "at", "asn", "network", *content, named=True)


def masked(listed: Sequence[Any], *, late: bool) -> list[str]:
    """The masked addresses of what `read` found, in its order."""
    sealed: dict[UUID, Any]
    if late:
        ids = [row.content_id for row in listed]
        sealed = dict(Content.objects.filter(pk__in=ids).values_list("pk", "url_sealed"))
    else:
        sealed = {row.content_id: row.content__url_sealed for row in listed}
    return [Content.masked_url_of(row.content_id, sealed[row.content_id]) for row in listed]


def rows(
    listed: Sequence[Any], masked: Sequence[str], *, now: datetime, placed: bool, some_unread: bool
) -> list[Row]:
    """The rows of one page, in its order: of notices, or of what `read` found. At most four queries.

    `masked`: their addresses. `placed`: whether `read` found them, and so where each is. `some_unread`: whether the
    page marks unread messages and there is one at all; otherwise no row is asked for its own.
    """
    ids = [notice.pk for notice in listed]
    # Made once: an address for each row takes as long as the row's queries.
    page = reverse("portal:notice", args=[_ANY])
    last = _last_per_notice(Reply.objects.filter(notice__in=ids, late=False))
    claimed = claims(listed)
    unread = _unread(ids) if some_unread else frozenset()
    # After any other answer the provider waits for nobody.
    may_wait = [pk for pk, reply in last.items() if reply.answer in _MAY_WAIT]
    passed_on = _expected(may_wait) if may_wait else {}
    # Looked up once for all rows.
    words = {code: class_words(code) for code in {notice.legal_class for notice in listed}}
    return [
        _row(
            notice,
            page.replace(_ANY, notice.reference),
            last.get(notice.pk),
            claimed.get(notice.pk),
            passed_on.get(notice.pk),
            masked_url=address,
            legal_class=words[notice.legal_class],
            place=_place(notice) if placed else "",
            is_unread=notice.pk in unread,
            now=now,
        )
        for notice, address in zip(listed, masked, strict=True)
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
    notice: Any,
    href: str,
    last: Reply | None,
    claim: ClaimShown | None,
    expected_by: datetime | None,
    *,
    masked_url: str,
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
        masked_url=masked_url,
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
    network = f"AS{notice.asn} {notice.network}".rstrip() if notice.asn is not None else ""
    return " · ".join(part for part in (notice.at or "", network) if part)


def class_words(legal_class: str) -> str:
    """A legal class in the reader's language; "" before it is known."""
    return str(LegalClass(legal_class).label) if legal_class else ""


def observation(notice: Any) -> tuple[str, datetime | None]:
    """What we observe, as a code of the badges, and since when or when. From the own facts of a notice or of its row."""
    online = notice.last_seen_online_at
    if notice.state == Notice.State.REMOVED:
        return ("confirmed" if notice.claimed_removed_at else "gone"), notice.gone_since
    if notice.claim_answer and notice.state != Notice.State.WITHDRAWN:
        # As NoticeQuerySet.contradicted selects it: what contradicts them is when we saw it.
        contradicted = notice.state in _WITH_THEM and notice.claim_answer == ClaimAnswer.STILL_REACHABLE
        return BADGES[ClaimAnswer(notice.claim_answer)], online if contradicted else None
    return ("online" if online else ""), online
