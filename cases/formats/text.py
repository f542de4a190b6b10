"""The text of a message in the provider's language: the frame that always stands, and the words of its template.

The most important comes first: what, how many, by when, how to answer. Lines of at most 72 characters, as mail
programs like plain text; what must not be broken (an address) is longer.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from textwrap import wrap
from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from cases.clock import AMSTERDAM
from cases.formats import attached
from cases.formats.letter import ABOUT_MATERIAL, Letter, Line, one_line
from cases.formats.wording import filled
from cases.models import Dispatch, Notice

WIDTH: Final = 72
Kind = Dispatch.Kind

#: What a withdrawal means for whoever had acted on the notice.
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    Notice.Withdrawal.OBJECTION_UPHELD: gettext_lazy(
        "Your objection was upheld. If you made the material inaccessible, you may restore it."
    ),
    Notice.Withdrawal.JUDGED_AGAIN: gettext_lazy(
        "Judged again, it is not illegal. If you made the material inaccessible, you may restore it."
    ),
    Notice.Withdrawal.WRONG_PROVIDER: gettext_lazy("It is not on your network. You need do nothing."),
    Notice.Withdrawal.MOVED: gettext_lazy(
        "Another provider hosts it now. You need do nothing; do not restore it."
    ),
}


def subject(letter: Letter) -> str:
    """Neutral, and without a word of the content: it is shown on lock screens and kept in logs."""
    with translation.override(letter.provider.language):
        match letter.dispatch.kind:
            case Kind.FIRST:
                said = _("Notice: illegal content on your network (%(hours)sh)") % {"hours": _hours(letter)}
            case Kind.REMINDER:
                said = _("Reminder %(count)d: illegal content on your network") % {
                    "count": letter.dispatch.round
                }
            case Kind.WITHDRAWAL:
                said = _("Withdrawn: you need do nothing")
            case Kind.MESSAGE:
                said = _("A message waits for you in the portal")
            case _kind:
                said = _("Question: which server is behind your network")
        return f"[{letter.dispatch.number}] {said}"


def body(letter: Letter) -> str:
    """The whole text, UTF-8. Raises Unfilled when the words name something that this message does not have."""
    with translation.override(letter.provider.language):
        values = _values(letter)
        said = {part: filled(text, values) for part, text in letter.wording.words.items()}
        about_material = letter.dispatch.kind in ABOUT_MATERIAL
        sections = [
            f"{_headline(letter).upper()}\n\n{_prose(said['opening'])}",
            _section(_("what we ask"), said["ask"], _never() if about_material else ""),
            "\n".join([_("how to answer").upper(), *_on_its_page(letter), _prose(said["answer"])]),
            "\n".join([_("this message").upper(), *_facts(letter)]),
            _section(_heading_of_lines(letter), attached.told(letter) if about_material else "")
            + ("\n\n" if about_material else "\n")
            + "\n\n".join(_line(letter, line) for line in letter.lines),
            _section(_("grounds"), grounds) if (grounds := _grounds(letter)) else "",
            _section(_("objections"), said["objection"]) if said["objection"] else "",
            _prose(said["closing"]),
            "\n".join(
                [
                    *wrap(_("This message is confidential and meant for your abuse desk only."), WIDTH),
                    settings.HOST.organisation.name,
                    f"{settings.HOST.sender_address} - {settings.HOST.organisation.phone}",
                ]
            ),
        ]
        return "\n\n".join(section for section in sections if section).replace("\xa0", " ") + "\n"


def in_both_zones(at: datetime) -> str:
    """An instant to the minute, in UTC and as the clocks in Amsterdam say it."""
    local = at.astimezone(AMSTERDAM)
    return f"{_utc(at)} {_unbroken(f'({local:%Y-%m-%d %H:%M} Europe/Amsterdam)')}"


def _utc(at: datetime | None) -> str:
    return _unbroken(f"{at:%Y-%m-%d %H:%M} UTC") if at else "-"


def _unbroken(text: str) -> str:
    """Kept on one line, by blanks that `body` makes plain ones again."""
    return text.replace(" ", "\xa0")


def _hours(letter: Letter) -> str:
    return f"{round(letter.term.total_seconds() / 3600, 2):g}"


def _values(letter: Letter) -> Mapping[str, str]:
    """What the names in the words stand for; "" for what this message does not have."""
    ended = [line.due_at for line in letter.lines if line.due_at]
    return {
        "number": letter.dispatch.number,
        "count": str(len(letter.lines)),
        "provider": letter.addressee,
        "organisation": settings.HOST.organisation.name,
        "phone": _unbroken(settings.HOST.organisation.phone),
        "reply_to": str(settings.HOST.sender_address),
        "portal": f"{settings.BASE_URL}/portal/",
        "api": f"{settings.BASE_URL}/api/v1/docs/",
        "hours": _hours(letter),
        "round": str(letter.dispatch.round),
        "due_at": in_both_zones(min(ended)) if ended else "",
    }


def _headline(letter: Letter) -> str:
    said = {"count": len(letter.lines), "hours": _hours(letter), "round": letter.dispatch.round}
    match letter.dispatch.kind:
        case Kind.FIRST:
            return (
                ngettext(
                    "Notice: make %(count)d address inaccessible within %(hours)s hours",
                    "Notice: make %(count)d addresses inaccessible within %(hours)s hours",
                    len(letter.lines),
                )
                % said
            )
        case Kind.REMINDER:
            return (
                ngettext(
                    "Reminder %(round)d: the term for %(count)d address has ended",
                    "Reminder %(round)d: the term for %(count)d addresses has ended",
                    len(letter.lines),
                )
                % said
            )
        case Kind.WITHDRAWAL:
            return (
                ngettext(
                    "We withdraw our notice of %(count)d address",
                    "We withdraw our notice of %(count)d addresses",
                    len(letter.lines),
                )
                % said
            )
        case Kind.MESSAGE:
            return (
                ngettext(
                    "A message about %(count)d notice waits for you",
                    "Messages about %(count)d notices wait for you",
                    len(letter.lines),
                )
                % said
            )
    return (
        ngettext(
            "Question: which server is behind %(count)d host?",
            "Question: which servers are behind %(count)d hosts?",
            len(letter.lines),
        )
        % said
    )


def _never() -> str:
    return _("Do not copy, view, store or forward the material.")


def _on_its_page(letter: Letter) -> Iterator[str]:
    """The shortest way to answer, before the others. Frame and not words: no version may forget it."""
    if letter.page is None:
        return
    yield from folded(
        _("Quickest, without logging in, until %(until)s:") % {"until": in_both_zones(letter.page.until)}
    )
    yield from ("", letter.page.url, "")
    yield from folded(
        _(
            "Opening it changes nothing: you choose, and press a button. Whoever has this link can answer for you, so"
            " keep it within your abuse desk."
        )
    )
    yield from ("", _("Or in one of these ways:"))


def _facts(letter: Letter) -> Iterator[str]:
    """Which message it is, from whom, to whom: each on a line of its own."""
    organisation, kind = settings.HOST.organisation, letter.dispatch.kind
    which = {
        Kind.FIRST: _("first notice"),
        Kind.REMINDER: _("reminder %(count)s") % {"count": letter.dispatch.round},
        Kind.WITHDRAWAL: _("withdrawal"),
        Kind.ORIGIN: _("question for the origin"),
        Kind.MESSAGE: _("a message waits"),
    }[Kind(kind)]
    yield from _row(_("Number"), f"{letter.dispatch.number} ({which})")
    yield from _row(pgettext("a message", "Sent"), in_both_zones(letter.at))
    yield from _row(_("Term"), _term(letter))
    yield from _row(_("To"), f"{letter.addressee}, {one_line(letter.contact.address)}")
    yield from _row(_("From"), f"{organisation.name}, {organisation.postal_address}, {organisation.phone}")
    yield from _row(_("Reply to"), str(settings.HOST.sender_address))


def _term(letter: Letter) -> str:
    match letter.dispatch.kind:
        case Kind.FIRST:
            return _(
                "%(hours)s hours, from the moment your mail server accepts this message. It ends no sooner than"
                " %(end)s."
            ) % {"hours": _hours(letter), "end": in_both_zones(letter.at + letter.term)}
        case Kind.REMINDER:
            return _("has ended; each line says when")
        case Kind.WITHDRAWAL:
            return _("none: no clock of these notices runs any more")
        case Kind.MESSAGE:
            return _("none: what is due, and when, stays as it was")
    return _("we hope for your answer within %(hours)s hours; no term of a notice runs for you") % {
        "hours": _hours(letter)
    }


def _heading_of_lines(letter: Letter) -> str:
    name = {Kind.ORIGIN: _("the hosts"), Kind.MESSAGE: _("the notices")}.get(
        Kind(letter.dispatch.kind), _("the addresses")
    )
    return f"{name} ({len(letter.lines)})"


def _line(letter: Letter, line: Line) -> str:
    if letter.dispatch.kind == Kind.MESSAGE:
        return f"{line.number}. {line.reference}"
    shown = line.defanged_url or line.masked_url
    if letter.dispatch.kind == Kind.ORIGIN:
        shown = shown.partition("/")[0]
    about: Callable[[Letter, Line], Iterator[tuple[str, str]]] = {
        Kind.WITHDRAWAL: _of_what_is_withdrawn,
        Kind.ORIGIN: _of_a_host,
    }.get(Kind(letter.dispatch.kind), _of_material)
    rows = [row for name, said in about(letter, line) for row in _row(name, said, indent="   ")]
    return "\n".join([f"{line.number}. {line.reference}  {shown}", *rows])


def _of_material(letter: Letter, line: Line) -> Iterator[tuple[str, str]]:
    """Server, why them, what it is, since when. Never what it shows."""
    yield _("Server"), ", ".join(part for part in (line.address, line.network) if part) or "-"
    yield _("Why you"), line.why or "-"
    kind = _("file") if line.is_file else _("page")
    what, named = ", ".join(part for part in (kind, line.media_type or _judged(line)) if part), _("class")
    classes = {
        "baseline": _("baseline (illegal nearly everywhere)"),
        "national": _("national (illegal in the Netherlands)"),
    }
    yield _("What"), f"{what}; {named}: {classes.get(line.legal_class, '-')}"
    if line.masked_referrer:
        yield _("Linked from"), line.defanged_referrer or line.masked_referrer
    yield _("First reported"), _utc(line.first_seen_at)
    if line.last_seen_online_at:
        yield _("Last seen online"), _utc(line.last_seen_online_at)
    if line.due_at and letter.dispatch.kind == Kind.REMINDER:
        if line.notified_at:
            yield (
                _("Accepted by your server"),
                _utc(line.notified_at) + (f" ({line.told_in})" if line.told_in else ""),
            )
        yield _("The term ended"), in_both_zones(line.due_at)


def _judged(line: Line) -> str:
    """What a person saw that it is; "" for what says no more than that it is a page or a file."""
    words = {
        "image": pgettext("a medium", "image"),
        "video": pgettext("a medium", "video"),
        "stream": pgettext("a medium", "live stream"),
        "archive": pgettext("a medium", "archive file"),
    }
    return words.get(line.judged_type, "")


def _of_what_is_withdrawn(letter: Letter, line: Line) -> Iterator[tuple[str, str]]:
    if line.told_in:
        yield _("Our notice"), line.told_in
    yield _("What it means"), str(CONSEQUENCES.get(line.closed_because, _("You need do nothing.")))


def _of_a_host(letter: Letter, line: Line) -> Iterator[tuple[str, str]]:
    yield _("It leads to"), ", ".join(part for part in (line.address, line.network) if part) or "-"
    yield _("Why you"), line.why or "-"


def _grounds(letter: Letter) -> str:
    match letter.dispatch.kind:
        case Kind.WITHDRAWAL:
            return _(
                "We withdraw the notice that we sent under article 16 of Regulation (EU) 2022/2065 (DSA) and the"
                " addendum to the Notice-and-Take-Down code of conduct (2018). It no longer counts as one."
            )
        case Kind.MESSAGE:
            return ""
        case Kind.ORIGIN:
            return _(
                "Article 252 of the Dutch Criminal Code; article 16 of Regulation (EU) 2022/2065 (DSA). We ask so"
                " that our notice reaches whoever hosts the material. We ask in good faith; to the best of our"
                " knowledge what we say is accurate and complete."
            )
    return _(
        "Article 252 of the Dutch Criminal Code; article 16 of Regulation (EU) 2022/2065 (DSA). Under the addendum to"
        " the Notice-and-Take-Down code of conduct (2018) a notice of the hotline is followed within 24 hours,"
        " without an assessment of your own and without an indemnity. We send this notice in good faith; to the best"
        " of our knowledge it is accurate and complete."
    )


def _section(heading: str, *texts: str) -> str:
    return "\n".join([heading.upper(), *(_prose(text) for text in texts if text)])


@lru_cache(maxsize=256)
def _prose(text: str) -> str:
    """Folded, and kept: most of it is the same in the next message; a line that begins with a dash hangs under itself."""
    rows = []
    for line in text.split("\n"):
        hanging = "  " if line.startswith("- ") else ""
        rows += folded(line, hanging=hanging) or [""]
    return "\n".join(rows)


def _row(name: str, said: str, *, indent: str = "") -> list[str]:
    return folded(f"{name}: {said}", indent=indent, hanging=f"{indent}  ")


def folded(text: str, *, indent: str = "", hanging: str = "") -> list[str]:
    """Lines of at most WIDTH characters; what has no blank in it is never broken."""
    if text and len(indent) + len(text) <= WIDTH and text.isprintable() and text.strip() == text:
        return [indent + text]  # what `wrap` says of it as well, only sooner
    return wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
