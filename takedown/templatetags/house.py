"""What every template may say: icons, badges, instants in two zones, time left, panels and tables.

A builtin of the template engine (settings.TEMPLATES): no `{% load %}` needed. House codes and instants go in,
safe markup comes out; whatever text comes from people is escaped here.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, pgettext

from takedown.look import BADGES, ICONS, Badge

register = template.Library()

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
#: "Soon" when less than this part of the term is left, or less than SOON when the start is not known.
SOON_SHARE: Final = 6
SOON: Final = timedelta(hours=4)
# A list draws the same few icons, badges and words hundreds of times: each is made once per language. What is kept
# is told apart by type as well: markup that is safe and text of the same letters are equal to Python.
_KEPT: Final = 1_000


# -- Icons and badges -------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """The icon of that name; decoration unless `label` says what it means. KeyError if there is none."""
    return _icon(name, str(label))


@lru_cache(_KEPT, typed=True)
def _icon(name: str, label: str) -> SafeString:
    hidden = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.7"'
        ' stroke-linecap="round" stroke-linejoin="round" focusable="false" {}>{}</svg>',
        hidden,
        mark_safe(ICONS[name]),  # noqa: S308 - from our own table
    )


@register.filter
def badge(code: object) -> SafeString:
    """A state as shape, word and tone. An unknown code is shown as it is; none as a dash."""
    if code in (None, ""):
        return dash()
    return _badge(str(code), get_language())


@lru_cache(_KEPT, typed=True)
def _badge(code: str, language: str | None) -> SafeString:
    """`language` is that of the moment, said so that the badge is kept for it alone."""
    known = BADGES.get(code) or Badge("calm", "dot", code.replace("_", " "))
    return render_badge(str(known.label), tone=known.tone, mark=known.icon)


@lru_cache(_KEPT, typed=True)
def render_badge(text: str, *, tone: str, mark: str = "dot") -> SafeString:
    """A badge of any text."""
    return format_html('<span class="badge badge--{}">{}{}</span>', tone, icon(mark), text)


@register.simple_tag(name="badge")
def badge_of(text: str, tone: str = "calm", mark: str = "dot") -> SafeString:
    """`{% badge _("by hand") tone="warn" mark="person" %}`: a badge with words of the page itself."""
    return render_badge(text, tone=tone, mark=mark)


@register.simple_tag
def dash(meaning: str = "") -> SafeString:
    """Nothing (yet), for eyes and for screen readers."""
    return _dash(str(meaning) or _said().not_yet)


@lru_cache(_KEPT, typed=True)
def _dash(meaning: str) -> SafeString:
    return format_html(
        '<span class="none"><span aria-hidden="true">—</span><span class="visually-hidden">{}</span></span>',
        meaning,
    )


@register.filter
def masked(masked_url: str) -> SafeString:
    """An already masked address as text: never a link."""
    return SafeString(f'<code class="masked">{escape(masked_url)}</code>')


# -- Instants ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Said:
    """What is said of time, in one language. `months` are those of Django's format "M", from 1.

    What stands in the text of every instant (`months`, `amsterdam`, `due`) is escaped here, once.
    """

    months: tuple[str, ...]
    amsterdam: str
    not_yet: str
    ago: str
    ahead: str
    left: str
    over: str
    to_spare: str
    due: str
    duration: dict[str, str]


def _said() -> _Said:
    return _said_in(get_language())


@cache
def _said_in(language: str | None) -> _Said:
    """`language` is that of the moment, said so that the words are kept for it alone."""
    return _Said(
        months=("", *(escape(date_format(date(2000, month, 1), "M")) for month in range(1, 13))),
        amsterdam=escape(gettext("Amsterdam")),
        not_yet=gettext("not yet"),
        ago=gettext("{span} ago"),
        ahead=gettext("in {span}"),
        left=gettext("{span} left"),
        over=gettext("{span} over"),
        to_spare=gettext("{span} to spare"),
        due=escape(gettext("due {utc} UTC ({local})")),
        duration={
            "dh": pgettext("duration", "{d} d {h} h"),
            "hm": pgettext("duration", "{h} h {m} min"),
            "m": pgettext("duration", "{m} min"),
            "ms": pgettext("duration", "{m} min {s} s"),
            "s": pgettext("duration", "{s} s"),
        },
    )


def iso(at: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


# The three below are Django's "j M H:i", "j M Y" and "H:i", which take ten times as long.


def _day_and_clock(at: datetime, words: _Said) -> str:
    return f"{at.day} {words.months[at.month]} {_clock(at)}"


def _day(at: datetime, words: _Said) -> str:
    return f"{at.day} {words.months[at.month]} {at.year:04d}"


def _clock(at: datetime) -> str:
    return f"{at.hour:02d}:{at.minute:02d}"


def _in_amsterdam(at: datetime, words: _Said, *, beside: datetime) -> str:
    local = at.astimezone(AMSTERDAM)
    same_day = local.day == beside.day and local.date() == beside.date()
    return f"{_clock(local) if same_day else _day_and_clock(local, words)} {words.amsterdam}"


@register.filter
def instant(at: datetime | None, style: str = "both") -> SafeString:
    """An instant with its zones; a dash for None.

    Styles: `both` says UTC and Amsterdam; `short` says UTC and leaves Amsterdam to the tooltip;
    `seconds` is `both` with seconds. Raises ValueError for another style.
    """
    if at is None:
        return dash()
    style = style or "both"
    if style not in {"both", "short", "seconds"}:
        raise ValueError(f"No such style of instant: {style}")
    utc, words = at.astimezone(UTC), _said()
    also = _in_amsterdam(at, words, beside=utc)
    # Numbers, and words that are escaped.
    if style == "short":
        this_year = utc.year == timezone.now().year
        said = _day_and_clock(utc, words) if this_year else f"{_day(utc, words)} {_clock(utc)}"
        return SafeString(
            f'<time datetime="{iso(utc)}" title="{also}">{said} <span class="instant__zone">UTC</span></time>'
        )
    seconds = f":{utc.second:02d}" if style == "seconds" else ""
    said = f"{_day(utc, words)}, {_clock(utc)}{seconds}"
    return SafeString(
        f'<time datetime="{iso(utc)}">{said} <span class="instant__zone">UTC</span></time>'
        f' <span class="instant__also">({also})</span>'
    )


@register.filter
def duration(span: timedelta | None) -> str:
    """A length of time in its two largest units, rounded down, without its sign; "" for None."""
    return "" if span is None else _span(span, _said())


def _span(span: timedelta, said: _Said) -> str:
    seconds = abs(int(span.total_seconds()))
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    words = said.duration
    if hours >= 48:
        return words["dh"].format(d=days, h=h)
    if hours:
        return words["hm"].format(h=hours, m=m)
    if minutes >= 10:
        return words["m"].format(m=minutes)
    if minutes:
        return words["ms"].format(m=minutes, s=s)
    return words["s"].format(s=s)


def words() -> str:
    """What the browser's modules say, in the reader's language, as JSON; base.html puts it on <html>."""
    return _words_in(get_language())


@cache
def _words_in(language: str | None) -> str:
    """`language` as in `_said_in`."""
    return json.dumps(
        _said_in(language).duration
        | {
            "left": gettext("{span} left"),
            "over": gettext("{span} over"),
            "chosen": gettext("{n} of {all} chosen"),
            "theme_auto": gettext("Colours: as your system"),
            "theme_light": gettext("Colours: light"),
            "theme_dark": gettext("Colours: dark"),
        }
    )


@register.filter
def ago(at: datetime | None) -> SafeString:
    """How long since, e.g. "2 h 5 min ago"; the instant is in the tooltip."""
    if at is None:
        return dash()
    now, words = timezone.now(), _said()
    said = (words.ago if at <= now else words.ahead).format(span=_span(now - at, words))
    utc = at.astimezone(UTC)
    return SafeString(
        f'<time datetime="{iso(utc)}" title="{_day(utc, words)}, {_clock(utc)} UTC">{escape(said)}</time>'
    )


@register.simple_tag
def time_left(
    due: datetime | None,
    start: datetime | None = None,
    ended: datetime | None = None,
    now: datetime | None = None,
) -> SafeString:
    """How long until `due`, counting on in the browser; "2 h over" when past; a dash without `due`.

    `start` (when the clock began) makes "soon" a share of the term. `ended` (removed, withdrawn) stops the
    clock there and says what was to spare or how far over it was.
    """
    if due is None:
        return dash()
    now = ended or now or timezone.now()
    left = due - now
    soon = (due - start) / SOON_SHARE if start else SOON
    over = left <= timedelta(0)
    words = _said()
    title, at = _due_title(due, words), iso(due)
    if ended:
        said = (words.over if over else words.to_spare).format(span=_span(left, words))
        return SafeString(
            f'<span class="timeleft timeleft--stopped">{icon("warning" if over else "check")}'
            f'<time datetime="{at}" title="{title}">{escape(said)}</time></span>'
        )
    tone = "over" if over else "soon" if left <= soon else "calm"
    said = (words.over if over else words.left).format(span=_span(left, words))
    counted_from = now.astimezone(UTC).isoformat(timespec="milliseconds")
    return SafeString(
        f'<span class="timeleft timeleft--{tone}">{icon("warning" if over else "clock")}'
        f'<time datetime="{at}" data-due="{at}" data-now="{counted_from}" data-soon="{int(soon.total_seconds())}"'
        f' title="{title}">{escape(said)}</time></span>'
    )


def _due_title(due: datetime, words: _Said) -> str:
    utc = due.astimezone(UTC)
    return words.due.format(
        utc=f"{_day(utc, words)}, {_clock(utc)}", local=_in_amsterdam(due, words, beside=utc)
    )


@register.filter
def timeleft(due: datetime | None, start: datetime | None = None) -> SafeString:
    """`time_left` as a filter: `{{ notice.due_at|timeleft:notice.notified_at }}`."""
    return time_left(due, start)


# -- Boxes around other markup ------------------------------------------------------------------------------


@register.simple_block_tag
def panel(content: str, title: str = "", tone: str = "", aside: str = "", flush: bool = False) -> str:
    """A panel: `{% panel title=_("Clock") tone="warn" aside=notice.due_at|instant %}...{% endpanel %}`.

    `flush` lets a table touch the edges.
    """
    return render_to_string(
        "components/panel.html",
        {"content": content, "title": title, "tone": tone, "aside": aside, "flush": flush},
    )


@register.simple_block_tag
def table(content: str, label: str, cards: bool = False, select: str = "") -> str:
    """A table in its own scrolling box. `content` is thead and tbody; `label` names it for screen readers.

    `cards` turns rows into cards on a phone (cells then need `data-label`); `select` is the name of the
    ticks, which gives the tick in the head and the count of the chosen (js/selectall.js).
    """
    return render_to_string(
        "components/table.html", {"content": content, "label": label, "cards": cards, "select": select}
    )


# -- Forms and lists ------------------------------------------------------------------------------------


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, wide: bool = False) -> dict[str, Any]:
    """A form field with label, help and errors: `{% field form.reason %}`."""
    widget = bound.field.widget
    return {
        "field": bound,
        "tick": isinstance(widget, CheckboxInput),
        "group": isinstance(widget, (CheckboxSelectMultiple, RadioSelect)),
        "wide": wide,
    }


@register.filter
def page_numbers(page: Page[Any]) -> list[int | None]:
    """The page numbers to offer around `page`; None where some are left out."""
    ellipsis = page.paginator.ELLIPSIS
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return [None if str(number) == str(ellipsis) else int(number) for number in numbers]


@register.filter
def unlocalise(number: float | str | None) -> str:
    """A number as HTML attributes want it: 0.5, never 0,5."""
    return "" if number in (None, "") else str(number)


@register.filter
def labelled(cells: list[SafeString], headers: list[dict[str, Any]]) -> list[SafeString]:
    """An admin row's cells, each with its column's name as `data-label`: on a phone a row becomes a card.

    The column of ticks stays without.
    """
    said: list[SafeString] = []
    for cell, header in zip(cells, headers, strict=False):
        label = "" if "action-checkbox" in str(header.get("class_attrib", "")) else str(header["text"])
        if label and cell.startswith(("<td", "<th")):
            # Django drew the cell and escaped it; only an attribute of ours goes in.
            start, rest = mark_safe(cell[:3]), mark_safe(cell[3:])  # noqa: S308
            cell = format_html('{} data-label="{}"{}', start, capfirst(label), rest)
        said.append(cell)
    return said


@register.simple_tag(takes_context=True)
def here(context: template.Context, **changes: object) -> str:
    """This page's query string with `changes`; None removes a key: `<a href="{% here page=2 %}">`."""
    request = context.get("request")
    query = request.GET.copy() if request else None
    if query is None:
        return "?"
    for key, value in changes.items():
        if value is None:
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"
