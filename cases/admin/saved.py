"""The saved filters of a person and of their roles: on the search desk, on the start page, and the page to tend them."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import ROLE_CHOICES
from accounts.names import Names
from accounts.roles import STAFF_ROLES
from audit.counting import COUNTED, Shortcut
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.filters import parsed
from cases.models import SavedFilter
from cases.services import saved_filters


def urls(desk: Desk) -> list[URLPattern]:
    """The page, and its buttons."""
    cell, at = "notice.view", desk.at
    return [
        at("filters/", listed, name="filters", cell=cell),
        at("filters/save/", save, name="filter_save", cell=cell, methods=POST),
        at("filters/<int:pk>/up/", _button(saved_filters.move_up), name="filter_up", cell=cell, methods=POST),
        at("filters/<int:pk>/begin/", _button(saved_filters.begin_with), name="filter_begin", cell=cell, methods=POST),
        at("filters/<int:pk>/forget/", _button(saved_filters.forget), name="filter_forget", cell=cell, methods=POST),
    ]  # fmt: skip


def visible(request: HttpRequest) -> list[SavedFilter]:
    """This person's own in their order, then those that are shared with their roles."""
    user = request.user
    rows = SavedFilter.objects.filter(Q(user_id=user.pk) | Q(role__in=list(getattr(user, "roles", ()))))
    return sorted(rows, key=lambda saved: (saved.user_id != user.pk, saved.position, saved.pk))


def shortcuts(request: HttpRequest, query: str = "") -> list[Shortcut]:
    """The same as links. `query`: what is on just now."""
    here = reverse("admin:cases_notice_changelist")
    return [
        Shortcut(
            saved.name, f"{here}?{saved.query}", _counted(saved.count), bool(query) and saved.query == query
        )
        for saved in visible(request)
    ]


def begins_with(request: HttpRequest) -> SavedFilter | None:
    """The filter that this person's search desk begins with."""
    return SavedFilter.objects.filter(user_id=request.user.pk or 0, opens=True).first()


def roles(request: HttpRequest) -> list[tuple[str, Any]]:
    """The roles that this person may share a filter with."""
    if not request.user.has_perm("filter.share"):
        return []
    return [(role, label) for role, label in ROLE_CHOICES if role in STAFF_ROLES]


def listed(request: HttpRequest) -> HttpResponse:
    """Each with its words; one that is no filter any more says so."""
    names, rows, here = Names(), [], reverse("admin:cases_notice_changelist")
    labels = {str(role): label for role, label in ROLE_CHOICES}
    for saved in visible(request):
        form = parsed(saved.query)
        valid = form.is_valid()
        rows.append(
            {
                "saved": saved,
                "href": f"{here}?{saved.query}",
                "count": _counted(saved.count),
                "words": form.described() if valid else "",
                "broken": not valid,
                "mine": saved.user_id == request.user.pk,
                "by": names.of(f"user:{saved.user_id}"),
                "role": labels.get(saved.role, ""),
            }
        )
    return page(request, "staff/filters.html", {"title": _("Saved filters"), "rows": rows})


def save(request: HttpRequest) -> HttpResponse:
    """Keep what is on, under a name."""
    query, role = request.POST.get("query", ""), request.POST.get("role", "")
    if role and role not in dict(roles(request)):
        role = ""
    press(
        request,
        lambda: saved_filters.save(
            name=request.POST.get("name", ""),
            query=query,
            role=role,
            by=Actor.of(request.user),
            now=timezone.now(),
        ),
        _("The filter is saved."),
    )
    form = parsed(query)
    return redirect(f"{reverse('admin:cases_notice_changelist')}?{form.query if form.is_valid() else ''}")


def _button(act: Callable[..., None]) -> Callable[..., HttpResponse]:
    def pressed(request: HttpRequest, pk: int) -> HttpResponse:
        """Call the service; whoever's it is not gets its refusal."""
        press(request, lambda: act(saved_id=pk, by=Actor.of(request.user)), _("Done."))
        return redirect("admin:filters")

    return pressed


def _counted(count: int | None) -> str | None:
    if count is None:
        return None
    shown = number_format(min(count, COUNTED), force_grouping=True)
    return f"{shown}+" if count > COUNTED else shown
