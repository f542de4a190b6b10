"""Notices: the search desk, and the page of one notice with all that can be done with it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.counting import Shortcut, Uncounted
from audit.desk import BOTH, POST, Display, page
from audit.record import Actor
from cases.admin import (
    bulk,
    calls,
    checks,
    disagreements,
    notice_page,
    overdue,
    saved,
    scorecard,
    search,
    steps,
    team,
    work,
)
from cases.admin.buttons import BUTTONS, Button
from cases.admin.counters import Figures, counter
from cases.admin.find import find_by_text
from cases.admin.forms import PressForm, RevealForm
from cases.admin.pressing import press
from cases.models import Notice
from cases.queues import QUEUES
from cases.services import claims
from cases.services.reveal import reveal

TEMPLATE: Final = "staff/notice.html"


@admin.register(Notice)
class NoticeDesk(Display):
    """The list is for finding; what is to be judged next is the work desk's to say."""

    cell = "notice.view"

    def own_urls(self) -> list[URLPattern]:
        """The search form, the reveal, and each button."""
        return [
            self.at("find/", find_by_text, name="find", cell="notice.view", methods=POST),
            self.at("providers/", search.providers, name="notice_providers", cell="notice.view"),
            self.at("<int:pk>/reveal/", self.reveal, name="reveal", cell="notice.reveal", methods=POST),
            *(
                self.at(f"<int:pk>/{button.verb}/", self._pressed(button), name=f"notice_{button.verb}",
                        cell=button.cell, methods=BOTH)
                for button in BUTTONS
            ),
        ]  # fmt: skip

    def desk_urls(self) -> list[URLPattern]:
        """The desks that are about notices."""
        return [
            *work.urls(self),
            *team.urls(self),
            *overdue.urls(self),
            *steps.urls(self),
            *calls.urls(self),
            *scorecard.urls(self),
            *checks.urls(self),
            *disagreements.urls(self),
            *bulk.urls(self),
            *saved.urls(self),
        ]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Uncounted]:
        """The queues and steps that are this person's to see to."""
        user, figures = request.user, Figures()
        yield from (counter(queue, now=now, figures=figures) for queue in QUEUES if user.has_perm(queue.cell))
        if user.has_perm("check.view"):
            yield checks.late_counter(now, figures)
        roles = user.roles if isinstance(user, User) else ()
        yield from steps.step_counters(roles, decides=user.has_perm("overdue.act"), figures=figures)

    def shortcuts(self, request: HttpRequest) -> Iterable[Shortcut]:
        """The saved filters."""
        return saved.shortcuts(request) if request.user.has_perm(self.cell) else ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, drawn by us: by filters, with pages by keyset."""
        self.check_view(request)
        return search.desk(request)

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page of one notice: it shows; what changes it is a button."""
        return page(request, TEMPLATE, notice_page.context(request, notice_page.load(pk)))

    def reveal(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the full address once, as text, in the answer to this very request."""
        notice, form = notice_page.load(pk), RevealForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Say why you want to see it."))
            return redirect("admin:cases_notice_change", pk)
        url = press(
            request,
            lambda: reveal(notice_id=pk, by=Actor.of(request.user), now=timezone.now(), **form.cleaned_data),
            _("That you looked is written down."),
        )
        return page(request, TEMPLATE, notice_page.context(request, notice, revealed=url or ""))

    def _pressed(self, button: Button) -> Any:
        def pressed(request: HttpRequest, pk: int) -> HttpResponse:
            """Call the button's service, if its form is whole; a GET (a reload) leads back to the notice."""
            if request.method != "POST":
                return redirect("admin:cases_notice_change", pk)
            now, form = timezone.now(), button.form(request.POST, auto_id=f"{button.verb}_%s")
            if not form.is_valid():
                return self._again(request, pk, button, form)
            done = press(
                request,
                lambda: button.call(
                    notice_id=pk, by=Actor.of(request.user), now=now, **form.arguments(now=now)
                ),
                str(button.done),
            )
            if done is not None:
                claims.release(notice_id=pk, user_id=request.user.pk or 0)
            return redirect("admin:cases_notice_change", pk)

        return pressed

    def _again(self, request: HttpRequest, pk: int, button: Button, form: PressForm) -> HttpResponse:
        context = notice_page.context(request, notice_page.load(pk), tried=(button.verb, form))
        return page(request, TEMPLATE, context, status=422)
