"""What the work desk shows: the notice at hand, why this one, what can be undone, and how long it has been today."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.names import Names
from audit.desk import page
from cases.admin import known, turn
from cases.admin.forms import HoldForm, PressForm, SkipForm
from cases.admin.reporters import named_by, reports_of
from cases.models import Claim, Notice, Reply
from cases.queues import SOON
from cases.services import claims, undo
from cases.services.wellbeing import Today

TEMPLATE = "staff/work.html"


def nothing(request: HttpRequest, today: Today, *, now: datetime) -> HttpResponse:
    """Nothing is given out: all is done, colleagues have the rest before them, or it is enough for today."""
    names, busy = Names(), claims.busy(now=now, besides=me(request))
    context = {
        "stopped": today.stopped,
        "per_day": settings.HOST.work_per_day,
        "left_today": turn.left_today(me(request), now),
        "colleagues": [{"name": names.of(f"user:{user}"), "count": count} for user, count in busy.items()],
    }
    return page(request, TEMPLATE, _frame(request, today, now) | context)


def shown(
    request: HttpRequest,
    claim: Claim,
    today: Today,
    *,
    now: datetime,
    mine: bool = True,
    tried: forms.Form | None = None,
    revealed: str = "",
    defanged: str = "",
) -> HttpResponse:
    """The notice of a claim; not `mine` when a colleague has it. `tried`: a form that came back with faults."""
    rows = Notice.objects.select_related(
        "content",
        "provider",
        "attribution__table",
        "attribution__behind__provider",
        "attribution__origin",
        "attribution__registration",
        "previous",
    )
    notice, source, this_page = rows.get(pk=claim.notice_id), turn.source_of(claim.work), secrets.token_hex(8)
    if mine:
        claims.show(claim, page=this_page, now=now)
    due_at = source.due_at(notice)
    context: dict[str, Any] = {
        "notice": notice,
        "source": source,
        "page": this_page,
        "why": source.why(notice, now),
        "due_at": due_at,
        "late": due_at <= now,
        "soon": due_at <= now + SOON,
        "until_due": due_at - now,
        "revealed": revealed,
        "defanged": defanged,
        "may_reveal": request.user.has_perm("notice.reveal"),
        "known": known.shown(notice) if source is turn.FIRST else None,
        "reports": reports_of(notice, most=20),
        "named_by": named_by(notice),
        "looking": "" if mine else holder_of(notice.pk, now),
        "last_today": today.stopped,
        "form": _form(source.form, tried, notice),
        "second": source is turn.SECOND,
        "objections": list(notice.replies.filter(answer=Reply.Answer.DISPUTE, late=False).order_by("pk")[:5])
        if source is turn.SECOND and notice.disputed_at
        else [],
        "hold": _form(HoldForm, tried, notice, kind="police_first")
        if request.user.has_perm("notice.hold") and source is turn.FIRST
        else None,
        "hold_is_open": isinstance(tried, HoldForm),
        "skip": tried if isinstance(tried, SkipForm) else SkipForm(auto_id=auto_id(SkipForm)),
        "skip_is_open": isinstance(tried, SkipForm),
    }
    return page(request, TEMPLATE, _frame(request, today, now) | context, status=422 if tried else 200)


def holder_of(notice_id: int, now: datetime) -> str:
    """The name of whoever has it before them."""
    holder = claims.holders([notice_id], now=now).get(notice_id)
    return Names().of(f"user:{holder}") if holder else _("A colleague")


def auto_id(form_class: type[forms.Form]) -> str:
    """Ids that do not meet those of another form on the page."""
    return f"{form_class.__name__.lower()}_%s"


def me(request: HttpRequest) -> int:
    """Who asks."""
    return request.user.pk or 0


def _frame(request: HttpRequest, today: Today, now: datetime) -> dict[str, Any]:
    """What stands on the desk whatever it shows."""
    return {
        "title": _("Work"),
        "waiting": turn.waiting(now),
        "today": today,
        "break_from": settings.HOST.break_from,
        "may_lead": request.user.has_perm("work.lead"),
        "undoable": [
            {"assessment": each, "notice": each.notice, "until": until, "span": _span(each.at, until)}
            for each, until in undo.undoable(user_id=me(request), now=now)
        ],
    }


def _span(at: datetime, until: datetime | None) -> timedelta | None:
    return until - at if until else None


def _form(
    form_class: type[PressForm], tried: forms.Form | None, notice: Notice, **initial: str
) -> forms.Form:
    if isinstance(tried, form_class):
        return tried
    return form_class(initial={"version": notice.version, **initial}, auto_id=auto_id(form_class))
