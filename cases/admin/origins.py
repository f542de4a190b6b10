"""Questions to CDNs and proxies: which host waits, since when, and what they answered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.counting import Bounded, Uncounted
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.models import Dispatch, DispatchLine, OriginRequest
from cases.services import origins
from providers.sources.resolver import resolver

PER_PAGE: Final = 50


class AnswerForm(forms.Form):
    """What they told us, as somebody typed it. What it may be is for the service to say."""

    server = forms.CharField(
        label=gettext_lazy("The server behind it"),
        help_text=gettext_lazy("An IP address or a host name."),
        max_length=260,
    )
    reason = forms.CharField(
        label=gettext_lazy("How we know"),
        help_text=gettext_lazy("Such as: their reply of 24 November, ticket 123."),
        max_length=300,
    )


@admin.register(OriginRequest)
class OriginDesk(Desk):
    """What waits, the longest due first; late is what is past its moment."""

    cell = "origin.view"

    def own_urls(self) -> list[URLPattern]:
        """The two buttons."""
        return [
            self.at(
                "<int:pk>/answer/", self.answer, name="origin_answer", cell="origin.answer", methods=POST
            ),
            self.at("<int:pk>/ask/", self.ask, name="origin_ask", cell="origin.answer", methods=POST),
        ]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Uncounted]:
        """Questions that should have been answered by now."""
        if request.user.has_perm("origin.view"):
            href = f"{reverse('admin:cases_originrequest_changelist')}?show=late"
            late = _open().filter(due_at__lte=now)
            yield Uncounted(gettext_lazy("CDNs without an answer"), late, "due_at", href, "warn")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All that waits, or only what is late."""
        self.check_view(request)
        return self._show(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A question has no page of its own."""
        self.check_view(request)
        return self._to_all()

    def answer(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The server behind a host: its notices go on to whoever hosts it."""
        form = AnswerForm(request.POST, prefix=str(pk))
        if not form.is_valid():
            return self._show(request, tried=(pk, form), status=422)
        freed = press(
            request,
            lambda: origins.answer(
                request_id=pk,
                resolver=resolver(),
                by=Actor.of(request.user),
                now=timezone.now(),
                **form.cleaned_data,
            ),
            _("Recorded. Who hosts it is looked up anew, and the notices go on."),
        )
        return self._show(request, tried=(pk, form), status=422) if freed is None else self._to_all()

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more."""
        press(
            request,
            lambda: origins.ask_again(request_id=pk, by=Actor.of(request.user), now=timezone.now()),
            _("They are asked again with the next round."),
        )
        return self._to_all()

    def _show(
        self, request: HttpRequest, *, tried: tuple[int, AnswerForm] | None = None, status: int = 200
    ) -> HttpResponse:
        now = timezone.now()
        late_only = request.GET.get("show") == "late"
        listed = _listed().filter(due_at__lte=now) if late_only else _listed()
        found = Bounded(listed, PER_PAGE).get_page(request.GET.get("page"))
        rows = list(found)
        sent = _messages(rows)
        may_answer = request.user.has_perm("origin.answer")
        context = {
            "title": _("Origins"),
            "page": found,
            "rows": [
                {
                    "question": row,
                    "message": sent.get(row.notice_id),
                    "form": (tried[1] if tried and tried[0] == row.pk else AnswerForm(prefix=str(row.pk)))
                    if may_answer
                    else None,
                    "is_open": bool(tried and tried[0] == row.pk),
                    "late": row.due_at <= now,
                }
                for row in rows
            ],
            "tabs": [
                {"name": _("Waiting"), "href": "?", "current": not late_only},
                {"name": _("Late"), "href": "?show=late", "current": late_only},
            ],
        }
        return page(request, "staff/origins.html", context, status=status)

    def _to_all(self) -> HttpResponse:
        return redirect("admin:cases_originrequest_changelist")


def _open() -> QuerySet[OriginRequest]:
    return OriginRequest.objects.filter(outcome=OriginRequest.Outcome.WAITS)


def _listed() -> QuerySet[OriginRequest]:
    """With the number of notices that wait for each."""
    waits = (
        origins.waiting()
        .filter(provider=OuterRef("proxy"), content__host_key=OuterRef("host_key"))
        .order_by()
        .values("provider")
        .annotate(count=Count("pk"))
        .values("count")
    )
    counted = Coalesce(Subquery(waits, output_field=IntegerField()), 0)
    rows = _open().select_related("proxy", "notice__content").annotate(waits=counted)
    return rows.order_by("due_at", "pk")


def _messages(rows: list[OriginRequest]) -> dict[int, Dispatch]:
    """notice that carries the question -> the last message in which it was asked."""
    lines = DispatchLine.objects.filter(
        notice__in=[row.notice_id for row in rows], dispatch__kind=Dispatch.Kind.ORIGIN
    )
    return {line.notice_id: line.dispatch for line in lines.select_related("dispatch").order_by("pk")}
