"""The page of one report: how far it was read, and what became of each line."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.names import Names
from audit.desk import POST, Desk, page
from audit.models import Event
from cases.admin.sentences import told
from cases.formats import receipt
from cases.models import Report, ReportLine
from cases.nudge import nudge

LINES: Final = 100
#: Digits of the largest number of a line.
_LONGEST_NUMBER: Final = 9
#: A pace is told of what was read just now; of what waited for long it would be a guess.
_FRESH: Final = timedelta(seconds=30)
_LONG: Final = timedelta(minutes=15)


def urls(desk: Desk) -> list[URLPattern]:
    """What hangs on the page: the receipt as a file, the progress alone, and a button."""
    see, add = "report.view", "report.add"
    return [
        desk.at("<int:pk>/receipt/", as_file, name="report_receipt", cell=see),
        desk.at("<int:pk>/progress/", progress, name="report_progress", cell=see),
        desk.at("<int:pk>/nudge/", try_again, name="report_nudge", cell=add, methods=POST),
    ]


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of one report, for people: a hundred lines of it, from the one that is asked for."""
    report = get_object_or_404(Report.objects.select_related("source"), pk=pk)
    names = Names()
    events = Event.objects.filter(subject="report", subject_id=pk).order_by("-pk")[:100]
    counts = outcomes([pk])[pk]
    context = {
        "title": report.reference,
        "by": names.of(report.by),
        "outcomes": counts,
        "timeline": [told(event, names.of(event.actor)) for event in events],
        **_progress(report, timezone.now()),
        **_lines(report, request.GET),
    }
    return page(request, "staff/report.html", context)


def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it was read, as the part of the page that the browser asks for every other second."""
    report = get_object_or_404(Report, pk=pk)
    return render(request, "staff/report_progress.html", _progress(report, timezone.now()))


def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Wake the sweep that reads. It would come by itself; the person need not wait for it."""
    report = get_object_or_404(Report, pk=pk)
    nudge("sweep_intake")
    messages.success(request, _("The reading was asked to go on."))
    return redirect("admin:cases_report_change", report.pk)


def as_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """`line;outcome;notice;reason`, without addresses (docs/adr/0010)."""
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


def left(report: Report, now: datetime) -> timedelta | None:
    """How long the rest takes at the pace so far; None when that would be a guess."""
    if report.finished_at is not None or report.moved_at is None or now - report.moved_at > _FRESH:
        return None
    spent = report.moved_at - report.received_at
    if not timedelta(0) < spent < _LONG:
        return None
    return spent * (report.total - report.done) / report.done


def _progress(report: Report, now: datetime) -> dict[str, Any]:
    # Whose lines are not kept waits for the program that brings them (an import by command, an API's call).
    unfinished = report.finished_at is None
    return {
        "report": report,
        "left": left(report, now),
        "stuck": report.is_stuck(now=now),
        "kept": unfinished and report.unread.exists(),
    }


def _lines(report: Report, asked: QueryDict) -> dict[str, Any]:
    """The lines from `line` on, of one outcome or all; by their numbers, so that line 9,000 costs what 1 does."""
    lines = report.lines.select_related("notice", "content").order_by("number", "pk")
    outcome = asked.get("outcome", "")
    if outcome in ReportLine.Outcome.values:
        lines = lines.filter(outcome=outcome)
    start = _number(asked.get("line", ""))
    rows = list(lines.filter(number__gte=start)[: LINES + 1])
    before = (
        lines.filter(number__lt=start).order_by("-number", "-pk").values_list("number", flat=True)[:LINES]
    )
    return {
        "lines": rows[:LINES],
        "outcome": outcome,
        "next_line": rows[LINES].number if len(rows) > LINES else None,
        "previous_line": min(before, default=None),
        "long": report.total > LINES,
    }


def _number(text: str) -> int:
    """The number of a line that somebody asks for; 1 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 1
