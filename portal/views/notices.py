"""The list of a provider's own notices: one by one, or a row for each address."""

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.models.notice import NoticeQuerySet
from portal import keyset
from portal.access import Visitor, door
from portal.forms.filter import SOON, UNKNOWN, Filter
from portal.shown.counts import counts
from portal.shown.rows import masked, read, rows


@door("own_notice.view")
@require_safe
def notices(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The provider's own notices: what is due first comes first."""
    now = timezone.now()
    filters = Filter(request.GET)
    if not filters.is_valid():
        context = {"filters": filters, "tabs": _tabs("open", None)}
        return render(request, "portal/notices.html", context, status=HTTPStatus.BAD_REQUEST)
    counted = counts(visitor.notices, now=now, soon=SOON)
    listed = filters.applied(visitor.notices, now=now)
    if filters.by_address:
        shown = _groups(listed, filters)
    else:
        shown = _one_by_one(listed, filters, visitor, some_unread=counted["unread"] > 0, now=now)
    context = shown | {
        "filters": filters,
        # Asked once per row, and a form looks among its fields first.
        "answerable": filters.answerable,
        "tabs": _tabs(filters.tab_name, counted),
        "figures": _figures(counted),
        "matching": _matching(listed, filters, counted),
        "views": _views(filters),
        # A double press of one page is one answer.
        "once": secrets.token_urlsafe(16),
    }
    return render(request, "portal/notices.html", context)


def _one_by_one(
    listed: NoticeQuerySet, filters: Filter, visitor: Visitor, *, some_unread: bool, now: datetime
) -> dict[str, Any]:
    late = filters.narrows
    page = keyset.page(
        read(listed, late=late),
        own=visitor.notices,
        latest_first=filters.latest_first,
        after=filters.cleaned_data["after"],
        before=filters.cleaned_data["before"],
        size=filters.page_size,
    )
    return {
        "rows": rows(page.rows, masked(page.rows, late=late), placed=True, some_unread=some_unread, now=now),
        "shown": " ".join(notice.reference for notice in page.rows),
        **_neighbours(filters, page.before, page.after),
    }


def _groups(listed: NoticeQuerySet, filters: Filter) -> dict[str, Any]:
    page = keyset.groups(
        listed,
        after=filters.cleaned_data["after"],
        before=filters.cleaned_data["before"],
        size=filters.page_size,
    )
    shown = [
        {
            "value": group.address or UNKNOWN,
            "address": group.address,
            "count": group.count,
            "due_at": group.due_at,
            "href": f"?{filters.query_with(by='', ip=group.address or UNKNOWN)}",
        }
        for group in page.groups
    ]
    return {"groups": shown, **_neighbours(filters, page.before, page.after)}


def _neighbours(filters: Filter, before: str, after: str) -> dict[str, str]:
    return {
        "previous_url": f"?{filters.query_with(before=before)}" if before else "",
        "next_url": f"?{filters.query_with(after=after)}" if after else "",
    }


def _matching(listed: NoticeQuerySet, filters: Filter, counts: dict[str, int]) -> int | None:
    """How many the filter finds, where that can be answered; it counts the provider's own open ones at most."""
    if not filters.answerable:
        return None
    return listed.count() if filters.narrows else counts[filters.tab_name]


def _views(filters: Filter) -> list[dict[str, object]]:
    """One by one, or by address."""
    if not filters.answerable:
        return []
    return [
        {
            "name": name,
            "href": f"?{filters.query_with(by=by)}",
            "current": (by == "ip") == filters.by_address,
        }
        for by, name in (("", _("One by one")), ("ip", _("By IP address")))
    ]


def _tabs(current: str, counts: dict[str, int] | None) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "href": f"?tab={code}",
            "current": code == current,
            "count": (counts or {}).get(code),
        }
        for code, name in Filter.TABS
    ]


def _figures(counts: dict[str, int]) -> list[dict[str, object]]:
    """What asks for attention; each opens exactly the rows it counts."""
    tone = {"overdue": "bad", "contradicted": "bad", "soon": "warn", "unread": "warn"}
    figures = (
        ("open", _("open"), "?tab=open"),
        ("overdue", _("overdue"), "?tab=open&due=over"),
        ("soon", _("due within 4 hours"), "?tab=open&due=4h"),
        ("contradicted", _("you say removed, we still see it"), "?tab=open&only=contradicted"),
        ("unread", _("with a new message from us"), "?tab=all&only=unread"),
    )
    return [
        {
            "value": counts[code],
            "name": name,
            "href": href,
            "tone": tone.get(code, "") if counts[code] else "",
        }
        for code, name, href in figures
    ]
