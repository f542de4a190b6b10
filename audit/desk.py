"""What every staff page is made of: cells instead of Django's permissions, buttons that call services.

A desk shows. It edits nothing in place and deletes nothing; a button is a form that POSTs to a service, and
the service writes the audit row.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, ClassVar, Final, TypeVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from audit.counting import Bounded, Counter, Shortcut, Uncounted
from audit.refused import Refused

T = TypeVar("T")

GET: Final = ("GET", "HEAD")
POST: Final = ("POST",)
BOTH: Final = (*GET, *POST)

#: Digits of the largest bigint; a longer number is no row of ours.
_LONGEST_ID: Final = 18


class Desk(admin.ModelAdmin):  # type: ignore[type-arg]  # it is no generic when it runs
    """The staff's page of a model. `cell` is the cell of the permission table that opens it.

    What Django's admin can do beyond showing exists for nobody: not even its address.
    """

    cell: ClassVar[str]
    paginator = Bounded
    show_full_result_count = False
    list_max_show_all = 0
    list_per_page = 50
    actions = None
    view_on_site = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(self.cell)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """Our own pages, then Django's list and page of a row."""
        dead = {"add", "delete", "history"}
        # The one without a name leads from old addresses to new ones; ours were never old.
        stock = [url for url in super().get_urls() if url.name and url.name.rpartition("_")[2] not in dead]
        return [*self.own_urls(), *stock]

    def own_urls(self) -> list[URLPattern]:
        """Pages and buttons under the model's address, made by `at`."""
        return []

    def check_view(self, request: HttpRequest) -> None:
        """Raises PermissionDenied for who may not see this desk."""
        if not self.has_view_permission(request):
            raise PermissionDenied

    def desk_urls(self) -> list[URLPattern]:
        """Desks of their own, straight under /staff/, made by `at`."""
        return []

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Counter | Uncounted]:
        """What waits here for this person, for the start page."""
        return ()

    def shortcuts(self, request: HttpRequest) -> Iterable[Shortcut]:
        """What this person keeps here under a name, for the start page."""
        return ()

    def at(
        self,
        route: str,
        view: Callable[..., HttpResponseBase],
        *,
        name: str,
        cell: str,
        methods: Sequence[str] = GET,
    ) -> URLPattern:
        """A page or button at `route` for who has `cell`; the rest get 403, and guests the log-in."""

        limited = require_http_methods(methods)(view)

        @wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(cell):
                raise PermissionDenied
            return limited(request, *args, **kwargs)

        door = self.admin_site.admin_view(gated)
        door.cell = cell  # type: ignore[attr-defined]  # the test of the permission table reads it
        return path(route, door, name=name)


class Display(Desk):
    """A desk whose page of one row only shows, and is drawn by `show`."""

    @abstractmethod
    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page of the row `pk`. Raises Http404."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Nothing can be POSTed to it: what changes a row is a button."""
        self.check_view(request)
        if request.method not in GET:
            return HttpResponseNotAllowed(GET)
        if not object_id.isascii() or not object_id.isdecimal() or len(object_id) > _LONGEST_ID:
            raise Http404
        return self.show(request, int(object_id))


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> TemplateResponse:
    """A staff page: `context` and what every admin page knows."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)


def press(
    request: HttpRequest, act: Callable[[], T], done: str, *, words: Callable[[Refused], str] = str
) -> T | None:
    """Call the service behind a button and say what became of it; None when it refused.

    `done`: "" when the page itself says it.
    """
    try:
        answer = act()
    except Refused as refusal:
        messages.error(request, words(refusal))
        return None
    if done:
        messages.success(request, done)
    return answer
