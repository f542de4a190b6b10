"""Every address of the house."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from cases import views
from portal.views import receipts
from takedown import health, pages, styleguide

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.start, name="start"),
    path("home/", pages.home, name="home"),
    path("report/", views.report, name="report"),
    path("report/follow/", views.follow, name="report_follow"),
    path("", include("accounts.urls")),
    path("logout/", pages.LogOut.as_view(), name="logout"),
    path("i18n/", pages.set_language, name="set_language"),
    path("staff/", admin.site.urls),
    path("portal/", include("portal.urls")),
    path("answer/", include("portal.links.urls")),
    path("api/v1/", include("takedown.api_urls")),
    path(".well-known/jwks.json", receipts.keys, name="receipt_keys"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
if settings.DEBUG or settings.HOST.demo:
    urlpatterns += [path("styleguide/", styleguide.page, name="styleguide")]

handler400 = pages.bad_request
handler403 = pages.permission_denied
handler404 = pages.not_found
handler500 = pages.server_error
