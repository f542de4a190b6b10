"""Messages: the list of all, the page of one with its exact text, and what can be done with it."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.counting import Uncounted
from audit.desk import POST, Display, page
from audit.record import Actor
from cases.admin import contacts, dispatch_page, outbox, proposals, replies
from cases.admin.pressing import press
from cases.models import Dispatch, DispatchLine
from cases.models.notice import NOTICE_REFERENCE
from cases.services import links, outgoing
from cases.services.looking import read_message


@admin.register(Dispatch)
class DispatchDesk(Display):
    """The list finds a message by its number; the outbox shows what needs somebody."""

    cell = "dispatch.view"
    change_list_template = "staff/dispatches.html"
    list_display = ["number"]
    list_filter = ["state", "kind"]
    list_select_related = ["contact__provider"]
    search_fields = ["number__exact"]
    search_help_text = gettext_lazy(
        "The number of a message, such as NTD-2026-000123, or the reference of a notice on it"
    )
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """The buttons of a message, and its text."""
        cell, at = "dispatch.{}".format, self.at
        return [
            at(
                "<int:pk>/approve/", self.approve, name="dispatch_approve", cell=cell("approve"), methods=POST
            ),
            at("<int:pk>/cancel/", self.cancel, name="dispatch_cancel", cell=cell("cancel"), methods=POST),
            at("<int:pk>/retry/", self.retry, name="dispatch_retry", cell=cell("retry"), methods=POST),
            at(
                "<int:pk>/revoke-link/",
                self.revoke_link,
                name="dispatch_revoke_link",
                cell="link.revoke",
                methods=POST,
            ),
            at("<int:pk>/text/", self.text, name="dispatch_text", cell=cell("read"), methods=POST),
        ]

    def desk_urls(self) -> list[URLPattern]:
        """The notice desk: what goes out, what comes back, and the desk for contacts."""
        return [*outbox.urls(self), *replies.urls(self), *contacts.urls(self), *proposals.urls(self)]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Uncounted]:
        """Messages, mails that came back, and contacts that wait for this person."""
        if request.user.has_perm("dispatch.view"):
            yield from outbox.counters(approving=request.user.has_perm("dispatch.approve"), now=now)
        if request.user.has_perm("reply.decide"):
            yield from replies.counters()
        yield from contacts.counters(request, now)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of lines that are on each."""
        lines = Count("lines", filter=Q(lines__dropped_because=""))
        return super().get_queryset(request).annotate(lines_on=lines)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Dispatch], bool]:
        """By the number of a message, or by a notice that is or was on it."""
        term = search_term.strip().upper()
        if re.fullmatch(NOTICE_REFERENCE, term):
            about = DispatchLine.objects.filter(notice__reference=term)
            return queryset.filter(pk__in=about.values("dispatch")), False
        return super().get_search_results(request, queryset, term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list; the whole number of a message leads to its page."""
        self.check_view(request)
        number = request.GET.get("q", "").strip().upper()
        found = (
            Dispatch.objects.filter(number=number).values_list("pk", flat=True).first() if number else None
        )
        if found is not None:
            return redirect("admin:cases_dispatch_change", found)
        return super().changelist_view(request, extra_context)

    def show(self, request: HttpRequest, pk: int, text: str = "") -> HttpResponse:
        """The page of one message; `text` only in the answer to the press that asked for it."""
        context = dispatch_page.context(request, dispatch_page.load(pk), text=text)
        return page(request, "staff/dispatch.html", context)

    def text(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the exact text as it went out; that somebody read it is written down."""
        text = press(
            request,
            lambda: read_message(dispatch_id=pk, by=Actor.of(request.user), now=timezone.now()),
            _("That you looked is written down."),
        )
        return self.show(request, pk, text=text or "")

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a message go that waited for a person."""
        return self._do(request, pk, outgoing.approve, _("Approved: it goes out with the next round."))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Cancel a message; its notices return to the work desk."""
        return self._do(
            request, pk, outgoing.cancel, _("Cancelled. First notices are back on the work desk.")
        )

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Try a parked message again."""
        return self._do(request, pk, outgoing.retry, _("It is tried again with the next round."))

    def revoke_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let the link to the page of a message open nothing any more."""
        press(
            request,
            lambda: links.revoke(
                dispatch_id=pk, provider_id=None, by=Actor.of(request.user), now=timezone.now()
            ),
            _("Its link opens nothing any more."),
        )
        return redirect("admin:cases_dispatch_change", pk)

    def _do(self, request: HttpRequest, pk: int, call: Callable[..., Dispatch], done: str) -> HttpResponse:
        press(request, lambda: call(dispatch_id=pk, by=Actor.of(request.user), now=timezone.now()), done)
        back = request.POST.get("back", "")
        if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith(
            reverse("admin:outbox")
        ):
            return redirect(back)
        return redirect("admin:cases_dispatch_change", pk)
