"""Whose session goes on, what asks for a fresh proof, and the language a request is answered in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.contrib.auth import logout
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from accounts import proof
from accounts.models import Session, User, idle_limit
from accounts.roles import STEP_UP

#: `seen_at` is as exact as this: a write per request would cost more than it tells.
SEEN_NOTED_EVERY: Final = timedelta(minutes=1)
#: What our scripts say of a request that nobody made: a page that asks how far a job is keeps nobody logged in.
UNATTENDED: Final = "X-Unattended"


class OpenSessions:
    """Ends the session of who sat still too long; notes of the others that they are there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = get_user(request)
        if isinstance(user, User):
            now = timezone.now()
            row: Session | None = getattr(request.session, "row", None)
            if row is None or now - row.seen_at >= idle_limit(user):
                logout(request)
                request._cached_user = AnonymousUser()  # type: ignore[attr-defined]  # Django's own keeping place
            elif now - row.seen_at >= SEEN_NOTED_EVERY and UNATTENDED not in request.headers:
                Session.objects.filter(pk=row.pk).update(seen_at=now)
        return self.get_response(request)


class StepUp:
    """Asks for a fresh proof before a page whose cell is weighty (accounts/roles.py)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponse | None:
        """None lets the request through; who is no person, or may not, is the page's own business."""
        cell = getattr(view, "cell", "")
        user = request.user
        if cell not in STEP_UP or not isinstance(user, User) or not user.may(cell):
            return None
        return None if proof.is_fresh(request, now=timezone.now()) else proof.ask(request)


class PreferredLanguage:
    """A person's own language; for everybody else the choice kept in the cookie, then the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Found before by OpenSessions, and again by AuthenticationMiddleware: one query for all.
        user = get_user(request)
        language = user.language if isinstance(user, User) else translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.setdefault("Content-Language", language)
        return response
