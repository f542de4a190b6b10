"""Reports: what came in, how far it was read, and the receipt of each line."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils.translation import gettext_lazy

from accounts.names import Names
from audit.counting import Bounded, Counter
from audit.desk import Display, page
from audit.models import Event
from cases.admin import intake, quarantine
from cases.admin.sentences import told
from cases.formats import receipt
from cases.models import Report, ReportLine

LINES: Final = 100


@admin.register(Report)
class ReportDesk(Display):
    """Newest first; a report is added by its own form, not by Django's."""

    cell = "report.view"
    change_list_template = "staff/reports.html"
    list_display = ["reference"]
    list_filter = ["source", "way"]
    list_select_related = ["source"]
    list_per_page = 25
    search_fields = ["reference__exact", "their_reference__exact"]
    search_help_text = gettext_lazy("Our reference, or theirs")
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """The receipt as a file."""
        return [self.at("<int:pk>/receipt/", self.receipt, name="report_receipt", cell="report.view")]

    def desk_urls(self) -> list[URLPattern]:
        """The form for new reports, and the quarantine."""
        return [*intake.urls(self), *quarantine.urls(self)]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Counter]:
        """Lines that wait for this person."""
        return quarantine.counters() if request.user.has_perm("quarantine.decide") else []

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list, with the outcomes of each report on it, counted by one query."""
        response = super().changelist_view(
            request, {"may_add": request.user.has_perm("report.add"), **(extra_context or {})}
        )
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            reports = list(context["cl"].result_list)
            counts = outcomes([report.pk for report in reports])
            context["rows"] = [{"report": report, "outcomes": counts[report.pk]} for report in reports]
        return response

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The receipt of one report, for people."""
        report = get_object_or_404(Report.objects.select_related("source"), pk=pk)
        names = Names()
        lines = report.lines.select_related("notice", "content").order_by("number", "pk")
        events = Event.objects.filter(subject="report", subject_id=pk).order_by("-pk")[:100]
        context = {
            "title": report.reference,
            "report": report,
            "by": names.of(report.by),
            "outcomes": outcomes([pk])[pk],
            "page": Bounded(lines, LINES).get_page(request.GET.get("page")),
            "timeline": [told(event, names.of(event.actor)) for event in events],
        }
        return page(request, "staff/report.html", context)

    def receipt(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """`line;outcome;notice;reason`, without addresses."""
        report = get_object_or_404(Report, pk=pk)
        response = StreamingHttpResponse(
            receipt.as_csv(receipt.lines(report)), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{report.reference}.csv"'
        return response


def outcomes(report_ids: list[int]) -> dict[int, list[tuple[str, int]]]:
    """report -> (outcome, number of its lines), in the order of the outcomes."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    rows = ReportLine.objects.filter(report__in=report_ids).order_by().values_list("report", "outcome")
    for report, outcome, count in rows.annotate(count=Count("pk")):
        found[report][outcome] = count
    return {
        pk: [(code, found[pk][code]) for code in ReportLine.Outcome.values if code in found[pk]]
        for pk in report_ids
    }
