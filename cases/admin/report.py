"""Reports: what came in, what is being read, and the receipt of each line."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy

from audit.counting import Counter, Uncounted
from audit.desk import Display
from cases.admin import intake, mailbox, quarantine, report_page, reporter
from cases.admin.report_filters import Lines, Read, unfinished_counter
from cases.models import Report

#: Reports being read that stand on top of the list; the filter finds all.
READING: Final = 10


@admin.register(Report)
class ReportDesk(Display):
    """Newest first, and on top of them what is being read; a report is added by its own form, not Django's."""

    cell = "report.view"
    change_list_template = "staff/reports.html"
    list_display = ["reference"]
    list_filter = ["source", "way", Read, Lines]
    list_select_related = ["source"]
    list_per_page = 25
    search_fields = ["reference__exact", "their_reference__exact"]
    search_help_text = gettext_lazy("Our reference, or theirs")
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """What is being read, and what hangs on the page of a report."""
        reading = self.at("reading/", self.reading, name="reports_reading", cell="report.view")
        return [reading, *report_page.urls(self)]

    def desk_urls(self) -> list[URLPattern]:
        """The form for new reports, the quarantine, the tray for mail, and who reported."""
        return [*intake.urls(self), *quarantine.urls(self), *mailbox.urls(self), *reporter.urls(self)]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Counter | Uncounted]:
        """Lines and mail that wait for this person, and files that are on their way."""
        if request.user.has_perm("quarantine.decide"):
            yield quarantine.counter()
        if request.user.has_perm("mailbox.decide"):
            yield from mailbox.counters()
        if request.user.has_perm("report.add"):
            yield unfinished_counter(now)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list, with the outcomes of each report on it, counted by one query."""
        more = {"may_add": request.user.has_perm("report.add"), **_reading(), **(extra_context or {})}
        response = super().changelist_view(request, more)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            reports = list(context["cl"].result_list)
            counts = report_page.outcomes([report.pk for report in reports])
            context["rows"] = [{"report": report, "outcomes": counts[report.pk]} for report in reports]
        return response

    def reading(self, request: HttpRequest) -> HttpResponse:
        """What is being read, as the part of the list that the browser asks for every other second."""
        return render(request, "staff/reports_reading.html", _reading())

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The receipt of one report, for people."""
        return report_page.show(request, pk)


def _reading() -> dict[str, Any]:
    now = timezone.now()
    oldest = Report.objects.unfinished().select_related("source").order_by("received_at", "pk")
    return {
        "reading": [
            {"report": report, "left": report_page.left(report, now), "stuck": report.is_stuck(now=now)}
            for report in oldest[:READING]
        ]
    }
