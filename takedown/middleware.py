"""What holds for every answer: headers that keep it private, and plain words when the database is away."""

import logging
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from takedown import pages
from takedown.roomy import roomy

logger = logging.getLogger(__name__)

Next = Callable[[HttpRequest], HttpResponse]

#: Never kept by any cache, whatever a view says.
PRIVATE: Final = ("/staff/", "/portal/", "/api/", "/login/", "/logout/", "/account/", "/join/", "/answer/")
#: Never in a search engine.
UNLISTED: Final = ("/staff/", "/portal/", "/api/", "/account/", "/join/", "/answer/", "/report/follow/")
#: Nothing here needs a camera. Passkeys are left to ourselves.
PERMISSIONS: Final = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture",
                "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "magnetometer",
                "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "usb",
                "xr-spatial-tracking",
            )
        ),
        "publickey-credentials-get=(self)",
    ]
)  # fmt: skip


class Roomy:
    """Around everything else: pages, answers of the API and files."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = roomy(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class Headers:
    """The headers that neither Django nor django-csp set; on every answer, errors and files included."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Permissions-Policy", PERMISSIONS)
        if request.path.startswith(PRIVATE):
            response["Cache-Control"] = "no-store, private"
        else:
            # Files bring their own; a page that may be kept says so itself.
            response.setdefault("Cache-Control", "no-store")
        if request.path.startswith(UNLISTED):
            response["X-Robots-Tag"] = "noindex, nofollow"
        return response


class DatabaseDown:
    """A database that is away, restarting or full is no fault of the request: 503, and when to come back.

    Faults outside a view (a session that cannot be saved) come by `pages.server_error` to the same answer.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The 503, or None for any other exception."""
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        # The class says what happened; the text may repeat values.
        logger.error("The database did not answer: %s", type(exception.__cause__ or exception).__name__)
        return pages.unavailable(request)
