"""The addresses of the API, under /api/v1/."""

from django.urls import path

from cases.api import notices, receipts, reports, sightings
from takedown import api_docs, pages

urlpatterns = [
    path("schema/", api_docs.Description.as_view(), name="api_schema"),
    path("docs/", api_docs.docs, name="api_docs"),
    path("reports/", reports.Reports.as_view(), name="api_reports"),
    path("reports/<str:reference>/", reports.OneReport.as_view(), name="api_report"),
    path("notices/", notices.Notices.as_view(), name="api_notices"),
    path("notices/answers/", notices.Answers.as_view(), name="api_answers"),
    path("notices/<str:reference>/", notices.OneNotice.as_view(), name="api_notice"),
    path(
        "notices/<str:reference>/receipts/", receipts.ReceiptsOfNotice.as_view(), name="api_notice_receipts"
    ),
    path("receipts/", receipts.Receipts.as_view(), name="api_receipts"),
    path("checks/due/", sightings.DueChecks.as_view(), name="api_checks_due"),
    path("sightings/", sightings.Sightings.as_view(), name="api_sightings"),
    path("<path:rest>", pages.nowhere),
]
