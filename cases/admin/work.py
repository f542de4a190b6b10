"""The work desk: one notice after another, in an order that nobody has to choose."""

import secrets
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.names import Names
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin import known, turn
from cases.admin.forms import AssessForm, HoldForm, PressForm, SecondForm, SkipForm
from cases.admin.pressing import press
from cases.admin.reporters import named_by, reports_of
from cases.models import Claim, Notice, Reply
from cases.queues import SOON
from cases.services import claims
from cases.services.assess import assess, hold
from cases.services.known import take_earlier
from cases.services.looking import Why
from cases.services.passing import hand_over, skip
from cases.services.reveal import reveal
from cases.services.second import judge_again


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, the look at the address, the three ways on, and what the page itself says while it is open."""
    return [
        desk.at("work/", next_one, name="work", cell="notice.assess"),
        desk.at("work/<int:pk>/reveal/", look, name="work_reveal", cell="notice.reveal", methods=POST),
        desk.at("work/<int:pk>/assess/", judge, name="work_assess", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/again/", again, name="work_again", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/known/", take, name="work_known", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/hold/", put_on_hold, name="work_hold", cell="notice.hold", methods=POST),
        desk.at("work/<int:pk>/skip/", leave, name="work_skip", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/hand-over/", give, name="work_hand_over", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/beat/", beat, name="work_beat", cell="notice.assess", methods=POST),
        desk.at("work/<int:pk>/close/", close, name="work_close", cell="notice.assess", methods=POST),
    ]


def next_one(request: HttpRequest) -> HttpResponse:
    """What this person has before them, or the next for them, or the word that there is none."""
    now = timezone.now()
    claim = turn.next_for(_me(request), now)
    return _show(request, claim, now=now) if claim else _nothing(request, now=now)


def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the full address of the notice at hand, in the answer to this very request."""
    now = timezone.now()
    url = press(
        request,
        lambda: reveal(notice_id=pk, by=Actor.of(request.user), now=now, reason=Why.JUDGE),
        _("That you looked is written down."),
    )
    return _again(request, pk, now=now, revealed=url or "")


def judge(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the judgement, and on to the next."""
    return pressed(request, pk, AssessForm, assess, _("Judged."))


def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the second judgement, and on to the next. Whoever may not give it is refused by the service."""
    now = timezone.now()
    if turn.SECOND.waiting(_me(request), now).filter(pk=pk).exists():
        # With faults it is shown again as what it is.
        claims.take(notice_id=pk, work=turn.SECOND.code, user_id=_me(request), now=now)
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
    return pressed(request, pk, known.TakeForm, take_earlier, _("Judged as before."))


def put_on_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Police first: it comes back here, on top, when the hold ends."""
    return pressed(request, pk, HoldForm, hold, _("On hold."))


def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave it for a colleague whom it suits better, with the reason; today it does not come back here."""
    now, form = timezone.now(), SkipForm(request.POST, auto_id=_auto_id(SkipForm))
    if not form.is_valid():
        return _again(request, pk, now=now, skipping=form)
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


def beat(request: HttpRequest, pk: int) -> JsonResponse:
    """The page is open and says so once a minute; the answer says whether the notice is still this person's.

    `active` is "yes" when there was a key, a movement or a press since the last time.
    """
    now, version = timezone.now(), request.POST.get("version", "")
    notice = Notice.objects.only("pk", "version").filter(pk=pk).first()
    if notice is None or str(notice.version) != version:
        return JsonResponse(
            {"claim": "changed", "words": _("This notice was changed meanwhile. Look again.")}
        )
    kept = claims.keep(
        notice_id=pk,
        work=turn.source_of(request.POST.get("work", "")).code,
        user_id=_me(request),
        active=request.POST.get("active") == "yes",
        now=now,
    )
    words = {
        claims.Kept.YES: "",
        claims.Kept.IDLE: _(
            "You were away for a while, so this notice may go to a colleague. Go on with it?"
        ),
        claims.Kept.TAKEN: _("%(who)s has this notice before them now. Go on to the next.")
        % {"who": _holder(pk, now)},
    }
    return JsonResponse({"claim": kept, "words": words[kept]})


def close(request: HttpRequest, pk: int) -> HttpResponse:
    """The page was left: its notice is free at once, unless a later page shows it."""
    claims.release(notice_id=pk, user_id=_me(request), page=request.POST.get("page", "-")[:16])
    return HttpResponse(status=204)


def pressed(request: HttpRequest, pk: int, form_class: type[PressForm], call: Any, done: str) -> HttpResponse:
    """A way on: call the service with what was filled in, and show the next; with faults, the same again."""
    now, form = timezone.now(), form_class(request.POST, auto_id=_auto_id(form_class))
    if not form.is_valid():
        return _again(request, pk, now=now, tried=form)
    press(
        request,
        lambda: call(notice_id=pk, by=Actor.of(request.user), now=now, **form.arguments(now=now)),
        done,
    )
    return onwards(request, pk)


def onwards(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a notice back, and on to the next."""
    claims.release(notice_id=pk, user_id=_me(request))
    return redirect("admin:work")


def _again(request: HttpRequest, pk: int, *, now: datetime, **shown: Any) -> HttpResponse:
    """The same notice once more. It is claimed if it can be: whoever has it meanwhile is named on the page."""
    claim = Claim.objects.filter(notice=pk, user=_me(request)).first()
    work = claim.work if claim else turn.SOURCES[0].code
    if not Notice.objects.filter(pk=pk).exists():
        return redirect("admin:work")
    claims.take(notice_id=pk, work=work, user_id=_me(request), now=now)
    claim = Claim.objects.filter(notice=pk, user=_me(request)).first()
    return _show(request, claim or Claim(notice_id=pk, work=work), now=now, **shown)


def _show(
    request: HttpRequest,
    claim: Claim,
    *,
    now: datetime,
    tried: PressForm | None = None,
    skipping: SkipForm | None = None,
    revealed: str = "",
) -> HttpResponse:
    rows = Notice.objects.select_related("content", "provider", "attribution", "previous")
    notice, source, this_page = rows.get(pk=claim.notice_id), turn.source_of(claim.work), secrets.token_hex(8)
    mine = claim.user_id is not None
    if mine:
        claims.show(claim, page=this_page, now=now)
    due_at = source.due_at(notice)
    context: dict[str, Any] = {
        "title": _("Work"),
        "notice": notice,
        "source": source,
        "page": this_page,
        "waiting": turn.waiting(now),
        "why": source.why(notice, now),
        "due_at": due_at,
        "late": due_at <= now,
        "soon": due_at <= now + SOON,
        "until_due": due_at - now,
        "revealed": revealed,
        "may_reveal": request.user.has_perm("notice.reveal"),
        "known": known.shown(notice) if source is turn.FIRST else None,
        "reports": reports_of(notice, most=20),
        "named_by": named_by(notice),
        "looking": "" if mine else _holder(notice.pk, now),
        "form": tried if isinstance(tried, source.form) else _blank(source.form, notice),
        "second": source is turn.SECOND,
        "objections": list(notice.replies.filter(answer=Reply.Answer.DISPUTE).order_by("pk")[:5])
        if source is turn.SECOND and notice.disputed_at
        else [],
        "hold": tried
        if isinstance(tried, HoldForm)
        else _blank(HoldForm, notice, kind="police_first")
        if request.user.has_perm("notice.hold") and source is turn.FIRST
        else None,
        "hold_is_open": isinstance(tried, HoldForm),
        "skip": skipping or SkipForm(auto_id=_auto_id(SkipForm)),
        "skip_is_open": skipping is not None,
    }
    return page(request, "staff/work.html", context, status=422 if tried or skipping else 200)


def _nothing(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Nothing is free: all is done, or colleagues have the rest before them."""
    names, busy = Names(), claims.busy(now=now, besides=_me(request))
    context = {
        "title": _("Work"),
        "waiting": turn.waiting(now),
        "left_today": turn.left_today(_me(request), now),
        "colleagues": [{"name": names.of(f"user:{user}"), "count": count} for user, count in busy.items()],
    }
    return page(request, "staff/work.html", context)


def _holder(notice_id: int, now: datetime) -> str:
    holder = claims.holders([notice_id], now=now).get(notice_id)
    return Names().of(f"user:{holder}") if holder else _("A colleague")


def _blank(form_class: type[PressForm], notice: Notice, **initial: str) -> PressForm:
    return form_class(initial={"version": notice.version, **initial}, auto_id=_auto_id(form_class))


def _auto_id(form_class: type[forms.Form]) -> str:
    return f"{form_class.__name__.lower()}_%s"


def _me(request: HttpRequest) -> int:
    return request.user.pk or 0
