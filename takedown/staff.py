"""The staff's side: Django's admin as the house's own product, under /staff/."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from audit.counting import counters
from audit.desk import Desk


class StaffSite(AdminSite):
    """The one admin site. A ModelAdmin with `desk_urls()` puts its desks at the root: /staff/work/."""

    site_header = "Takedown"
    site_title = "Takedown"
    index_title = _("Your desks")
    enable_nav_sidebar = False
    site_url = None

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only our own desks: what Django brings along (groups) goes around cells, services and audit."""
        if admin_class is not None and issubclass(admin_class, Desk):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Desks first, then the admin's pages. A desk wraps its views in `admin_view` and checks its cell."""
        desks: list[URLPattern | URLResolver] = []
        for model_admin in self._registry.values():
            if isinstance(model_admin, Desk):
                desks.extend(model_admin.desk_urls())
        return desks + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The start page: what waits for this person. A ModelAdmin with `counters()` adds its own."""
        now = timezone.now()
        desks = [desk for desk in self._registry.values() if isinstance(desk, Desk)]
        waits = counters(each for desk in desks for each in desk.counters(request, now))
        # What is wrong first, then what needs a look, then the plain work.
        waits.sort(key=lambda counter: ("bad", "warn", "").index(counter.tone))
        context = {
            "counters": waits,
            "saved": [shortcut for desk in desks for shortcut in desk.shortcuts(request)],
            "may_judge": request.user.has_perm("notice.assess"),
        }
        return super().index(request, {**context, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models of one app, for its own page. Django puts all of all apps together for every page; ours list none."""
        return super().get_app_list(request, app_label) if app_label else []

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one log-in for everybody: /login/. Who is logged in and is not staff is refused there."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            return redirect("home")
        after = request.GET.get("next") or reverse("admin:index")
        return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': after})}")

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may enter /staff/ (the table's staff.enter)."""
        return bool(request.user.is_authenticated and request.user.has_perm("staff.enter"))


class StaffConfig(AdminConfig):
    """Django's admin, with our site as the default one."""

    default_site = "takedown.staff.StaffSite"
