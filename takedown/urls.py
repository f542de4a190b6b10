"""Every address of the house."""

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from takedown import pages, styleguide

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.start, name="start"),
    path("home/", pages.home, name="home"),
    path("login/", pages.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("i18n/", pages.set_language, name="set_language"),
    path("staff/", admin.site.urls),
]
if find_spec("portal.urls"):
    urlpatterns += [path("portal/", include("portal.urls"))]
if find_spec("takedown.api_urls"):
    urlpatterns += [path("api/v1/", include("takedown.api_urls"))]
if find_spec("takedown.health"):
    health = import_module("takedown.health")
    urlpatterns += [
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
