"""Where a provider and our checks say different things about a claim of removal, and what no check could answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import Names
from audit.counting import Bounded
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.admin.trays import Tray, chosen, tabs
from cases.models import Notice, Reply, Sighting
from cases.models.reply import CLAIMS
from cases.services import verdicts

PER_PAGE: Final = 50

ClaimAnswer = Notice.ClaimAnswer
_OLDEST: Final = ("claimed_removed_at", "pk")


class Row(NamedTuple):
    """One claim: who says what since when, and what was seen last, from where, and from elsewhere."""

    notice: Notice
    claim: Reply | None
    claimed_by: str
    look: Sighting | None
    other_look: Sighting | None
    person_at: datetime | None
    is_late: bool


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, and its two buttons."""
    one = "disagreements/<int:pk>/"
    return [
        desk.at("disagreements/", disagreements, name="disagreements", cell="claim.view"),
        desk.at(f"{one}check/", check, name="claim_check", cell="claim.decide", methods=POST),
        desk.at(f"{one}accept/", accept, name="claim_accept", cell="claim.decide", methods=POST),
    ]


def trays(now: datetime) -> tuple[Tray, ...]:
    """What lies on the desk. A claim that still waits for its first look is there once it has waited too long."""
    late = Q(
        claim_answer=ClaimAnswer.WAITING, claimed_removed_at__lte=now - settings.HOST.claim_person_within
    )
    return (
        Tray(
            "seen",
            gettext_lazy("They say removed, we see it"),
            Q(claim_answer=ClaimAnswer.STILL_REACHABLE),
            _OLDEST,
        ),
        Tray(
            "untold",
            gettext_lazy("No check can tell"),
            Q(claim_answer=ClaimAnswer.CANNOT_TELL) | late,
            _OLDEST,
        ),
        Tray("accepted", gettext_lazy("Accepted"), Q(claim_answer=ClaimAnswer.ACCEPTED), _OLDEST),
    )


def disagreements(request: HttpRequest) -> HttpResponse:
    """The claims of one tray, the oldest first. It empties by itself when a later look finds the material gone."""
    now = timezone.now()
    every = trays(now)
    current = chosen(request, every)
    claimed = (
        Notice.objects.open()
        .filter(current.which)
        .select_related("provider", "content")
        .order_by(*current.order)
    )
    found = Bounded(claimed, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("Disagreements"),
        "tabs": tabs(every, current),
        "tray": current.code,
        "page": found,
        "rows": _rows(list(found), now=now),
        "may_decide": request.user.has_perm("claim.decide"),
    }
    return page(request, "staff/disagreements.html", context)


def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Have it looked at now."""
    press(
        request,
        lambda: verdicts.check_again(notice_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("It is looked at now; load the page again in a few seconds."),
    )
    return _back(request)


def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave it at that nobody can tell."""
    press(
        request,
        lambda: verdicts.accept(notice_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("Accepted: it stays open, and our checks go on."),
    )
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    tray = request.POST.get("tray", "")
    known = {each.code for each in trays(timezone.now())}
    return redirect(f"{reverse('admin:disagreements')}?tray={tray if tray in known else 'seen'}")


def _rows(notices: Sequence[Notice], *, now: datetime) -> list[Row]:
    """Two queries and the names, however many they are."""
    said = Reply.objects.filter(notice__in=notices, answer__in=CLAIMS, late=False).defer("note_sealed")
    claims = {each.notice_id: each for each in said.order_by("notice_id", "-at", "-pk").distinct("notice_id")}
    looks: dict[int, list[Sighting]] = {}
    last = Sighting.objects.filter(notice__in=notices).order_by("notice_id", "vantage", "-seen_at")
    for look in last.distinct("notice_id", "vantage"):
        looks.setdefault(look.notice_id, []).append(look)
    names = Names()
    return [
        _row(notice, claims.get(notice.pk), looks.get(notice.pk, []), names, now=now) for notice in notices
    ]


def _row(notice: Notice, claim: Reply | None, looks: list[Sighting], names: Names, *, now: datetime) -> Row:
    looks = sorted(looks, key=lambda look: look.seen_at, reverse=True)
    claimed = notice.claimed_removed_at
    person_at = None if claimed is None else claimed + settings.HOST.claim_person_within
    return Row(
        notice=notice,
        claim=claim,
        claimed_by=names.of(claim.by) if claim else "",
        look=looks[0] if looks else None,
        other_look=looks[1] if len(looks) > 1 else None,
        person_at=person_at,
        is_late=person_at is not None and person_at <= now,
    )
