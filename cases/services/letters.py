"""A message with all that is said in it, read from the database and ready to be put into words."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cases.formats import letter as letters
from cases.models import Dispatch, DispatchLine, MessageTemplate, Notice
from cases.services.beside import judged_types, referrers
from cases.services.enqueue import FIRST
from cases.services.rules import rule_at


def letter_of(
    dispatch: Dispatch,
    notices: Sequence[Notice],
    *,
    now: datetime,
    wording: MessageTemplate | None = None,
) -> letters.Letter:
    """The letter of a message about `notices`, in the words in force unless others are to be tried."""
    contact, provider = dispatch.contact, dispatch.contact.provider
    ids = [notice.pk for notice in notices]
    mode = letters.mode_of(dispatch, contact)
    about = Notice.objects.filter(pk__in=ids).select_related("content", "attribution__table").order_by("pk")
    leads, judged = (
        (referrers(ids), judged_types(ids)) if dispatch.kind in letters.ABOUT_MATERIAL else ({}, {})
    )
    told_in = {} if dispatch.kind == Dispatch.Kind.FIRST else _told_in(ids, contact.pk)
    return letters.Letter(
        dispatch=dispatch,
        contact=contact,
        provider=provider,
        wording=wording or in_force(dispatch.kind, provider.language),
        lines=tuple(
            letters.line(
                number,
                notice,
                mode,
                referrer=leads.get(notice.pk, ""),
                judged_type=judged.get(notice.pk, ""),
                told_in=told_in.get(notice.pk, ""),
            )
            for number, notice in enumerate(about, start=1)
        ),
        term=_term(dispatch.kind, now),
        at=now,
    )


def in_force(kind: str, language: str) -> MessageTemplate:
    """The words that count now. There always are: a migration added the first."""
    found = MessageTemplate.objects.of(kind, language).in_force().first()
    if found is None:
        raise LookupError(f"there are no words for {kind} in {language}")
    return found


def _term(kind: str, now: datetime) -> timedelta:
    return rule_at(now).term


def _told_in(notice_ids: Sequence[int], contact_id: int | None) -> dict[int, str]:
    """notice -> the number of the first message about it to this contact, or else to another."""
    lines = DispatchLine.objects.filter(notice__in=notice_ids, step=FIRST, dropped_because="")
    rows = lines.order_by("pk").values_list("notice_id", "contact_id", "dispatch__number")
    found: dict[int, str] = {}
    for notice_id, told, number in rows:
        if told == contact_id or notice_id not in found:
            found[notice_id] = number
    return found
