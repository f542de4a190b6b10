"""For the lead: what is left for colleagues often, and who has worked enough for today. No figure of a person."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.models import AtWork, Notice, PassedOn
from cases.services import wellbeing
from cases.services.passing import LISTED

#: Longer the list of skips does not get.
MOST: Final = 50


class LiftForm(forms.Form):
    """Why somebody may go on today."""

    because = forms.ChoiceField(label=gettext_lazy("Why may they go on?"), choices=AtWork.Lifted.choices)


def urls(desk: Desk) -> list[URLPattern]:
    """The desk and its one button."""
    return [
        desk.at("work/team/", team, name="work_team", cell="work.lead"),
        desk.at("work/team/<int:pk>/lift/", lift, name="work_lift", cell="work.lead", methods=POST),
    ]


def team(request: HttpRequest) -> HttpResponse:
    """Notices that still wait and were skipped, the most often skipped first; and who is stopped today."""
    now = timezone.now()
    context = {
        "title": _("Team"),
        "skipped": _skipped(now),
        "stopped": [
            {"person": each.user, "lift": LiftForm(auto_id=f"lift{each.pk}_%s")}
            for each in wellbeing.stopped(now=now)
        ],
        "me": request.user.pk,
        "days": LISTED.days,
    }
    return page(request, "staff/team.html", context)


def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody go on for today."""
    press(
        request,
        lambda: wellbeing.lift(
            user_id=pk, because=request.POST.get("because", ""), by=Actor.of(request.user), now=timezone.now()
        ),
        _("They may go on for today. That is written down."),
    )
    return redirect("admin:work_team")


def _skipped(now: datetime) -> list[dict[str, Any]]:
    """By notice, what it was skipped for; what was handed over is not asked about, and not counted."""
    rows = (
        PassedOn.objects.skipped()
        .filter(at__gte=now - LISTED, notice__state=Notice.State.RECEIVED, notice__assessed_at__isnull=True)
        .values("notice_id")
        .annotate(times=Count("pk"), last=Max("at"))
        .order_by("-times", "-last", "notice_id")[:MOST]
    )
    found = {row["notice_id"]: row for row in rows}
    notices = Notice.objects.select_related("content").in_bulk(list(found))
    words = dict(PassedOn.Reason.choices)
    reasons: dict[int, list[str]] = {pk: [] for pk in found}
    said = PassedOn.objects.skipped().filter(notice__in=list(found), at__gte=now - LISTED)
    for pk, reason in said.order_by("notice_id", "reason").values_list("notice_id", "reason").distinct():
        reasons[pk].append(str(words[reason]))
    return [
        {"notice": notices[pk], "times": row["times"], "last": row["last"], "reasons": reasons[pk]}
        for pk, row in found.items()
    ]
