"""A message with all that is said in it, read from the database and ready to be put into words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from cases.formats import letter as letters
from cases.models import Dispatch, DispatchLine, MessageTemplate, Notice
from cases.services import pages
from cases.services.beside import judged_types, referrers
from cases.services.enqueue import FIRST
from cases.services.rules import rule_at


@dataclass(frozen=True)
class Known:
    """What several letters say, asked of the database once for all of them."""

    notices: Mapping[int, Notice]
    types: Mapping[int, str]
    leads: Mapping[int, str]
    told_in: Mapping[int, Sequence[tuple[int, str]]]
    wordings: Mapping[tuple[str, str], MessageTemplate]
    terms: Mapping[str, timedelta]


def letter_of(
    dispatch: Dispatch,
    notices: Sequence[Notice],
    *,
    now: datetime,
    wording: MessageTemplate | None = None,
) -> letters.Letter:
    """The letter of a message about `notices` as a preview shows it, in the words in force unless others are tried."""
    known = known_of([(dispatch, notices)], now=now)
    ids, page = [notice.pk for notice in notices], pages.example(dispatch, now=now)
    return write(dispatch, ids, known, now=now, wording=wording, page=page)


def known_of(messages: Sequence[tuple[Dispatch, Sequence[Notice]]], *, now: datetime) -> Known:
    """What the letters of `messages` say."""
    ids = [notice.pk for _dispatch, notices in messages for notice in notices]
    about_material = [
        notice.pk
        for dispatch, notices in messages
        if dispatch.kind in letters.ABOUT_MATERIAL
        for notice in notices
    ]
    later = [
        notice.pk
        for dispatch, notices in messages
        if dispatch.kind != Dispatch.Kind.FIRST
        for notice in notices
    ]
    spoken = {(dispatch.kind, dispatch.contact.provider.language) for dispatch, _notices in messages}
    return Known(
        notices=Notice.objects.select_related(
            "content",
            "attribution__table",
            "attribution__registration",
            "attribution__behind__provider",
            "attribution__origin",
        ).in_bulk(ids),
        types=judged_types(about_material) if about_material else {},
        leads=referrers(about_material) if about_material else {},
        told_in=_told_in(later) if later else {},
        wordings={(kind, language): in_force(kind, language) for kind, language in spoken},
        terms={kind: _term(kind, now) for kind, _language in spoken},
    )


def write(
    dispatch: Dispatch,
    notice_ids: Sequence[int],
    known: Known,
    *,
    now: datetime,
    wording: MessageTemplate | None = None,
    page: letters.Page | None = None,
) -> letters.Letter:
    """The letter of one message: no query."""
    contact, provider = dispatch.contact, dispatch.contact.provider
    mode, is_first = letters.mode_of(dispatch, contact), dispatch.kind == Dispatch.Kind.FIRST
    return letters.Letter(
        dispatch=dispatch,
        contact=contact,
        provider=provider,
        wording=wording or known.wordings[dispatch.kind, provider.language],
        lines=tuple(
            letters.line(
                number,
                known.notices[pk],
                mode,
                referrer=known.leads.get(pk, ""),
                judged_type=known.types.get(pk, ""),
                told_in="" if is_first else _first_told(known.told_in.get(pk, ()), contact.pk),
            )
            for number, pk in enumerate(sorted(notice_ids), start=1)
        ),
        term=known.terms[dispatch.kind],
        at=now,
        page=page,
    )


def in_force(kind: str, language: str) -> MessageTemplate:
    """The words that count now. There always are: a migration added the first."""
    found = MessageTemplate.objects.of(kind, language).in_force().first()
    if found is None:
        raise LookupError(f"there are no words for {kind} in {language}")
    return found


def _term(kind: str, now: datetime) -> timedelta:
    """What a clock that starts now has, or how long an answer may take."""
    within: timedelta = settings.HOST.origin_within
    return within if kind == Dispatch.Kind.ORIGIN else rule_at(now).term


def _told_in(notice_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """notice -> (contact, number) of the first messages about it."""
    lines = DispatchLine.objects.filter(notice__in=notice_ids, step=FIRST, dropped_because="")
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for notice_id, contact_id, number in lines.order_by("pk").values_list(
        "notice_id", "contact_id", "dispatch__number"
    ):
        found[notice_id].append((contact_id, number))
    return found


def _first_told(told: Sequence[tuple[int, str]], contact_id: int | None) -> str:
    """The number of the first message to this contact, or else to another."""
    same = [number for told_id, number in told if told_id == contact_id]
    return (same[-1:] or [number for _told_id, number in told[:1]] or [""])[0]
