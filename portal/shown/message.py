"""The lines of a message on its page: how each notice stands, with nothing that only people who log in may see."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.record import Actor
from cases.models import Notice, Reply
from cases.services.answers import Outcome
from cases.services.links import OnPage
from portal.shown.rows import Answered, Row, rows


@dataclass(frozen=True)
class MessageLine:
    """`host` is masked; `late` says why an answer moves nothing, or is ""; `outcome` is of the press just now."""

    number: int
    row: Row
    host: str
    late: str
    # Answers by this link that came too late.
    too_late: list[Answered]
    is_chosen: bool
    can_answer: bool
    outcome: Outcome | None


def lines(
    on_page: Sequence[OnPage],
    *,
    by: Actor,
    chosen: Collection[str],
    outcomes: Sequence[Outcome],
    now: datetime,
) -> list[MessageLine]:
    """The lines in the order of the message. As many queries for a hundred as for one."""
    became = {outcome.reference: outcome for outcome in outcomes}
    late: dict[int, list[Answered]] = defaultdict(list)
    notices = [line.notice for line in on_page]
    for reply in Reply.objects.filter(notice__in=notices, late=True, by=str(by)).order_by("at", "pk"):
        late[reply.notice_id].append(Answered.of(reply))
    masked = [notice.masked_url for notice in notices]
    shown = rows(notices, masked, now=now, placed=False, some_unread=False)
    return [
        MessageLine(
            number=number,
            row=row,
            host=f"{row['masked_url'].partition('/')[0]}/…",
            late=line.late or "",
            too_late=late[line.notice.pk],
            is_chosen=line.notice.reference in chosen,
            can_answer=line.notice.state != Notice.State.WITHDRAWN,
            outcome=became.get(line.notice.reference),
        )
        for number, (line, row) in enumerate(zip(on_page, shown, strict=True), start=1)
    ]
