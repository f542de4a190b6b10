"""The pages that belong to no desk: start, home, log-in, language, errors."""

import sys
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import check_for_language, gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language as django_set_language

from accounts import services
from accounts.models import User
from cases.services import claims

RETRY_AFTER_S: Final = 10


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The public start page."""
    return render(request, "public/start.html")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where a person starts: staff at their first desk, a provider's people in the portal, a guest at `/`."""
    user = request.user
    if not isinstance(user, User):
        return redirect("start")
    if user.provider_id:
        return redirect("portal:notices")
    return redirect("admin:index")


class LogOut(LogoutView):
    """The one log-out. What an analyst had before them is free at once."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Give back, then go."""
        if request.user.pk is not None:
            claims.release_all(user_id=request.user.pk)
            services.logged_out(user_id=request.user.pk, now=timezone.now())
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on; a person's choice is kept with the person."""
    language = request.POST.get("language", "")
    user = request.user
    if isinstance(user, User) and language in dict(settings.LANGUAGES) and check_for_language(language):
        User.objects.filter(pk=user.pk).update(language=language)
    return django_set_language(request)


# -- Errors: the house's look, and nothing of what went wrong inside ----------------------------------------


def _error(request: HttpRequest, status: HTTPStatus, template: str, detail: str = "") -> HttpResponse:
    """The page for people, or a problem document (RFC 9457) for machines. Asks nothing of the database."""
    if request.path.startswith("/api/"):
        return JsonResponse(
            {
                "type": "about:blank",
                "title": status.phrase,
                "status": status.value,
                "detail": detail or status.description,
                "code": status.name.lower(),
            },
            status=status.value,
            content_type="application/problem+json",
            json_dumps_params={"separators": (",", ":")},
        )
    return HttpResponse(render_to_string(template), status=status.value)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what came in cannot be read."""
    return _error(request, HTTPStatus.BAD_REQUEST, "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: known, and not yours to open."""
    return _error(request, HTTPStatus.FORBIDDEN, "403.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form was not ours, or too old. The reason is for the log that Django writes."""
    return _error(request, HTTPStatus.FORBIDDEN, "403_csrf.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: it is not here, or not for you: both look the same."""
    return _error(request, HTTPStatus.NOT_FOUND, "404.html", gettext("Not found."))


@csrf_exempt
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """An address of the API that is not there. Left to Django, a POST to one without its last slash would be
    sent on, and lose its body on the way."""
    raise Http404


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 when the cause is that the database is away."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return unavailable(request)
    return _error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "500.html")


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: come back in a moment; nothing was half done."""
    response = _error(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "503.html",
        gettext("The database cannot be reached. Nothing was changed. Please try again."),
    )
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response
