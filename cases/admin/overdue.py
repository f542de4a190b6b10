"""The supervisors' desk: what is overdue, by provider; with the steps that wait (cases/admin/steps.py)."""

from datetime import datetime

from django.db.models import Count, F, Min, Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.counting import Counter
from audit.desk import Desk, page
from cases.admin.counters import counter
from cases.admin.steps import step_counters
from cases.models import Notice
from cases.queues import QUEUES


def urls(desk: Desk) -> list[URLPattern]:
    """The desk."""
    return [desk.at("overdue/", by_provider, name="overdue", cell="overdue.view")]


def by_provider(request: HttpRequest) -> HttpResponse:
    """Overdue notices by provider, the one with the oldest first; true by the clock, recorded or not."""
    now = timezone.now()
    overdue = Q(due_at__lte=now)
    rows = (
        Notice.objects.open()
        .values("provider_id", "provider__name")
        .annotate(
            open=Count("pk"),
            overdue=Count("pk", filter=overdue),
            oldest=Min("due_at", filter=overdue),
            silent=Count("pk", filter=overdue & Q(acknowledged_at__isnull=True)),
            online=Count("pk", filter=overdue & Q(last_seen_online_at__gt=F("due_at"))),
            disputed=Count("pk", filter=overdue & Q(disputed_at__isnull=False)),
        )
        .filter(overdue__gt=0)
        .order_by("oldest", "provider_id")
    )
    context = {
        "title": _("Overdue"),
        "rows": list(rows),
        "counters": [*step_counters(), *_queues(now)],
        "list": reverse("admin:cases_notice_changelist"),
    }
    return page(request, "staff/overdue.html", context)


def _queues(now: datetime) -> list[Counter]:
    return [
        counter(queue, now=now) for queue in QUEUES if queue.code in {"review", "contradicted", "disputed"}
    ]
