"""The rungs of the ladder that ask for a person: what nobody sees to, what needs a yes, and what I see to."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import ROLE_CHOICES
from accounts.roles import Role
from audit.counting import Bounded, Uncounted
from audit.desk import POST, Desk, page
from audit.record import Actor
from audit.refused import Refused
from cases import deadlines
from cases.admin.counters import Figures, uncounted
from cases.admin.pressing import press, said
from cases.admin.sentences import step_name
from cases.models import Notice, Step
from cases.models.step import StepQuerySet
from cases.queues import to_call, unacknowledged, waiting
from cases.services.ladder import acknowledge_step, send_anyway

PER_PAGE: Final = 50
#: What somebody said longer ago that they see to is found by the search desk.
MINE: Final = timedelta(days=14)
ROLES: Final[dict[str, str | Promise]] = {role: dict(ROLE_CHOICES)[Role(role)] for role in deadlines.ROLES}


def _mine(by: str) -> StepQuerySet:
    """What this person sees to, as long as the notice is with its provider."""
    states = [Notice.State.NOTIFIED, Notice.State.ESCALATED]
    since = timezone.now() - MINE
    return Step.objects.filter(acknowledged_by=by, acknowledged_at__gte=since, notice__state__in=states)


#: Code -> name of the tab, the rows of this person, and their order.
TABS: Final[dict[str, tuple[Any, Callable[[str], StepQuerySet], tuple[str, ...]]]] = {
    "waiting": (gettext_lazy("Need a yes"), lambda by: waiting(), ("due_at", "pk")),
    "unacknowledged": (gettext_lazy("Nobody sees to it"), lambda by: unacknowledged(), ("asked_at", "pk")),
    "mine": (gettext_lazy("I see to it"), _mine, ("-acknowledged_at", "-pk")),
}


def urls(desk: Desk) -> list[URLPattern]:
    """The list of one kind, and its two buttons."""
    act = "step.act"
    return [
        desk.at("overdue/steps/", steps, name="overdue_steps", cell="step.view"),
        desk.at("overdue/steps/acknowledge/", acknowledge, name="step_acknowledge", cell=act, methods=POST),
        desk.at("overdue/steps/<int:pk>/send/", send, name="step_send", cell="overdue.act", methods=POST),
    ]


def step_counters(roles: Iterable[str], *, decides: bool, figures: Figures) -> list[Uncounted]:
    """The steps that wait for these roles; for who `decides`, also the reminders that need a yes."""
    here = reverse("admin:overdue_steps")
    yes = uncounted(
        "steps_waiting",
        waiting(),
        "due_at",
        name=gettext_lazy("reminders that need a yes"),
        href=f"{here}?show=waiting",
        tone="warn",
        figures=figures,
    )
    calls = uncounted(
        "steps_to_call",
        to_call(),
        "taken_at",
        name=gettext_lazy("calls to make"),
        href=reverse("admin:overdue_calls"),
        tone="warn",
        figures=figures,
    )
    return [
        *([yes, calls] if decides else []),
        *(
            uncounted(
                f"steps_of_{role}",
                unacknowledged().of_roles([role]),
                "asked_at",
                name=_("steps nobody sees to: %(role)s") % {"role": name},
                href=f"{here}?show=unacknowledged&role={role}",
                tone="warn",
                figures=figures,
            )
            for role, name in ROLES.items()
            if role in set(roles)
        ),
    ]


def steps(request: HttpRequest) -> HttpResponse:
    """The steps of one kind, the longest waiting first."""
    show = request.GET.get("show", "")
    show = show if show in TABS else "unacknowledged"
    rows = TABS[show][1](str(Actor.of(request.user)))
    role, provider = request.GET.get("role", ""), request.GET.get("provider", "")
    if role in ROLES:
        rows = rows.of_roles([role])
    if provider.isascii() and provider.isdigit() and len(provider) < 18:
        rows = rows.filter(notice__provider_id=int(provider))
    rows = rows.select_related("notice__provider", "notice__content").order_by(*TABS[show][2])
    found = Bounded(rows, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "title": _("Steps that ask for a person"),
        "page": found,
        "rows": [
            {"step": step, "name": step_name(step.code), "role": ROLES.get(step.owner, step.owner)}
            for step in found
        ],
        "show": show,
        "tabs": [
            {"name": name, "href": _here(show=code, role=role, provider=provider), "current": code == show}
            for code, (name, _of, _order) in TABS.items()
        ],
        "roles": [
            {"name": name, "href": _here(show=show, role=code, provider=provider), "current": code == role}
            for code, name in (("", _("everybody")), *ROLES.items())
        ],
        "may_act": request.user.has_perm("step.act"),
        "may_send": request.user.has_perm("overdue.act"),
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


def _here(**filters: str) -> str:
    """The same list with other filters; what is empty is left out."""
    return "?" + urlencode({name: value for name, value in filters.items() if value})
