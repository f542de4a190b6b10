"""The filters of the list of reports, and those among them that are not read to their end."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.counting import Counter
from cases.models import Report, ReportLine

Choices = list[tuple[str, Any]]


class Read(admin.SimpleListFilter):
    """By how far it was read."""

    title, parameter_name = _("read"), "read"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("no", _("not to the end")), ("stuck", _("stuck")), ("yes", _("to the end"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Report] | None:
        match self.value():
            case "no":
                return queryset.unfinished()  # type: ignore[no-any-return]
            case "stuck":
                return queryset.stuck(now=timezone.now())  # type: ignore[no-any-return]
            case "yes":
                return queryset.filter(finished_at__isnull=False)  # type: ignore[no-any-return]
        return None


class Lines(admin.SimpleListFilter):
    """By lines that were not simply taken."""

    title, parameter_name = _("lines"), "lines"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("waiting", _("some wait in quarantine")),
            ("quarantined", _("some in quarantine")),
            ("rejected", _("some rejected")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Report] | None:
        conditions = {
            "waiting": Q(outcome=ReportLine.Outcome.QUARANTINED, decided_at__isnull=True),
            "quarantined": Q(outcome=ReportLine.Outcome.QUARANTINED),
            "rejected": Q(outcome=ReportLine.Outcome.REJECTED),
        }
        condition = conditions.get(self.value() or "")
        if condition is None:
            return None
        return queryset.filter(Exists(ReportLine.objects.filter(condition, report=OuterRef("pk"))))  # type: ignore[no-any-return]


def unfinished_counter(now: datetime) -> Counter:
    """Reports that are not read to their end, for the start page; wrong as soon as one is stuck."""
    found = Report.objects.unfinished().aggregate(
        count=Count("pk"),
        oldest=Min("received_at"),
        stuck=Count("pk", filter=Q(pk__in=Report.objects.stuck(now=now).values("pk"))),
    )
    href = f"{reverse('admin:cases_report_changelist')}?read=no"
    tone = "bad" if found["stuck"] else ""
    return Counter(_("reports not read to the end"), found["count"], found["oldest"], href, tone)
