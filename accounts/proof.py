"""What a session knows of how its person came in, and whether that is fresh enough for something weighty."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Final, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone

from accounts import factors, sessions
from accounts.client import address_of
from accounts.models import User
from accounts.throttle import network_of

P = ParamSpec("P")

#: When the person last proved who they are with a second factor, in seconds; absent after a password alone.
_PROVED: Final = "proved_at"

#: The cookie of a device: signed, the ids of those who have logged in from it.
DEVICE_COOKIE: Final = "takedown_device"
_DEVICE_SALT: Final = "accounts.device"
_DEVICE_AGE_S: Final = 180 * 86400
_MOST_PEOPLE: Final = 8

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def come_in(request: HttpRequest, user: User, *, proven: bool, now: datetime) -> None:
    """Begin the session of `user`: a new one, that holds nothing of what was before."""
    request.session.flush()
    login(request, user)
    request.session[sessions.STARTED] = now.timestamp()
    request.session[sessions.DEVICE] = device_name(request)
    request.session[sessions.NETWORK] = network_of(address_of(request))
    if proven:
        prove(request, now=now)


def prove(request: HttpRequest, *, now: datetime) -> None:
    """The person has just proved who they are."""
    request.session[_PROVED] = now.timestamp()


def is_fresh(request: HttpRequest, *, now: datetime) -> bool:
    """Whether that was lately enough. Where a password is enough, so it is for who has no second factor."""
    proved = request.session.get(_PROVED)
    if proved is not None and now - datetime.fromtimestamp(proved, UTC) < settings.HOST.step_up:
        return True
    user = request.user
    return not settings.HOST.second_factor and isinstance(user, User) and not factors.is_enrolled(user)


def step_up(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """A view that wants a fresh proof: without one the reader is asked for it first."""

    @wraps(view)
    def asked(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request = args[0]
        assert isinstance(request, HttpRequest)  # it is a view
        return view(*args, **kwargs) if is_fresh(request, now=timezone.now()) else ask(request)

    return asked


def ask(request: HttpRequest) -> HttpResponse:
    """On to the page that asks for a proof, and then back: to this page, or to the one that its form stood on."""
    back = request.get_full_path()
    if request.method not in {"GET", "HEAD"}:
        page = urlsplit(request.headers.get("Referer", ""))
        back = page.path if page.netloc == request.get_host() else resolve_url("home")
    return HttpResponseRedirect(f"{resolve_url('security_confirm')}?{urlencode({'next': back})}")


# -- The device: a name for the person, and a cookie that keeps it from being shut out ----------------------


def device_name(request: HttpRequest) -> str:
    """Browser and system, as the person would call them: "Firefox, Linux"."""
    said = request.headers.get("User-Agent", "")
    browser = next((name for sign, name in _BROWSERS if re.search(rf"{sign}[\w]*/", said)), "")
    system = next((name for sign, name in _SYSTEMS if sign in said), "")
    return ", ".join(filter(None, (browser, system)))


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """From now on this device is known for `user`. It opens nothing; see settings.RATES."""
    people = [user.pk, *(pk for pk in _people_of(request) if pk != user.pk)][:_MOST_PEOPLE]
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps(people, salt=_DEVICE_SALT),
        max_age=_DEVICE_AGE_S,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known_device(request: HttpRequest, email: str) -> bool:
    """Whether whoever has this address has logged in from here before."""
    people = _people_of(request)
    return bool(people) and User.objects.filter(pk__in=people, email=email.lower()).exists()


def _people_of(request: HttpRequest) -> list[int]:
    try:
        people: list[int] = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt=_DEVICE_SALT, max_age=_DEVICE_AGE_S
        )
    except signing.BadSignature:
        return []
    return people
