"""The notice desk: messages that wait, need a yes, or are stuck, each with its reason in plain words."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import keyset
from audit.counting import COUNTED, Uncounted, up_to_each
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.outbox_filter import OutboxFilter
from cases.admin.piles import BY_CODE, PILES, Pile, State, buttons, reason
from cases.models import Attempt, Dispatch, DispatchLine
from cases.services.retry import retry_many
from cases.services.sending.held_up import held_up

#: Where a session keeps which messages its person let try again, for their progress.
_PRESSED: Final = "outbox_pressed"


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, trying many again, and how far those are; one message's buttons are in cases/admin/dispatch.py."""
    return [
        desk.at("outbox/", outbox, name="outbox", cell="dispatch.view"),
        desk.at("outbox/retry/", retry, name="outbox_retry", cell="dispatch.retry", methods=POST),
        desk.at("outbox/pressed/", pressed, name="outbox_pressed", cell="dispatch.retry"),
    ]


def counters(*, approving: bool, now: datetime) -> Iterator[Uncounted]:
    """Messages that wait for a person, for the start page; approvals only for who may give them."""
    here = reverse("admin:outbox")
    for pile in PILES:
        if pile.counted and (approving or pile.code != "approval"):
            rows = Dispatch.objects.filter(pile.which(now))
            yield Uncounted(pile.counted, rows, "created_at", f"{here}?show={pile.code}", pile.tone)


def outbox(request: HttpRequest) -> HttpResponse:
    """The messages of one pile; first what needs somebody, if there is any."""
    now = timezone.now()
    counts = _counts(now)
    first = next((pile for pile in PILES if counts[pile.code] and not pile.asked), BY_CODE["waiting"])
    pile = BY_CODE.get(request.GET.get("show", ""), first)
    form = OutboxFilter(request.GET)
    context: dict[str, Any] = {
        "title": _("Outbox"),
        "pile": pile,
        "form": form,
        "rows": [],
        "tabs": _tabs(pile, counts),
        "progress": _progress(request),
    }
    if context["progress"] and context["progress"]["is_over"]:
        del request.session[_PRESSED]
    if not form.is_valid():
        return page(request, "staff/outbox.html", context, status=400)
    some = form.applied(Dispatch.objects.filter(pile.which(now)), now=now)
    listed = some.select_related("contact__provider").defer("body_sealed")
    found = keyset.page(
        listed,
        order=pile.order,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context |= {
        "rows": _rows(request, found.rows, now),
        "causes": _causes(pile, some, form),
        "kept": form.plain() | {"show": pile.code},
        "may_retry": pile.code == "parked" and request.user.has_perm("dispatch.retry"),
        **found.urls((form.plain() | {"show": pile.code}).items()),
    }
    return page(request, "staff/outbox.html", context)


def retry(request: HttpRequest) -> HttpResponse:
    """Try the ticked messages again, or all that the filter finds; COUNTED at once, the longest waiting first."""
    now = timezone.now()
    back = f"{reverse('admin:outbox')}?show=parked"
    form = OutboxFilter(request.POST)
    if "everything" in request.POST and form.is_valid():
        parked = form.applied(Dispatch.objects.filter(BY_CODE["parked"].which(now)), now=now)
        chosen = list(parked.order_by("created_at", "pk").values_list("pk", flat=True)[: COUNTED + 1])
    else:
        ticked = request.POST.getlist("message")[: keyset.SIZE]
        chosen = [int(pk) for pk in ticked if pk.isascii() and pk.isdigit() and len(pk) < 19]
    done = retry_many(dispatch_ids=chosen[:COUNTED], by=Actor.of(request.user), now=now)
    if done:
        request.session[_PRESSED] = done
        text = ngettext(
            "%(count)d message is tried again with the next round.",
            "%(count)d messages are tried again with the next round.",
            len(done),
        )
        messages.success(request, text % {"count": len(done)})
    else:
        messages.warning(request, _("None of these is set aside any more."))
    if len(chosen) > COUNTED:
        messages.warning(request, _("There are more: press again when these have gone."))
    return redirect(back)


def pressed(request: HttpRequest) -> HttpResponse:
    """How far the messages are that this person let try again: what the browser asks for every other second."""
    return render(request, "staff/outbox_pressed.html", {"progress": _progress(request)})


def _counts(now: datetime) -> Tally[str]:
    """Pile -> how many are in it, COUNTED + 1 at most; what is accepted nobody counts."""
    listed = [pile for pile in PILES if not pile.closed]
    found = up_to_each([(Dispatch.objects.filter(pile.which(now)), "") for pile in listed])
    return Tally({pile.code: its.found for pile, its in zip(listed, found, strict=True)})


def _tabs(current: Pile, counts: Tally[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": pile.name,
            "href": f"?show={pile.code}",
            "current": pile is current,
            "count": None if pile.closed else _up_to(counts[pile.code]),
        }
        for pile in PILES
        if not pile.asked or pile is current
    ]


def _up_to(count: int) -> str:
    return f"{COUNTED}+" if count > COUNTED else str(count)


def _causes(pile: Pile, some: QuerySet[Dispatch], form: OutboxFilter) -> list[dict[str, Any]]:
    """Why messages are set aside, and how many for each cause among the first COUNTED: to try alike ones together."""
    if pile.code != "parked":
        return []
    first = some.order_by("created_at", "pk").values("pk")[:COUNTED]
    counted = Dispatch.objects.filter(pk__in=first).order_by().values("trouble").annotate(count=Count("pk"))
    kept = form.plain() | {"show": pile.code}
    chosen = kept.pop("cause", "")
    causes = [
        {
            "name": Dispatch.Trouble(each["trouble"]).label if each["trouble"] else _("unknown"),
            "count": each["count"],
            "current": each["trouble"] == chosen,
            "href": f"?{urlencode(kept | {'cause': each['trouble']})}",
        }
        for each in counted
        if each["trouble"]
    ]
    causes.sort(key=lambda cause: -cause["count"])
    if chosen:
        causes.append({"name": _("every cause"), "href": f"?{urlencode(kept)}", "current": False})
    return causes if len(causes) > 1 else []


def _rows(request: HttpRequest, found: Sequence[Dispatch], now: datetime) -> list[dict[str, Any]]:
    """What the table shows of each message: a few more queries for all of them."""
    ids = [dispatch.pk for dispatch in found]
    on_it = DispatchLine.objects.filter(dispatch__in=ids, dropped_because="").order_by()
    lines = dict(on_it.values_list("dispatch").annotate(count=Count("pk")))
    taken = _handed_over(dispatch.pk for dispatch in found if dispatch.state == State.RELAYED)
    pending = [dispatch.contact for dispatch in found if dispatch.state == State.PENDING]
    held = held_up(pending, now=now) if pending else {}
    return [
        {
            "dispatch": dispatch,
            "lines": lines.get(dispatch.pk, 0),
            "reason": reason(
                dispatch,
                now=now,
                handed_over_at=taken.get(dispatch.pk),
                held=held.get(dispatch.contact_id),
            ),
            **buttons(request, dispatch),
        }
        for dispatch in found
    ]


def _handed_over(ids: Iterable[int]) -> dict[int, datetime]:
    """Message -> when our relay took it."""
    wanted = list(ids)
    if not wanted:
        return {}
    taken = Attempt.objects.filter(dispatch__in=wanted, accepted=True).order_by().values("dispatch")
    return {each["dispatch"]: each["at"] for each in taken.annotate(at=Max("ended_at"))}


def _progress(request: HttpRequest) -> dict[str, Any] | None:
    """What became of the messages that this person let try again; None when there are none."""
    ids = request.session.get(_PRESSED)
    if not ids:
        return None
    states = Dispatch.objects.filter(pk__in=ids).order_by().values("state").annotate(count=Count("pk"))
    counts = {each["state"]: each["count"] for each in states}
    waiting = counts.get(State.PENDING, 0)
    return {"total": len(ids), "done": len(ids) - waiting, "counts": counts, "is_over": not waiting}
