"""The work desk: one notice after another, in an order that nobody has to choose."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.desk import POST, Desk
from audit.record import Actor
from cases import url as urls_of_content
from cases.admin import known, turn, work_page
from cases.admin.forms import AssessForm, HoldForm, PressForm, SecondForm, SkipForm
from cases.admin.pressing import press
from cases.admin.work_page import auto_id, me
from cases.models import Claim, Notice
from cases.services import claims, wellbeing
from cases.services.assess import assess, hold
from cases.services.known import take_earlier
from cases.services.looking import Why
from cases.services.passing import hand_over, skip
from cases.services.reveal import reveal
from cases.services.second import judge_again
from cases.services.undo import undo


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, the looks at the address, the ways on and back, and what the open page says by itself."""
    assess_cell, reveal_cell = "notice.assess", "notice.reveal"
    return [
        desk.at("work/", next_one, name="work", cell=assess_cell),
        desk.at("work/hint/", read_hint, name="work_hint", cell=assess_cell, methods=POST),
        desk.at("work/keys/", switch_keys, name="work_keys", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/reveal/", look, name="work_reveal", cell=reveal_cell, methods=POST),
        desk.at("work/<int:pk>/copy/", copy, name="work_copy", cell=reveal_cell, methods=POST),
        desk.at("work/<int:pk>/assess/", judge, name="work_assess", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/undo/", think_again, name="work_undo", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/again/", again, name="work_again", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/known/", take, name="work_known", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/hold/", put_on_hold, name="work_hold", cell="notice.hold", methods=POST),
        desk.at("work/<int:pk>/skip/", leave, name="work_skip", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/hand-over/", give, name="work_hand_over", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/beat/", beat, name="work_beat", cell=assess_cell, methods=POST),
        desk.at("work/<int:pk>/close/", close, name="work_close", cell=assess_cell, methods=POST),
    ]


def next_one(request: HttpRequest) -> HttpResponse:
    """What this person has before them, or the next for them, or the word that there is none.

    After the hours of a day nothing new is given out; what is before somebody may be finished.
    """
    now = timezone.now()
    today = wellbeing.sign(user_id=me(request), now=now)
    claim = turn.at_hand(me(request), now) if today.stopped else turn.next_for(me(request), now)
    if claim is None:
        return work_page.nothing(request, today, now=now)
    return work_page.shown(request, claim, today, now=now)


# -- the address ------------------------------------------------------------------------------------------


def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the full address of the notice at hand, in the answer to this very request."""
    now = timezone.now()
    url = press(
        request,
        lambda: reveal(notice_id=pk, by=Actor.of(request.user), now=now, reason=Why.JUDGE),
        "",  # the page says beside the address that it is written down: nothing moves
    )
    return _again(request, pk, now=now, revealed=url or "")


def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the address defanged, to be copied: as JSON to the page's own script, else on the page, selected.

    The live address never comes into a clipboard. That it was copied is written down.
    """
    now = timezone.now()
    by_script = request.headers.get("Accept") == "application/json"
    url = press(
        request,
        lambda: reveal(notice_id=pk, by=Actor.of(request.user), now=now, reason=Why.JUDGE, defanged=True),
        "" if by_script else _("That you copied it is written down."),
    )
    text = urls_of_content.defanged(url) if url else ""
    if by_script:
        return JsonResponse({"text": text})
    return _again(request, pk, now=now, defanged=text)


# -- ways on, and back ------------------------------------------------------------------------------------


def judge(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the judgement, and on to the next; the desk itself says what was judged, and offers to undo it."""
    return pressed(request, pk, AssessForm, assess, "")


def think_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo one's own judgement: the notice is before this person again."""
    now = timezone.now()
    notice = press(
        request,
        lambda: undo(notice_id=pk, by=Actor.of(request.user), now=now),
        _("Undone: judge it again."),
    )
    if notice is not None:
        claims.take(notice_id=notice.pk, work=turn.FIRST.code, user_id=me(request), now=now)
    return redirect("admin:work")


def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the second judgement, and on to the next. Whoever may not give it is refused by the service."""
    now = timezone.now()
    if turn.SECOND.waiting(me(request), now).filter(pk=pk).exists():
        # With faults it is shown again as what it is.
        claims.take(notice_id=pk, work=turn.SECOND.code, user_id=me(request), now=now)
        return pressed(request, pk, SecondForm, judge_again, _("Judged a second time."))
    form = SecondForm(request.POST)
    if form.is_valid():
        press(
            request,
            lambda: judge_again(notice_id=pk, by=Actor.of(request.user), now=now, **form.arguments(now=now)),
            "",
        )
    return redirect("admin:work")


def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Judge it as its material was judged before, and on to the next."""
    return pressed(request, pk, known.TakeForm, take_earlier, "")


def put_on_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Police first: it comes back here, on top, when the hold ends."""
    return pressed(request, pk, HoldForm, hold, _("On hold."))


def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave it for a colleague whom it suits better, with the reason; today it does not come back here."""
    now, form = timezone.now(), SkipForm(request.POST, auto_id=auto_id(SkipForm))
    if not form.is_valid():
        return _again(request, pk, now=now, tried=form)
    press(
        request,
        lambda: skip(notice_id=pk, by=Actor.of(request.user), now=now, **form.cleaned_data),
        _("Left for somebody else."),
    )
    return redirect("admin:work")


def give(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it over: no reason is asked, and today it does not come back here."""
    press(
        request,
        lambda: hand_over(notice_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("Handed over to a colleague."),
    )
    return redirect("admin:work")


def pressed(request: HttpRequest, pk: int, form_class: type[PressForm], call: Any, done: str) -> HttpResponse:
    """A way on: call the service with what was filled in, and show the next; with faults, the same again."""
    now, form = timezone.now(), form_class(request.POST, auto_id=auto_id(form_class))
    if not form.is_valid():
        return _again(request, pk, now=now, tried=form)
    answer = press(
        request,
        lambda: call(notice_id=pk, by=Actor.of(request.user), now=now, **form.arguments(now=now)),
        done,
    )
    if answer is not None:
        wellbeing.sign(user_id=me(request), now=now, items=1)
    claims.release(notice_id=pk, user_id=me(request))
    return redirect("admin:work")


def _again(request: HttpRequest, pk: int, *, now: datetime, **what: Any) -> HttpResponse:
    """The same notice once more. It is claimed if it can be: whoever has it meanwhile is named on the page."""
    if not Notice.objects.filter(pk=pk).exists():
        return redirect("admin:work")
    had = Claim.objects.filter(notice=pk, user=me(request)).first()
    work = had.work if had else turn.FIRST.code
    mine = claims.take(notice_id=pk, work=work, user_id=me(request), now=now)
    claim = Claim(notice_id=pk, work=work, user_id=me(request))
    today = wellbeing.sign(user_id=me(request), now=now)
    return work_page.shown(request, claim, today, now=now, mine=mine, **what)


# -- what the page says by itself, and how a person likes it ------------------------------------------------


def beat(request: HttpRequest, pk: int) -> JsonResponse:
    """The page is open and says so once a minute; the answer says whether the notice is still this person's.

    `active` is "yes" when there was a key, a movement or a press since the last time.
    """
    now, version, active = (
        timezone.now(),
        request.POST.get("version", ""),
        request.POST.get("active") == "yes",
    )
    if active:
        wellbeing.sign(user_id=me(request), now=now)
    work = turn.source_of(request.POST.get("work", "")).code
    if not turn.still_waits(pk, work, version, user_id=me(request), now=now):
        return JsonResponse(
            {"claim": "changed", "words": _("This notice was changed meanwhile. Look again.")}
        )
    kept = claims.keep(notice_id=pk, work=work, user_id=me(request), active=active, now=now)
    words = ""
    if kept == claims.Kept.IDLE:
        words = _("You were away for a while, so this notice may go to a colleague. Go on with it?")
    elif kept == claims.Kept.TAKEN:
        words = _("%(who)s has this notice before them now. Go on to the next.") % {
            "who": work_page.holder_of(pk, now)
        }
    return JsonResponse({"claim": kept, "words": words})


def close(request: HttpRequest, pk: int) -> HttpResponse:
    """The page was left: its notice is free at once, unless a later page shows it."""
    this_page = request.POST.get("page", "")
    claims.release(notice_id=pk, user_id=me(request), page=this_page[:16] if this_page.isalnum() else "-")
    return HttpResponse(status=204)


def read_hint(request: HttpRequest) -> HttpResponse:
    """The hint to take a break was read."""
    wellbeing.read_hint(user_id=me(request), now=timezone.now())
    return redirect("admin:work")


def switch_keys(request: HttpRequest) -> HttpResponse:
    """Single keys on or off, for this person on whatever computer."""
    wellbeing.switch_keys(user_id=me(request), on=request.POST.get("off") != "yes")
    return (
        HttpResponse(status=204)
        if request.headers.get("Accept") == "application/json"
        else redirect("admin:work")
    )
