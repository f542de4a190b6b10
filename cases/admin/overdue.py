"""The supervisors' desk: what is overdue, by provider; with the steps that wait (cases/admin/steps.py)."""

from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.counting import Bounded, Counter, counters
from audit.desk import Desk, page
from cases.admin.counters import Figures, counter
from cases.admin.steps import ROLES, step_counters
from cases.models import Notice, ProviderFigure
from cases.queues import QUEUES
from cases.services import figures

#: So many open notices are grouped while the page is made; it takes a few milliseconds.
LIVE: Final = 5_000
#: The queues that its counters show, beside the steps.
BESIDE: Final = {"review", "contradicted", "disputed", "judged_late", "arrives_late", "hold_ended"}
#: Providers on one page.
PER_PAGE: Final = 100


def urls(desk: Desk) -> list[URLPattern]:
    """The desk."""
    return [desk.at("overdue/", by_provider, name="overdue", cell="overdue.view")]


def by_provider(request: HttpRequest) -> HttpResponse:
    """Overdue notices by provider, the one with the oldest first; true by the clock, recorded or not."""
    now = timezone.now()
    # Few are counted as they are at this moment; of many, the page says what the sweep counted, and when.
    counted_at, page_of = None, Bounded(ProviderFigure.objects.none(), PER_PAGE).get_page(None)
    if Notice.objects.open().order_by()[: LIVE + 1].count() > LIVE:
        kept = ProviderFigure.objects.select_related("provider").order_by("oldest_at", "pk")
        page_of = Bounded(kept, PER_PAGE).get_page(request.GET.get("page"))
        page_of.object_list = [
            {**vars(figure), "oldest": figure.oldest_at, "provider__name": figure.provider.name}
            for figure in page_of.object_list
        ]
        counted_at = page_of.object_list[0]["counted_at"] if page_of.object_list else None
    if counted_at is None:
        rows = figures.by_provider(Notice.objects.all(), now=now)
        page_of = Bounded(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("Overdue"),
        "rows": page_of,
        "page": page_of,
        "counted_at": counted_at,
        "counters": _counters(now),
        "list": reverse("admin:cases_notice_changelist"),
        "steps": reverse("admin:overdue_steps"),
    }
    return page(request, "staff/overdue.html", context)


def _counters(now: datetime) -> list[Counter]:
    kept = Figures()
    queues = (counter(queue, now=now, figures=kept) for queue in QUEUES if queue.code in BESIDE)
    return counters([*step_counters(ROLES, decides=True, figures=kept), *queues])
