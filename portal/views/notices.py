"""The list of a provider's own notices."""

from http import HTTPStatus

from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal import keyset
from portal.access import Visitor, door
from portal.forms.filter import SOON, Filter
from portal.shown.rows import rows


@door("own_notice.view")
@require_safe
def notices(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The provider's own notices: what is due first comes first."""
    now = timezone.now()
    filters = Filter(request.GET)
    if not filters.is_valid():
        context = {"filters": filters, "tabs": _tabs("open", None)}
        return render(request, "portal/notices.html", context, status=HTTPStatus.BAD_REQUEST)
    listed = filters.applied(visitor.notices, now=now).select_related("content", "attribution")
    page = keyset.page(
        # What is sealed and not shown stays in the database.
        listed.defer("content__raw_sealed", "content__host_sealed", "attribution__host_sealed"),
        own=visitor.notices,
        latest_first=filters.latest_first,
        after=filters.cleaned_data["after"],
        before=filters.cleaned_data["before"],
    )
    counts = visitor.notices.unfinished().aggregate(
        open=Count("pk"),
        answered=Count("pk", filter=Q(acknowledged_at__isnull=False)),
        overdue=Count("pk", filter=Q(due_at__lte=now)),
        soon=Count("pk", filter=Q(due_at__gt=now, due_at__lte=now + SOON)),
        contradicted=Count("pk", filter=Q(claimed_removed_at__lt=F("last_seen_online_at"))),
    )
    context = {
        "filters": filters,
        "tabs": _tabs(filters.tab_name, counts),
        "figures": _figures(counts),
        "open_count": counts["open"],
        "rows": rows(page.rows, now=now),
        "previous_url": f"?{filters.query}&before={page.before}" if page.before else "",
        "next_url": f"?{filters.query}&after={page.after}" if page.after else "",
        "answerable": filters.tab_name in {"open", "answered"},
    }
    return render(request, "portal/notices.html", context)


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
    tone = {"overdue": "bad", "contradicted": "bad", "soon": "warn"}
    figures = (
        ("open", _("open"), "?tab=open"),
        ("overdue", _("overdue"), "?tab=open&due=over"),
        ("soon", _("due within 4 hours"), "?tab=open&due=4h"),
        ("contradicted", _("you say removed, we still see it"), "?tab=open&only=contradicted"),
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
