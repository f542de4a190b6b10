"""Messages: the list of all, the page of one with its exact text, and what can be done with it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import Names
from audit.counting import Counter
from audit.desk import POST, Display, page
from audit.models import Event
from audit.record import Actor
from cases.admin import outbox, piles
from cases.admin.pressing import press
from cases.admin.sentences import step_name, told
from cases.models import Dispatch
from cases.services import outgoing
from cases.services.looking import read_message

#: Lines shown on a page; a message has 500 at most.
LINES = 500


@admin.register(Dispatch)
class DispatchDesk(Display):
    """The list finds a message by its number; the outbox shows what needs somebody."""

    cell = "dispatch.view"
    change_list_template = "staff/dispatches.html"
    list_display = ["number"]
    list_filter = ["state", "kind"]
    list_select_related = ["contact__provider"]
    search_fields = ["number__exact"]
    search_help_text = gettext_lazy("The number of a message, such as NTD-2026-000123")
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """The three buttons and the text."""
        cell, at = "dispatch.{}".format, self.at
        return [
            at(
                "<int:pk>/approve/", self.approve, name="dispatch_approve", cell=cell("approve"), methods=POST
            ),
            at("<int:pk>/cancel/", self.cancel, name="dispatch_cancel", cell=cell("cancel"), methods=POST),
            at("<int:pk>/retry/", self.retry, name="dispatch_retry", cell=cell("retry"), methods=POST),
            at("<int:pk>/text/", self.text, name="dispatch_text", cell=cell("read"), methods=POST),
        ]

    def desk_urls(self) -> list[URLPattern]:
        """The notice desk."""
        return outbox.urls(self)

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Counter]:
        """Messages that wait for this person."""
        if not request.user.has_perm("dispatch.view"):
            return []
        return outbox.counters(approving=request.user.has_perm("dispatch.approve"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of lines that are on each."""
        lines = Count("lines", filter=Q(lines__dropped_because=""))
        return super().get_queryset(request).annotate(lines_on=lines)

    def show(self, request: HttpRequest, pk: int, text: str = "") -> HttpResponse:
        """The page of one message; `text` only in the answer to the press that asked for it."""
        dispatch = get_object_or_404(Dispatch.objects.select_related("contact__provider", "template"), pk=pk)
        names, now = Names(), timezone.now()
        events = Event.objects.filter(subject="dispatch", subject_id=pk).order_by("-pk")[:200]
        lines = dispatch.lines.select_related("notice__content").order_by("pk")[:LINES]
        context = {
            "title": dispatch.number,
            "dispatch": dispatch,
            "text": text,
            "may_see_words": request.user.has_perm("letter.view"),
            "because": piles.waits_because(dispatch, now=now),
            "next_step": piles.next_step(dispatch),
            "approved_by": names.of(dispatch.approved_by) if dispatch.approved_by else "",
            "lines": [{"line": line, "step": step_name(line.step)} for line in lines],
            "attempts": list(dispatch.attempts.order_by("-number")[:50]),
            "timeline": [told(event, names.of(event.actor)) for event in events],
            **piles.buttons(request, dispatch),
        }
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

    def _do(self, request: HttpRequest, pk: int, call: Callable[..., Dispatch], done: str) -> HttpResponse:
        press(request, lambda: call(dispatch_id=pk, by=Actor.of(request.user), now=timezone.now()), done)
        back = request.POST.get("back", "")
        if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith(
            reverse("admin:outbox")
        ):
            return redirect(back)
        return redirect("admin:cases_dispatch_change", pk)
