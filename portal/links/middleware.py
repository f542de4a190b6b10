"""A link and a session never meet: whoever comes by a link is nobody, also in a browser that is logged in."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

#: Where the pages of messages are.
PREFIX: Final = "/answer/"


class Apart:
    """Takes the cookie of the session off requests for the page of a message: the page can neither use nor prolong it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PREFIX):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return self.get_response(request)
