"""The steps that wait for a person: reminders that need a yes, and what somebody must see to."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.counting import Bounded, Counter
from audit.desk import POST, Desk, page
from audit.record import Actor
from audit.refused import Refused
from cases.admin.counters import counted
from cases.admin.pressing import press, said
from cases.admin.sentences import step_name
from cases.queues import unacknowledged, waiting
from cases.services.ladder import acknowledge_step, send_anyway

PER_PAGE: Final = 50


#: Code -> name of the tab, name of the counter, the rows of both.
STEPS: Final = {
    "waiting": (gettext_lazy("Need a yes"), gettext_lazy("reminders that need a yes"), waiting),
    "unacknowledged": (
        gettext_lazy("Nobody sees to it"),
        gettext_lazy("steps nobody sees to"),
        unacknowledged,
    ),
}


def urls(desk: Desk) -> list[URLPattern]:
    """The list of one kind, and its two buttons."""
    act = "overdue.act"
    return [
        desk.at("overdue/steps/", steps, name="overdue_steps", cell="overdue.view"),
        desk.at("overdue/steps/acknowledge/", acknowledge, name="step_acknowledge", cell=act, methods=POST),
        desk.at("overdue/steps/<int:pk>/send/", send, name="step_send", cell=act, methods=POST),
    ]


def step_counters() -> list[Counter]:
    """The steps that wait, for this desk and the start page."""
    here = reverse("admin:overdue_steps")
    return [
        counted(f"steps_{code}", of(), "due_at", name=name, href=f"{here}?show={code}", tone="warn")
        for code, (_tab, name, of) in STEPS.items()
    ]


def steps(request: HttpRequest) -> HttpResponse:
    """The steps of one kind, the longest waiting first."""
    show = request.GET.get("show", "")
    show = show if show in STEPS else "waiting"
    rows = STEPS[show][2]().select_related("notice__provider", "notice__content").order_by("due_at", "pk")
    provider = request.GET.get("provider", "")
    if provider.isascii() and provider.isdigit():
        rows = rows.filter(notice__provider_id=int(provider))
    found = Bounded(rows, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "title": _("Steps that wait for a person"),
        "page": found,
        "rows": [{"step": step, "name": step_name(step.code)} for step in found],
        "show": show,
        "tabs": [
            {"name": name, "href": f"?show={code}", "current": code == show}
            for code, (name, _counted, _of) in STEPS.items()
        ],
        "may_act": request.user.has_perm("overdue.act"),
    }
    return page(request, "staff/steps.html", context)


def acknowledge(request: HttpRequest) -> HttpResponse:
    """This person sees to the ticked steps."""
    done, by, now = 0, Actor.of(request.user), timezone.now()
    for pk in request.POST.getlist("step")[:PER_PAGE]:
        try:
            acknowledge_step(step_id=int(pk) if pk.isascii() and pk.isdigit() else 0, by=by, now=now)
        except Refused as refusal:
            messages.warning(request, said(refusal))
        else:
            done += 1
    if done:
        text = ngettext("You see to %(count)d step.", "You see to %(count)d steps.", done)
        messages.success(request, text % {"count": done})
    elif not request.POST.getlist("step"):
        messages.warning(request, _("Tick the steps that you see to."))
    return redirect(f"{reverse('admin:overdue_steps')}?show=unacknowledged")


def send(request: HttpRequest, pk: int) -> HttpResponse:
    """A supervisor's yes to a reminder although nobody has seen the material lately."""
    press(
        request,
        lambda: send_anyway(step_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("The reminder is in the outbox."),
    )
    return redirect(f"{reverse('admin:overdue_steps')}?show=waiting")
